//! Transactions do what they did, and how they end is counted.

use sqlx::{Executor, Sqlite};

use plimsoll::db::sqlx::Pool;

use crate::site::{Site, site};

const COUNT: &str = "SELECT count(*) FROM orders";

impl Site {
    async fn orders(&self) -> i64 {
        sqlx::query_scalar(COUNT)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn ends_are_told_apart() {
    let site = site().await;
    assert_eq!(site.transactions(), [0.0, 0.0, 0.0]);
    let tx = site.pool.begin().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute("DELETE FROM orders").await.unwrap();
    tx.rollback().await.unwrap();
    let mut tx = site.pool.begin().await.unwrap();
    tx.execute("DELETE FROM orders").await.unwrap();
    drop(tx);
    assert_eq!(site.orders().await, 3);
    assert_eq!(site.transactions(), [1.0, 1.0, 1.0]);
    assert_eq!(site.count("BEGIN", "ok"), 3.0);
    assert_eq!(site.count("COMMIT", "ok"), 1.0);
    // The rollback of the one that was dropped: nobody waited for it.
    assert_eq!(site.count("ROLLBACK", "ok"), 1.0);
}

#[tokio::test]
async fn nested() {
    let site = site().await;
    let mut outer = site.pool.begin().await.unwrap();
    let mut inner = outer.begin().await.unwrap();
    inner
        .execute("DELETE FROM orders WHERE id = 1")
        .await
        .unwrap();
    let mut innermost = inner.begin().await.unwrap();
    assert!(innermost.is_in_transaction());
    innermost.execute("DELETE FROM orders").await.unwrap();
    innermost.rollback().await.unwrap();
    inner.commit().await.unwrap();
    let mut dropped = outer.begin().await.unwrap();
    dropped.execute("DELETE FROM orders").await.unwrap();
    drop(dropped);
    outer.commit().await.unwrap();
    assert_eq!(site.orders().await, 2);
    assert_eq!(site.transactions(), [1.0, 0.0, 0.0]);
    for (operation, times) in [
        ("BEGIN", 1.0),
        ("SAVEPOINT", 3.0),
        ("ROLLBACK", 1.0),
        ("RELEASE", 1.0),
        ("COMMIT", 1.0),
    ] {
        let labels = [("db_operation_name", operation), ("outcome", "ok")];
        let count = site.value("db_client_operation_duration_seconds_count", &labels);
        assert_eq!(count, times, "{operation}");
    }
}

#[tokio::test]
async fn begun_with_a_statement_of_ones_own() {
    let site = site().await;
    let mut tx = site.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let again = tx.begin_with("BEGIN IMMEDIATE").await;
    assert!(matches!(again, Err(sqlx::Error::InvalidSavePointStatement)));
    drop(again);
    tx.execute("DELETE FROM orders").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(site.orders().await, 0);
    assert_eq!(site.transactions(), [1.0, 0.0, 0.0]);
    site.settled().await;
    assert!(site.pool.try_begin().await.unwrap().is_some());
}

async fn panics(pool: Pool<Sqlite>) {
    let mut tx = pool.begin().await.unwrap();
    tx.execute("DELETE FROM orders").await.unwrap();
    panic!("before the commit");
}

#[tokio::test]
async fn a_panic_rolls_back() {
    let site = site().await;
    let task = tokio::spawn(panics(site.pool.clone()));
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(site.orders().await, 3);
    assert_eq!(site.transactions(), [0.0, 0.0, 1.0]);
    assert_eq!(site.count("DELETE orders", "ok"), 1.0);
    assert_eq!(site.of_pool("connection_pool_active"), 0.0);
}

#[tokio::test]
async fn by_a_callback() {
    let site = site().await;
    let mut connection = site.pool.acquire().await.unwrap();
    let kept = connection
        .transaction(|tx| {
            Box::pin(async move {
                tx.execute("DELETE FROM orders WHERE id = 1").await?;
                Ok::<_, sqlx::Error>(7)
            })
        })
        .await;
    assert_eq!(kept.unwrap(), 7);
    let failed = connection
        .transaction(|tx| {
            Box::pin(async move {
                tx.execute("DELETE FROM orders").await?;
                Err::<(), _>(sqlx::Error::RowNotFound)
            })
        })
        .await;
    assert!(failed.is_err());
    drop(connection);
    assert_eq!(site.orders().await, 2);
    assert_eq!(site.transactions(), [1.0, 1.0, 0.0]);
}
