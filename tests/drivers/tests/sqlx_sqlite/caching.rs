//! Statements are prepared and kept exactly as without the wrapper.

use plimsoll::db::sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor, QueryBuilder, Sqlite};

use crate::site::site;

/// A mixture of everything that may or may not be kept; returns how many statements are after each step.
macro_rules! kept_after_each_step {
    ($connection:expr) => {{
        let connection = $connection;
        let mut kept = Vec::new();
        macro_rules! step {
            ($query:expr) => {
                $query.await.unwrap();
                // The driver's thread counts behind its answers; after one more question it has.
                connection.ping().await.unwrap();
                kept.push(connection.cached_statements_size());
            };
        }
        step!(connection.execute("CREATE TABLE t (a INTEGER, b TEXT)"));
        step!(
            sqlx::query("INSERT INTO t VALUES (?, ?)")
                .bind(1)
                .bind("x")
                .execute(&mut *connection)
        );
        step!(
            sqlx::query("INSERT INTO t VALUES (?, ?)")
                .bind(2)
                .bind("y")
                .execute(&mut *connection)
        );
        step!(
            sqlx::query("SELECT * FROM t")
                .persistent(false)
                .fetch_all(&mut *connection)
        );
        step!(sqlx::query("SELECT * FROM t").fetch_optional(&mut *connection));
        step!(sqlx::query_scalar::<_, i64>("SELECT a FROM t").fetch_one(&mut *connection));
        step!(
            sqlx::query_scalar::<_, i64>("SELECT a + 1 FROM t")
                .persistent(false)
                .fetch_one(&mut *connection)
        );
        step!(sqlx::query!("SELECT id, name FROM orders").fetch_all(&mut *connection));
        step!(
            sqlx::query!("SELECT id, name FROM orders WHERE id = ?", 1)
                .fetch_optional(&mut *connection)
        );
        step!(sqlx::raw_sql("SELECT 1; SELECT 2").execute(&mut *connection));
        step!(connection.fetch_all("SELECT 3"));
        step!(
            QueryBuilder::<Sqlite>::new("SELECT 4")
                .build()
                .execute(&mut *connection)
        );
        step!(
            QueryBuilder::<Sqlite>::new("SELECT 5")
                .build()
                .persistent(false)
                .execute(&mut *connection)
        );
        step!(connection.clear_cached_statements());
        kept
    }};
}

#[tokio::test]
async fn as_many_statements_are_kept_after_each_step() {
    let orders = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL)";
    let mut bare = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    bare.execute(orders).await.unwrap();
    let expected = kept_after_each_step!(&mut bare);

    let site = site().await;
    let inner = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let mut measured: Connection<Sqlite> = site.plimsoll.sqlx_connection("alone", inner).unwrap();
    measured.execute(orders).await.unwrap();
    let kept = kept_after_each_step!(&mut measured);

    assert_eq!(kept, expected);
    // Some are kept, some are not, and forgetting is forgetting.
    assert!(
        expected.contains(&1) && expected.contains(&5),
        "{expected:?}"
    );
    assert_eq!(expected.last(), Some(&0));
}

#[tokio::test]
async fn a_pool_keeps_a_statement_of_a_hundred_runs_once() {
    let site = site().await;
    for id in 0..100 {
        sqlx::query("SELECT * FROM orders WHERE id = ?")
            .bind(id)
            .fetch_optional(&site.pool)
            .await
            .unwrap();
    }
    let connection = site.pool.acquire().await.unwrap();
    assert_eq!(connection.cached_statements_size(), 1);
}
