//! Transactions and savepoints, as the server saw them.

use std::fmt::Debug;

use sqlx::{Connection, Executor, Postgres};

use plimsoll::db::sqlx::Pool;

use crate::base::{Base, Site, base};

const UPDATE: &str = "UPDATE orders SET paid = paid + 1";

impl Base {
    async fn paid(&self) -> i64 {
        self.number("SELECT sum(paid)::bigint FROM orders").await
    }

    /// How often the server executed what begins so.
    async fn calls(&self, sql: &str) -> f64 {
        let asked = format!(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
             WHERE datname = current_database() AND query LIKE '{sql}%'"
        );
        self.number(&asked).await as f64
    }
}

impl Site {
    fn by_verb(&self, verb: &str) -> f64 {
        let labels = [("db_operation_name", verb), ("outcome", "ok")];
        self.value("db_client_operation_duration_seconds_count", &labels)
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn nested_ones_are_those_of_the_server() {
    let base = base().await;
    let site = base.site(2).await;
    for _ in 0..3 {
        let mut outer = site.pool.begin().await.unwrap();
        outer.execute(UPDATE).await.unwrap();
        let mut inner = outer.begin().await.unwrap();
        inner.execute(UPDATE).await.unwrap();
        let mut innermost = inner.begin().await.unwrap();
        innermost.execute(UPDATE).await.unwrap();
        innermost.rollback().await.unwrap();
        inner.commit().await.unwrap();
        outer.commit().await.unwrap();
    }
    let mut outer = site.pool.begin().await.unwrap();
    let mut inner = outer.begin().await.unwrap();
    inner.execute(UPDATE).await.unwrap();
    inner.commit().await.unwrap();
    outer.rollback().await.unwrap();
    assert_eq!(base.paid().await, 3 * 2 * 1000);
    assert_eq!(site.transactions(), [3.0, 1.0, 0.0]);
    for (verb, times) in [
        ("BEGIN", 4.0),
        ("SAVEPOINT", 7.0),
        ("RELEASE", 4.0),
        ("ROLLBACK", 4.0),
        ("COMMIT", 3.0),
        ("UPDATE", 10.0),
    ] {
        assert_eq!(site.by_verb(verb), times, "{verb}");
        assert_eq!(base.calls(verb).await, times, "{verb}");
    }
    assert_eq!(site.statements(), 32.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn what_is_dropped_is_rolled_back() {
    let base = base().await;
    let site = base.site(1).await;
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute(UPDATE).await.unwrap();
    drop(tx);
    site.settled().await;
    assert_eq!(base.paid().await, 0);
    let mut outer = site.pool.begin().await.unwrap();
    let mut inner = outer.begin().await.unwrap();
    inner.execute(UPDATE).await.unwrap();
    drop(inner);
    outer.commit().await.unwrap();
    assert_eq!(base.paid().await, 0);
    assert_eq!(site.transactions(), [1.0, 0.0, 1.0]);
    // Nobody waited for these two.
    assert_eq!(site.by_verb("ROLLBACK"), 0.0);
    assert_eq!(base.calls("ROLLBACK").await, 2.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn one_that_failed_can_only_be_rolled_back() {
    let base = base().await;
    let site = base.site(1).await;
    let mut tx = site.pool.begin().await.unwrap();
    assert!(tx.execute("SELECT 1 / 0").await.is_err());
    assert!(tx.execute(UPDATE).await.is_err());
    assert_eq!(site.errors("SELECT", "data"), 1.0);
    assert_eq!(site.errors("UPDATE orders", "transaction"), 1.0);
    tx.rollback().await.unwrap();
    // A savepoint saves the rest of it.
    let mut outer = site.pool.begin().await.unwrap();
    outer.execute(UPDATE).await.unwrap();
    let mut inner = outer.begin().await.unwrap();
    assert!(inner.execute("SELECT 1 / 0").await.is_err());
    inner.rollback().await.unwrap();
    outer.commit().await.unwrap();
    assert_eq!(base.paid().await, 1000);
    assert_eq!(site.transactions(), [1.0, 1.0, 0.0]);
    assert_eq!(site.value("db_client_errors_total", &[]), 3.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_commit_after_an_error_rolls_back_and_nobody_is_told() {
    let base = base().await;
    let site = base.site(1).await;
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute(UPDATE).await.unwrap();
    assert!(tx.execute("SELECT 1 / 0").await.is_err());
    tx.commit().await.expect("what sqlx says to it");
    assert_eq!(base.paid().await, 0);
    assert_eq!(site.count("COMMIT", "ok"), 1.0);
    assert_eq!(site.transactions(), [1.0, 0.0, 0.0]);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_commit_that_fails_is_no_commit() {
    let base = base().await;
    base.run("CREATE TABLE late (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        .await;
    let site = base.site(1).await;
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute("INSERT INTO late VALUES (1), (1)")
        .await
        .unwrap();
    let refused = tx.commit().await.expect_err("two of one");
    let code = refused.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("23505"));
    assert_eq!(site.errors("COMMIT", "constraint"), 1.0);
    assert_eq!(site.count("COMMIT", "error"), 1.0);
    assert_eq!(site.transactions(), [0.0, 0.0, 1.0]);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_commit_that_is_given_up_may_be_one_all_the_same() {
    let base = base().await;
    base.run(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER late AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait()",
    )
    .await;
    let site = base.site(1).await;
    let mut holder = base.connect().await;
    holder.execute("SELECT pg_advisory_lock(1)").await.unwrap();
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute("INSERT INTO audit VALUES (1, 1)").await.unwrap();
    let mut commit = Box::pin(tx.commit());
    base.begun(&mut commit, "COMMIT", 1).await;
    drop(commit);
    assert_eq!(site.count("COMMIT", "cancelled"), 1.0);
    assert_eq!(site.transactions(), [0.0, 0.0, 1.0]);
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    holder.close().await.unwrap();
    site.is_quiet().await;
    // Dropped is not undone: the server went on.
    assert_eq!(base.number("SELECT count(*) FROM audit").await, 1);
}

const SLOW_BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(1)";

/// Gives up a `begin`, and returns how many transactions are open on the server once the connection is idle.
async fn open_after(
    base: &Base,
    site: &Site,
    mut begin: impl Future<Output: Debug> + Unpin,
) -> i64 {
    let mut holder = base.connect().await;
    holder.execute("SELECT pg_advisory_lock(1)").await.unwrap();
    base.begun(&mut begin, SLOW_BEGIN, 1).await;
    drop(begin);
    holder.close().await.unwrap();
    site.settled().await;
    base.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in trans%'")
        .await
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_begin_that_is_given_up_leaves_what_it_leaves_without_the_wrapper() {
    let (bare, measured) = (base().await, base().await);
    let site = bare.site(1).await;
    let begin = Box::pin(site.pool.inner().begin_with(SLOW_BEGIN));
    let expected = open_after(&bare, &site, begin).await;
    site.pool.close().await;
    let site = measured.site(1).await;
    let begin = Box::pin(site.pool.begin_with(SLOW_BEGIN));
    assert_eq!(open_after(&measured, &site, begin).await, expected);
    assert_eq!(site.count("BEGIN", "cancelled"), 1.0);
    assert_eq!(site.transactions(), [0.0, 0.0, 1.0]);
    site.is_quiet().await;
}

async fn panics(pool: Pool<Postgres>) {
    let mut tx = pool.begin().await.unwrap();
    tx.execute(UPDATE).await.unwrap();
    panic!("before the commit");
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_panic_rolls_back_and_gives_the_connection_back() {
    let base = base().await;
    let site = base.site(1).await;
    for _ in 0..3 {
        let task = tokio::spawn(panics(site.pool.clone()));
        assert!(task.await.unwrap_err().is_panic());
    }
    site.is_quiet().await;
    assert_eq!(base.paid().await, 0);
    assert_eq!(site.transactions(), [0.0, 0.0, 3.0]);
    assert_eq!(site.count("BEGIN", "ok"), 3.0);
    assert_eq!(site.count("UPDATE orders", "ok"), 3.0);
    assert_eq!(site.statements(), 6.0);
    assert_eq!(site.gauges(), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn begun_with_a_statement_of_ones_own() {
    let base = base().await;
    let site = base.site(1).await;
    let own = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY";
    let mut tx = site.pool.begin_with(own).await.unwrap();
    let refused = tx.execute(UPDATE).await;
    assert!(refused.is_err());
    // 25006: what is read only.
    assert_eq!(site.errors("UPDATE orders", "transaction"), 1.0);
    tx.rollback().await.unwrap();
    assert_eq!(site.by_verb("BEGIN"), 1.0);
    let none = site.pool.begin_with("SELECT 1").await;
    assert!(matches!(none, Err(sqlx::Error::BeginFailed)));
    assert_eq!(site.errors("SELECT", "transaction"), 1.0);
    assert_eq!(site.transactions(), [0.0, 1.0, 0.0]);
    drop(none);
    site.is_quiet().await;
}
