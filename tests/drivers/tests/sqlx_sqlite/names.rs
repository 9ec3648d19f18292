//! Statements that the user names, at call sites that are otherwise as they were.

use futures_util::TryStreamExt;
use plimsoll::db::TopBy;
use sqlx::{Executor, QueryBuilder, Row, Sqlite};

use crate::site::site;

const BY_ID: &str = "SELECT name FROM orders WHERE id = ?";

#[tokio::test]
async fn every_way_to_run_a_query_takes_a_name() {
    let site = site().await;
    let pool = &site.pool;
    let name: String = sqlx::query_scalar(BY_ID)
        .bind(1)
        .fetch_one(pool.named("orders.by_id"))
        .await
        .unwrap();
    assert_eq!(name, "one");
    let two = sqlx::query_as::<_, (String,)>(BY_ID).bind(2);
    let two = two.fetch_optional(pool.named("orders.by_id")).await;
    assert_eq!(two.unwrap(), Some(("two".to_owned(),)));
    let all = sqlx::query("SELECT * FROM orders").fetch_all(pool.named("orders.all"));
    assert_eq!(all.await.unwrap().len(), 3);
    let streamed = sqlx::query("SELECT * FROM orders").fetch(pool.named("orders.all"));
    assert_eq!(streamed.try_collect::<Vec<_>>().await.unwrap().len(), 3);
    let raw = pool.named("orders.all").execute("SELECT 1");
    raw.await.unwrap();
    let mut tx = pool.begin().await.unwrap();
    let built = &mut QueryBuilder::<Sqlite>::new("UPDATE orders SET name = ");
    let built = built.push_bind("zero").push(" WHERE id = 1").build();
    let changed = built.execute(tx.named("orders.rename")).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let row = sqlx::query(BY_ID).bind(1).fetch_one(&mut *tx).await;
    assert_eq!(row.unwrap().get::<String, _>(0), "zero");
    let missing = sqlx::query("SELECT * FROM nowhere").execute(tx.named("orders.lost"));
    assert!(missing.await.is_err());
    tx.rollback().await.unwrap();
    for (name, outcome, count) in [
        ("orders.by_id", "ok", 2.0),
        ("orders.all", "ok", 3.0),
        ("orders.rename", "ok", 1.0),
        ("orders.lost", "error", 1.0),
        ("SELECT orders", "ok", 1.0),
    ] {
        assert_eq!(site.count(name, outcome), count, "{name}");
    }
    assert_eq!(site.rows("orders.by_id"), 2.0);
    assert_eq!(site.rows("orders.all"), 6.0);
}

#[tokio::test]
async fn a_name_is_one_statement_whatever_the_text_and_waits_are_counted() {
    let site = site().await;
    site.plimsoll
        .database("shop")
        .open()
        .declare_queries(["orders.any"]);
    for column in 0..300 {
        let sql = format!("SELECT {column} AS c{column} FROM orders");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let row = query.fetch_one(site.pool.named("orders.any")).await;
        assert_eq!(row.unwrap().get::<i64, _>(0), column);
    }
    assert_eq!(site.count("orders.any", "ok"), 300.0);
    assert_eq!(site.value("plimsoll_statement_overflow_total", &[]), 0.0);
    assert_eq!(
        site.of_pool("connection_wait_duration_seconds_count"),
        300.0
    );
    let top = &site.plimsoll.top_queries(1, TopBy::Count)[0];
    assert_eq!((&*top.query, top.count), ("orders.any", 300));
}

#[tokio::test]
async fn a_stream_under_a_name_that_is_left_early_is_partial() {
    let site = site().await;
    {
        let mut rows = sqlx::query("SELECT * FROM orders").fetch(site.pool.named("orders.first"));
        assert!(rows.try_next().await.unwrap().is_some());
    }
    assert_eq!(site.count("orders.first", "partial"), 1.0);
}
