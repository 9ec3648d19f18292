//! What only PostgreSQL has, through the wrapper or knowingly past it.

use futures_util::TryStreamExt;
use plimsoll::db::sqlx::{Acquire, Connection, Pool, Transaction};
use sqlx::postgres::{
    PgAdvisoryLock, PgConnection, PgExecutor, PgListener, PgPoolCopyExt, PgTypeInfo,
};
use sqlx::{Executor, Postgres, QueryBuilder, SqlSafeStr, Statement};

use crate::base::base;

const COUNT: &str = "SELECT count(*) FROM orders";

/// sqlx' own name for whatever executes on PostgreSQL.
async fn count(executor: impl PgExecutor<'_>) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT).fetch_one(executor).await
}

async fn in_transaction<'a>(database: impl Acquire<'a, Database = Postgres>) -> sqlx::Result<i64> {
    let mut tx = database.begin().await?;
    let deleted = sqlx::query("DELETE FROM audit").execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(deleted.rows_affected() as i64)
}

/// Where sqlx has `PgPool`, `PgConnection` and `PgTransaction`.
type PgPool = Pool<Postgres>;

async fn by_type(
    pool: &PgPool,
    connection: &mut Connection<Postgres>,
    tx: &mut Transaction<'_, Postgres>,
) -> sqlx::Result<i64> {
    Ok(count(pool).await? + count(connection).await? + count(&mut **tx).await?)
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn executors_of_every_kind() {
    let base = base().await;
    let site = base.site(3).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let mut tx = site.pool.begin().await.unwrap();
    let counted = by_type(&site.pool, &mut connection, &mut tx).await.unwrap();
    assert_eq!(counted, 3000);
    assert_eq!(in_transaction(&mut tx).await.unwrap(), 0);
    assert_eq!(in_transaction(&mut connection).await.unwrap(), 0);
    assert_eq!(in_transaction(&site.pool).await.unwrap(), 0);
    tx.commit().await.unwrap();
    drop(connection);
    let (pool, ids) = (site.pool.clone(), vec![1_i64, 2, 3]);
    let task = tokio::spawn(async move {
        sqlx::query_scalar::<_, i64>("SELECT id FROM orders WHERE id = ANY($1)")
            .bind(ids)
            .fetch_all(&pool)
            .await
    });
    assert_eq!(task.await.unwrap().unwrap(), [1, 2, 3]);
    assert_eq!(site.count("SELECT orders", "ok"), 4.0);
    assert_eq!(site.count("DELETE audit", "ok"), 3.0);
    assert_eq!(site.transactions(), [3.0, 0.0, 0.0]);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn rows_that_an_insert_returns() {
    let base = base().await;
    let site = base.site(1).await;
    for rows in [1, 10, 100] {
        let mut insert = QueryBuilder::new("INSERT INTO audit (task, n) ");
        insert.push_values(0..rows, |mut row, n: i64| {
            row.push_bind(rows).push_bind(n);
        });
        let insert = insert.push(" RETURNING n").build();
        let returned = insert.fetch_all(&site.pool).await.unwrap();
        assert_eq!(returned.len() as i64, rows);
    }
    let top = site.plimsoll.top_queries(9, plimsoll::db::TopBy::Count);
    assert_eq!(top.len(), 1, "{top:?}");
    assert_eq!(top[0].count, 3);
    assert_eq!(site.rows("INSERT audit"), 111.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn statements_that_are_prepared_by_hand() {
    let base = base().await;
    let site = base.site(1).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let sql = "SELECT name FROM orders WHERE id = $1";
    let types = [PgTypeInfo::with_name("int8")];
    let statement = connection
        .prepare_with(sql.into_sql_str(), &types)
        .await
        .unwrap();
    for id in 1..=3_i64 {
        let name = statement.query_scalar::<String>().bind(id);
        let name = name.fetch_one(&mut *connection).await.unwrap();
        assert_eq!(name, format!("order {id}"));
    }
    assert!(
        connection
            .prepare("SELECT FROM WHERE".into_sql_str())
            .await
            .is_err()
    );
    for sql in [
        "PREPARE by_id (bigint) AS SELECT name FROM orders WHERE id = $1",
        "EXECUTE by_id(1)",
        "DEALLOCATE by_id",
        "DISCARD ALL",
        "RESET work_mem",
        "CHECKPOINT",
        "END",
    ] {
        connection.execute(sql).await.unwrap();
        let verb = sql.split(' ').next().unwrap();
        let labels = [("db_operation_name", verb), ("outcome", "ok")];
        let name = "db_client_operation_duration_seconds_count";
        let times = if verb == "PREPARE" { 2.0 } else { 1.0 };
        assert_eq!(site.value(name, &labels), times, "{sql}");
    }
    assert_eq!(site.count("SELECT orders", "ok"), 3.0);
    assert_eq!(site.errors("PREPARE", "syntax"), 1.0);
    drop(connection);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn copying_is_of_the_driver() {
    let base = base().await;
    let site = base.site(1).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let driver: &mut PgConnection = connection.inner_mut();
    let mut copy = driver.copy_in_raw("COPY audit FROM STDIN").await.unwrap();
    copy.send("1\t1\n2\t2\n".as_bytes()).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 2);
    // What is not seen can still be timed.
    let out = async {
        let out = driver.copy_out_raw("COPY audit TO STDOUT").await?;
        out.try_fold(0, async |all, piece| Ok(all + piece.len()))
            .await
    };
    let copied = site.plimsoll.db("audit").time("copy", out).await;
    assert_eq!(copied.unwrap(), 8);
    drop(connection);
    site.settled().await;
    let mut copy = (site.pool.inner().copy_in_raw("COPY audit FROM STDIN"))
        .await
        .unwrap();
    copy.send("3\t3\n".as_bytes()).await.unwrap();
    assert_eq!(copy.finish().await.unwrap(), 1);
    assert_eq!(base.number("SELECT count(*) FROM audit").await, 3);
    assert_eq!(site.statements(), 1.0);
    // As any statement it is refused, and the connection is none the worse for it.
    let refused = sqlx::query("COPY audit FROM STDIN")
        .execute(&site.pool)
        .await;
    assert!(refused.is_err());
    assert_eq!(site.statements(), 2.0);
    assert_eq!(count(&site.pool).await.unwrap(), 1000);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn listeners_and_locks_ask_for_the_driver() {
    let base = base().await;
    let site = base.site(2).await;
    let mut listener = PgListener::connect_with(site.pool.inner()).await.unwrap();
    listener.listen("orders").await.unwrap();
    // It keeps its connection for as long as it lives, and nobody here lent it.
    assert_eq!(site.of_pool("connection_pool_ghosts"), 1.0);
    sqlx::query("SELECT pg_notify('orders', $1)")
        .bind("paid")
        .execute(&site.pool)
        .await
        .unwrap();
    assert_eq!(listener.recv().await.unwrap().payload(), "paid");
    drop(listener);
    let lock = PgAdvisoryLock::new("orders");
    let mut connection = site.pool.acquire().await.unwrap();
    let guard = lock.acquire(connection.inner_mut()).await.unwrap();
    guard.release_now().await.unwrap();
    connection.execute("LISTEN orders").await.unwrap();
    connection.execute("UNLISTEN *").await.unwrap();
    connection.execute("NOTIFY orders, 'paid'").await.unwrap();
    drop(connection);
    for verb in ["SELECT", "LISTEN", "NOTIFY", "UNLISTEN"] {
        assert_eq!(site.count(verb, "ok"), 1.0, "{verb}");
    }
    assert_eq!(site.statements(), 4.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn migrations() {
    let base = base().await;
    let site = base.site(2).await;
    for _ in 0..2 {
        let migrations = sqlx::migrate!("tests/postgres/migrations");
        migrations.run(&site.pool).await.unwrap();
    }
    assert_eq!(base.number("SELECT count(*) FROM customers").await, 0);
    assert_eq!(site.of_pool("connections_unmeasured_total"), 2.0);
    assert_eq!(site.statements(), 0.0);
    site.is_quiet().await;
}
