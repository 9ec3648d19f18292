//! Code that does not know what it is given.

use plimsoll::db::sqlx::{Acquire, Connection, Pool};
use sqlx::{Database, Executor, IntoArguments, Sqlite};

use crate::site::site;

const COUNT: &str = "SELECT count(*) FROM orders";

/// As people write it: with sqlx' trait, of one database.
async fn count<'e, E: Executor<'e, Database = Sqlite>>(executor: E) -> sqlx::Result<i64> {
    sqlx::query_scalar(COUNT).fetch_one(executor).await
}

#[tokio::test]
async fn any_executor() {
    let site = site().await;
    assert_eq!(count(&site.pool).await.unwrap(), 3);
    let mut connection = site.pool.acquire().await.unwrap();
    assert_eq!(count(&mut *connection).await.unwrap(), 3);
    drop(connection);
    let mut tx = site.pool.begin().await.unwrap();
    assert_eq!(count(&mut *tx).await.unwrap(), 3);
    drop(tx);
    assert_eq!(site.count("SELECT orders", "ok"), 3.0);
}

/// With our trait: the same code, each statement counted.
async fn twice<'a, A: Acquire<'a, Database = Sqlite>>(database: A) -> sqlx::Result<i64> {
    let mut connection = database.acquire().await?;
    let first: i64 = sqlx::query_scalar(COUNT)
        .fetch_one(&mut *connection)
        .await?;
    let second: i64 = sqlx::query_scalar(COUNT)
        .fetch_one(&mut *connection)
        .await?;
    Ok(first + second)
}

async fn in_transaction<'a>(database: impl Acquire<'a, Database = Sqlite>) -> sqlx::Result<()> {
    let mut tx = database.begin().await?;
    sqlx::query("DELETE FROM orders").execute(&mut *tx).await?;
    tx.rollback().await
}

#[tokio::test]
async fn whoever_lends_a_connection() {
    let site = site().await;
    assert_eq!(twice(&site.pool).await.unwrap(), 6);
    let mut connection = site.pool.acquire().await.unwrap();
    assert_eq!(twice(&mut connection).await.unwrap(), 6);
    assert_eq!(twice(&mut *connection).await.unwrap(), 6);
    in_transaction(&mut connection).await.unwrap();
    drop(connection);
    let mut tx = site.pool.begin().await.unwrap();
    assert_eq!(twice(&mut tx).await.unwrap(), 6);
    in_transaction(&mut tx).await.unwrap();
    drop(tx);
    in_transaction(&site.pool).await.unwrap();
    assert_eq!(site.count("SELECT orders", "ok"), 8.0);
    assert_eq!(site.count("DELETE orders", "ok"), 3.0);
    assert_eq!(site.of_pool("connections_unmeasured_total"), 0.0);
}

mod foreign {
    use sqlx::{Acquire, Sqlite};

    /// With sqlx' trait, which hands out the driver's connection.
    pub(super) async fn count<'a, A>(database: A) -> sqlx::Result<i64>
    where
        A: Acquire<'a, Database = Sqlite>,
    {
        let mut connection = database.acquire().await?;
        sqlx::query_scalar(super::COUNT)
            .fetch_one(&mut *connection)
            .await
    }

    pub(super) async fn in_transaction<'a, A>(database: A) -> sqlx::Result<()>
    where
        A: Acquire<'a, Database = Sqlite>,
    {
        let mut tx = database.begin().await?;
        sqlx::query("DELETE FROM orders").execute(&mut *tx).await?;
        tx.commit().await
    }
}

#[tokio::test]
async fn foreign_code_works_and_is_not_silent() {
    let site = site().await;
    assert_eq!(foreign::count(&site.pool).await.unwrap(), 3);
    let mut connection = site.pool.acquire().await.unwrap();
    assert_eq!(foreign::count(&mut connection).await.unwrap(), 3);
    drop(connection);
    let mut tx = site.pool.begin().await.unwrap();
    assert_eq!(foreign::count(&mut tx).await.unwrap(), 3);
    foreign::in_transaction(&mut tx).await.unwrap();
    drop(tx);
    foreign::in_transaction(&site.pool).await.unwrap();
    assert_eq!(foreign::count(&site.pool).await.unwrap(), 0);
    assert_eq!(site.of_pool("connections_unmeasured_total"), 6.0);
    assert_eq!(site.count("SELECT orders", "ok"), 0.0);
    // The waits of each are counted.
    let waits = site.of_pool("connection_wait_duration_seconds_count");
    assert_eq!(waits, 5.0);
}

/// Of any database: sqlx' own bound is enough.
async fn run<DB>(pool: &Pool<DB>, sql: &'static str) -> sqlx::Result<()>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    sqlx::query(sql).execute(pool).await?;
    let mut connection = pool.acquire().await?;
    on(&mut connection, sql).await
}

async fn on<DB>(connection: &mut Connection<DB>, sql: &'static str) -> sqlx::Result<()>
where
    DB: Database,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    sqlx::query(sql).execute(&mut *connection).await?;
    Ok(())
}

#[tokio::test]
async fn any_database() {
    let site = site().await;
    run(&site.pool, "DELETE FROM orders").await.unwrap();
    assert_eq!(site.count("DELETE orders", "ok"), 2.0);
}

#[tokio::test]
async fn in_a_task_of_its_own() {
    let site = site().await;
    let pool = site.pool.clone();
    let task = tokio::spawn(async move {
        let mut tx = pool.begin().await?;
        let in_it = count(&mut *tx).await?;
        tx.commit().await?;
        Ok::<_, sqlx::Error>(in_it + twice(&pool).await?)
    });
    assert_eq!(task.await.unwrap().unwrap(), 9);
    assert_eq!(site.count("SELECT orders", "ok"), 3.0);
}

#[test]
fn what_may_cross_threads() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    fn sent<T: Send + std::fmt::Debug>() {}
    shared::<Pool<Sqlite>>();
    sent::<Connection<Sqlite>>();
    sent::<plimsoll::db::sqlx::PoolConnection<Sqlite>>();
    sent::<plimsoll::db::sqlx::Transaction<'_, Sqlite>>();
}
