//! Streams of rows, read to their end or not.

use futures_util::{StreamExt, TryStreamExt};

use crate::base::base;

const ALL: &str = "SELECT * FROM orders";

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn read_to_the_end_they_are_ok_and_left_early_partial() {
    let base = base().await;
    let site = base.site(2).await;
    let read = sqlx::query(ALL).fetch(&site.pool).count().await;
    assert_eq!(read, 1000);
    assert_eq!(site.count("SELECT orders", "ok"), 1.0);
    assert_eq!(site.rows("SELECT orders"), 1000.0);
    for _ in 0..2 {
        let mut rows = sqlx::query(ALL).fetch(&site.pool);
        rows.try_next().await.unwrap().expect("a thousand orders");
    }
    assert_eq!(site.count("SELECT orders", "partial"), 2.0);
    assert_eq!(site.rows("SELECT orders"), 1002.0);
    // On a connection of one's own, which is good for the next statement at once.
    let mut connection = site.pool.acquire().await.unwrap();
    let mut rows = sqlx::query(ALL).fetch(&mut *connection);
    rows.try_next().await.unwrap().expect("a thousand orders");
    drop(rows);
    let all = sqlx::query(ALL).fetch_all(&mut *connection).await.unwrap();
    assert_eq!(all.len(), 1000);
    drop(connection);
    assert_eq!(site.count("SELECT orders", "partial"), 3.0);
    assert_eq!(site.count("SELECT orders", "ok"), 2.0);
    assert_eq!(site.statements(), 5.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn an_error_behind_some_rows_is_an_error() {
    let base = base().await;
    let site = base.site(1).await;
    let late = "SELECT 1 / (500 - n) FROM generate_series(1, 600) n";
    let mut rows = sqlx::query(late).fetch(&site.pool);
    let mut read = 0;
    let error = loop {
        match rows.next().await.expect("an error before the end") {
            Ok(_) => read += 1,
            Err(error) => break error,
        }
    };
    drop(rows);
    let code = error.as_database_error().and_then(|error| error.code());
    assert_eq!(code.as_deref(), Some("22012"));
    assert_eq!(read, 499);
    assert_eq!(site.errors("SELECT", "data"), 1.0);
    assert_eq!(site.rows("SELECT"), 499.0);
    assert_eq!(site.statements(), 1.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn several_statements_in_one_text_are_one() {
    let base = base().await;
    let site = base.site(1).await;
    let several = sqlx::raw_sql("SELECT 1; SELECT id FROM orders; DELETE FROM audit");
    let read = several.fetch(&site.pool).count().await;
    assert_eq!(read, 1001);
    assert_eq!(site.count("SELECT orders audit", "ok"), 1.0);
    assert_eq!(site.rows("SELECT orders audit"), 1001.0);
    assert_eq!(site.statements(), 1.0);
    site.is_quiet().await;
}
