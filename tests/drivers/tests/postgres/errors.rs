//! How statements fail on the server, and as what they count.

use plimsoll::db::sqlx::PoolConnection;
use sqlx::{AssertSqlSafe, Error, Executor, Postgres};

use crate::base::{Site, base};

/// Its SQLSTATE.
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => panic!("no error of the database: {other:?}"),
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn each_has_its_class() {
    let base = base().await;
    let site = base.site(1).await;
    base.run(&format!("CREATE ROLE guest_of_{}", base.name))
        .await;
    let mut connection = site.pool.acquire().await.unwrap();
    let guest = format!("SET ROLE guest_of_{}; DELETE FROM orders", base.name);
    let unknown = format!("ALTER DATABASE nowhere RENAME TO {}", base.name);
    for (sql, state, query, class) in [
        ("SELECT 1 / 0", "22012", "SELECT", "data"),
        ("SELECT 'x'::int", "22P02", "SELECT", "data"),
        (
            "SELECT id / 0 FROM orders",
            "22012",
            "SELECT orders",
            "data",
        ),
        (
            "INSERT INTO orders VALUES (1, 'another')",
            "23505",
            "INSERT orders",
            "constraint",
        ),
        (
            "INSERT INTO orders VALUES (0, NULL)",
            "23502",
            "INSERT orders",
            "constraint",
        ),
        ("SELECT FROM WHERE", "42601", "SELECT WHERE", "syntax"),
        (
            "SELECT nothing FROM orders",
            "42703",
            "SELECT orders",
            "syntax",
        ),
        ("DELETE FROM nowhere", "42P01", "DELETE nowhere", "syntax"),
        (&unknown, "3D000", "ALTER", "syntax"),
        ("VACUUM (FULL, PARALLEL 2)", "0A000", "VACUUM", "other"),
        (&guest, "42501", "SET orders", "auth"),
    ] {
        let before = site.errors(query, class);
        let failed = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await;
        assert_eq!(code(failed), state, "{sql}");
        assert_eq!(site.errors(query, class), before + 1.0, "{sql}");
    }
    assert_eq!(site.value("db_client_errors_total", &[]), 11.0);
    assert_eq!(site.statements(), 11.0);
}

impl Site {
    /// A connection on which nothing takes longer than that, for once.
    async fn limited(&self, setting: &'static str) -> PoolConnection<Postgres> {
        let mut connection = self.pool.acquire().await.unwrap();
        connection.inner_mut().execute(setting).await.unwrap();
        connection
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn what_took_too_long_is_a_timeout() {
    let base = base().await;
    let site = base.site(2).await;
    let mut limited = site.limited("SET statement_timeout = 20").await;
    for _ in 0..2 {
        let slow = sqlx::query("SELECT pg_sleep(600)")
            .execute(&mut *limited)
            .await;
        assert_eq!(code(slow), "57014");
    }
    let streamed = sqlx::query("SELECT pg_sleep(600)")
        .fetch_one(&mut *limited)
        .await;
    assert_eq!(code(streamed), "57014");
    assert_eq!(site.count("SELECT", "timeout"), 3.0);
    assert_eq!(site.errors("SELECT", "timeout"), 3.0);
    let lasted = site.value("db_client_operation_duration_seconds_sum", &[]);
    assert!(lasted >= 0.06, "{lasted}");
    // The server cannot say who cancelled it.
    drop(limited.detach());
    let mut query = Box::pin(sqlx::query("SELECT pg_sleep(601)").execute(&site.pool));
    base.begun(&mut query, "SELECT pg_sleep(601)", 1).await;
    base.to_running("pg_cancel_backend", "SELECT pg_sleep(601)")
        .await;
    assert_eq!(code(query.await), "57014");
    assert_eq!(site.count("SELECT", "timeout"), 4.0);
    assert_eq!(site.statements(), 4.0);
    site.is_quiet().await;
}

const UPDATE: &str = "UPDATE orders SET paid = 1 WHERE id = 1";

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn what_may_succeed_the_next_time_is_retryable() {
    let base = base().await;
    let site = base.site(3).await;
    // 40001: somebody changed what this transaction still sees as it was.
    let isolated = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    let mut tx = site.pool.begin_with(isolated).await.unwrap();
    tx.execute("SELECT paid FROM orders").await.unwrap();
    sqlx::query(UPDATE).execute(&site.pool).await.unwrap();
    assert_eq!(code(tx.execute(UPDATE).await), "40001");
    tx.rollback().await.unwrap();
    // 55P03: a lock that somebody else holds.
    let mut holder = site.pool.begin().await.unwrap();
    holder.execute(UPDATE).await.unwrap();
    let mut limited = site.limited("SET lock_timeout = 20").await;
    let locked = sqlx::query(UPDATE).execute(&mut *limited).await;
    assert_eq!(code(locked), "55P03");
    let locked = sqlx::query("SELECT * FROM orders WHERE id = 1 FOR UPDATE NOWAIT");
    assert_eq!(code(locked.fetch_all(&mut *limited).await), "55P03");
    holder.rollback().await.unwrap();
    assert_eq!(site.errors("UPDATE orders", "retryable"), 2.0);
    assert_eq!(site.errors("SELECT orders", "retryable"), 1.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 3.0);
    assert_eq!(site.count("UPDATE orders", "error"), 2.0);
    assert_eq!(site.count("UPDATE orders", "ok"), 2.0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_deadlock_has_one_victim() {
    let base = base().await;
    let site = base.site(2).await;
    let (mut one, mut two) = (
        site.pool.begin().await.unwrap(),
        site.pool.begin().await.unwrap(),
    );
    const OTHER: &str = "UPDATE orders SET paid = 1 WHERE id = 2";
    one.execute(UPDATE).await.unwrap();
    two.execute(OTHER).await.unwrap();
    let (first, second) = tokio::join!(
        async {
            let result = one.execute(OTHER).await;
            one.rollback().await.unwrap();
            result
        },
        async {
            let result = two.execute(UPDATE).await;
            two.rollback().await.unwrap();
            result
        }
    );
    let victims = [first, second].into_iter().filter(Result::is_err);
    assert_eq!(victims.map(code).collect::<Vec<_>>(), ["40P01"]);
    assert_eq!(site.errors("UPDATE orders", "retryable"), 1.0);
    assert_eq!(site.count("UPDATE orders", "ok"), 3.0);
    assert_eq!(site.transactions(), [0.0, 2.0, 0.0]);
    site.is_quiet().await;
}
