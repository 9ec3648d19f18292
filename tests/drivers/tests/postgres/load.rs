//! As many statements as the server says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use plimsoll::db::{TopBy, sqlx::Pool};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, Row};

use crate::base::{Base, Site, base, until};

const TASKS: i64 = 16;
const ROUNDS: i64 = 625;

/// What one round of one task executes.
const STATEMENTS: i64 = 10;

/// Ten statements of nine kinds.
async fn round(pool: &Pool<Postgres>, task: i64, n: i64) -> sqlx::Result<()> {
    let id = 1 + (task * ROUNDS + n) % 1000;
    sqlx::query("SELECT name, paid FROM orders WHERE id = $1")
        .bind(id)
        .fetch_one(pool)
        .await?;
    sqlx::query("INSERT INTO audit (task, n) VALUES ($1, $2)")
        .bind(task)
        .bind(n)
        .execute(pool)
        .await?;
    // Lists of ten sizes, in either way of asking for them.
    let mut several = QueryBuilder::new("SELECT id FROM orders WHERE id IN (");
    let mut ids = several.separated(", ");
    for id in id..=id + n % 10 {
        ids.push_bind(id);
    }
    several.push(")").build().fetch_all(pool).await?;
    let literal = format!("SELECT count(*) FROM orders WHERE id > {id} AND name <> 'it''s {n}'");
    sqlx::raw_sql(AssertSqlSafe(literal))
        .fetch_one(pool)
        .await?;
    let mut all = sqlx::query("SELECT id FROM orders WHERE id <= 20").fetch(pool);
    let mut rows = 0;
    while all.try_next().await?.is_some() {
        rows += 1;
    }
    assert_eq!(rows, 20);
    drop(all);
    let mut first = sqlx::query("SELECT paid FROM orders WHERE id <= 3").fetch(pool);
    first.try_next().await?.expect("three orders");
    drop(first);
    let none = sqlx::query_scalar::<_, i64>("SELECT paid FROM orders WHERE id = 0");
    assert_eq!(none.fetch_optional(pool).await?, None);
    let mut tx = pool.begin().await?;
    sqlx::query("UPDATE orders SET paid = paid + 1 WHERE id = $1")
        .bind(id)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_hundred_thousand_statements_are_those_of_the_server() {
    let base = base().await;
    let site = base.site(8).await;
    let pool = Arc::new(site.pool.clone());
    let tasks = (0..TASKS).map(|task| {
        let pool = pool.clone();
        tokio::spawn(async move {
            for n in 0..ROUNDS {
                round(&pool, task, n).await.expect("a round");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    let rounds = (TASKS * ROUNDS) as f64;
    assert_eq!(counted(&site), told(&base).await);
    assert_eq!(site.statements(), rounds * STATEMENTS as f64);
    assert_eq!(site.statements(), 100_000.0);
    assert_eq!(site.count("SELECT orders", "partial"), rounds);
    assert_eq!(site.count("SELECT orders", "ok"), 5.0 * rounds);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    assert_eq!(site.transactions(), [rounds, 0.0, 0.0]);
    // One wait for each statement, and one for each transaction of three.
    assert_eq!(site.waits("ok"), 8.0 * rounds);
    site.is_quiet().await;
    assert!(site.pool.size() <= 8);
}

/// Sleeps of up to 7 ms under timeouts of up to 7 ms; returns how many ended, and how many did not.
async fn impatient(pool: Pool<Postgres>, task: u64) -> [u32; 2] {
    let mut ends = [0, 0];
    for n in 0..100 {
        let asleep = (task + n) as f64 % 8.0 / 1000.0;
        let query = sqlx::query("SELECT pg_sleep($1)").bind(asleep);
        let patience = Duration::from_millis((task + n) / 3 % 8);
        match tokio::time::timeout(patience, query.execute(&pool)).await {
            Ok(result) => {
                result.expect("no error");
                ends[0] += 1;
            }
            Err(_) => ends[1] += 1,
        }
    }
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn whoever_gives_up_under_load_is_counted_once() {
    let base = base().await;
    // All open from the beginning and never looked at: whoever gives up while one is opened or tested loses it.
    let options = PgPoolOptions::new().max_connections(4).min_connections(4);
    let site = base.site_with(options.test_before_acquire(false)).await;
    until(async || site.pool.num_idle() == 4).await;
    let tasks = (0..16).map(|task| tokio::spawn(impatient(site.pool.clone(), task)));
    let (mut ended, mut given_up) = (0, 0);
    for task in tasks.collect::<Vec<_>>() {
        let ends = task.await.expect("no panic");
        (ended, given_up) = (ended + ends[0], given_up + ends[1]);
    }
    assert_eq!(ended + given_up, 1600);
    assert_eq!(site.count("SELECT", "ok"), f64::from(ended));
    // Either while it waited for a connection, or while it waited for the server.
    let cancelled = site.count("SELECT", "cancelled");
    assert_eq!(cancelled + site.waits("cancelled"), f64::from(given_up));
    assert_eq!(site.statements(), f64::from(ended) + cancelled);
    assert_eq!(site.statements(), site.waits("ok"));
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    assert!(ended > 0 && cancelled > 0.0, "{ended} and {cancelled}");
    site.is_quiet().await;
    assert_eq!(site.gauges(), [4.0, 4.0, 0.0, 0.0, 0.0, 4.0]);
}

/// What we have counted, by text without spaces.
fn counted(site: &Site) -> BTreeMap<String, i64> {
    let top = site.plimsoll.top_queries(usize::MAX, TopBy::Count);
    let counted: Vec<_> = (top.into_iter())
        .map(|query| (query.text.replace(' ', ""), query.count as i64))
        .collect();
    let distinct: BTreeMap<_, _> = counted.iter().cloned().collect();
    assert_eq!(distinct.len(), counted.len(), "{counted:?}");
    distinct
}

/// What the server has counted, by text without spaces.
async fn told(base: &Base) -> BTreeMap<String, i64> {
    let mut told = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT query, calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
         WHERE datname = current_database() AND query NOT LIKE '%pg_stat_statements%'",
    )
    .fetch_all(&mut base.connect().await)
    .await
    .expect("its statistics");
    for row in rows {
        *told.entry(without_sizes(row.get("query"))).or_default() += row.get::<i64, _>("calls");
    }
    told
}

/// The server numbers what it leaves out of a text, and takes lists of different lengths for different statements.
fn without_sizes(text: &str) -> String {
    let mut pieces = text.split('$');
    let mut without = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        without.push('?');
        without.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    while without.contains("?, ?") {
        without = without.replace("?, ?", "?");
    }
    without.replace(' ', "")
}
