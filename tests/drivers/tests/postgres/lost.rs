//! What a client gives up and what a server takes away.

use std::time::Duration;

use futures_util::poll;
use plimsoll::db::sqlx::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Error, Postgres};

use crate::base::{base, until};

const SLEEP: &str = "SELECT pg_sleep(600)";

async fn pid(connection: &mut PoolConnection<Postgres>) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut **connection)
        .await
        .expect("a number")
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn what_a_client_gives_up_is_cancelled_and_leaves_a_ghost() {
    let base = base().await;
    let site = base.site(4).await;
    for n in 1..=3 {
        let query = sqlx::query(SLEEP).execute(&site.pool);
        let mut query = Box::pin(query);
        base.begun(&mut query, SLEEP, n).await;
        assert_eq!(site.in_flight(), 1.0);
        let waited = tokio::time::timeout(Duration::from_millis(20), query).await;
        assert!(waited.is_err());
        assert_eq!(site.count("SELECT", "cancelled"), n as f64);
        assert_eq!(site.in_flight(), 0.0);
        // The server goes on, and nobody has the connection.
        assert_eq!(base.running(SLEEP).await, n);
        assert_eq!(site.of_pool("connection_pool_ghosts"), n as f64);
        assert_eq!(site.of_pool("connection_pool_active"), 0.0);
    }
    let lasted = site.value("db_client_operation_duration_seconds_sum", &[]);
    assert!((0.06..600.0).contains(&lasted), "{lasted}");
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    // One connection is left, and good for any number of queries.
    for _ in 0..10 {
        let query = sqlx::query("SELECT name FROM orders WHERE id = 1");
        query.fetch_one(&site.pool).await.expect("an order");
    }
    until(async || site.pool.num_idle() == 1).await;
    assert_eq!(site.gauges(), [4.0, 1.0, 0.0, 3.0, 0.0, 4.0]);
    assert_eq!(base.to_running("pg_cancel_backend", SLEEP).await, 3);
    site.is_quiet().await;
    // What was cancelled answers with an error, at which the pool closes the connection.
    assert_eq!(site.gauges(), [1.0, 1.0, 0.0, 0.0, 0.0, 4.0]);
    let delete = || sqlx::query("DELETE FROM audit").execute(&site.pool);
    let four = tokio::try_join!(delete(), delete(), delete(), delete());
    four.expect("as many connections as ever");
    site.is_quiet().await;
    // Of the end of what was given up nothing is counted any more.
    assert_eq!(site.count("SELECT", "cancelled"), 3.0);
    assert_eq!(site.count("SELECT orders", "ok"), 10.0);
    assert_eq!(site.statements(), 17.0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_ghost_whose_statement_ends_is_a_connection_again() {
    const LOCK: &str = "SELECT pg_advisory_xact_lock(1)";
    let base = base().await;
    let site = base.site(1).await;
    let mut holder = base.connect().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query(LOCK).execute(&mut *held).await.unwrap();
    let mut query = Box::pin(sqlx::query(LOCK).execute(&site.pool));
    base.begun(&mut query, LOCK, 1).await;
    drop(query);
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    // With a pool of one, that is all of it.
    let mut next = Box::pin(sqlx::query("DELETE FROM audit").execute(&site.pool));
    assert!(poll!(&mut next).is_pending());
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    held.rollback().await.unwrap();
    next.await.unwrap();
    site.is_quiet().await;
    assert_eq!(site.gauges(), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(site.count("SELECT", "cancelled"), 1.0);
    assert_eq!(site.statements(), 2.0);
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_backend_that_is_killed_is_a_lost_connection() {
    let base = base().await;
    let site = base.site(2).await;
    let query = sqlx::query(SLEEP).execute(&site.pool);
    let mut query = Box::pin(query);
    base.begun(&mut query, SLEEP, 1).await;
    assert_eq!(base.to_running("pg_terminate_backend", SLEEP).await, 1);
    let lost = query.await;
    assert!(is_lost(lost.as_ref().map(drop)), "{lost:?}");
    assert_eq!(site.errors("SELECT", "connection"), 1.0);
    let after = sqlx::query("SELECT id FROM orders").fetch_all(&site.pool);
    assert_eq!(after.await.expect("orders").len(), 1000);
    site.is_quiet().await;
    assert_eq!(site.statements(), 2.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 1.0);
}

fn is_lost(result: Result<(), &Error>) -> bool {
    match result {
        Err(Error::Io(_)) => true,
        Err(Error::Database(error)) => error.code().as_deref() == Some("57P01"),
        _ => false,
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn between_two_statements_and_in_a_transaction_as_well() {
    let base = base().await;
    let site = base.site(2).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let pid = pid(&mut connection).await;
    base.kill(pid).await;
    let lost = sqlx::query("DELETE FROM audit")
        .execute(&mut *connection)
        .await;
    assert!(is_lost(lost.as_ref().map(drop)), "{lost:?}");
    drop(connection);
    let mut tx = site.pool.begin().await.unwrap();
    let query = sqlx::query(SLEEP).execute(&mut *tx);
    let mut query = Box::pin(query);
    base.begun(&mut query, SLEEP, 1).await;
    base.to_running("pg_terminate_backend", SLEEP).await;
    assert!(query.await.is_err());
    let committed = tx.commit().await;
    assert!(matches!(committed, Err(Error::Io(_))), "{committed:?}");
    let lost = site.value("db_client_errors_total", &[("error_type", "connection")]);
    assert_eq!(lost, 3.0);
    assert_eq!(site.errors("COMMIT", "connection"), 1.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 3.0);
    assert_eq!(site.transactions(), [0.0, 0.0, 1.0]);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn of_an_idle_connection_that_died_nobody_hears() {
    let base = base().await;
    let site = base.site(1).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let first = pid(&mut connection).await;
    drop(connection);
    site.settled().await;
    base.kill(first).await;
    let mut connection = site.pool.acquire().await.unwrap();
    assert_ne!(pid(&mut connection).await, first);
    drop(connection);
    assert_eq!(site.statements(), 2.0);
    assert_eq!(site.count("SELECT", "ok"), 2.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn unless_the_pool_does_not_look() {
    let base = base().await;
    let options = PgPoolOptions::new().max_connections(1);
    let site = base.site_with(options.test_before_acquire(false)).await;
    let mut connection = site.pool.acquire().await.unwrap();
    let first = pid(&mut connection).await;
    drop(connection);
    site.settled().await;
    base.kill(first).await;
    let lost = sqlx::query("DELETE FROM audit").execute(&site.pool).await;
    assert!(is_lost(lost.as_ref().map(drop)), "{lost:?}");
    assert_eq!(site.errors("DELETE audit", "connection"), 1.0);
    let next = sqlx::query("DELETE FROM audit").execute(&site.pool).await;
    assert!(next.is_ok());
    assert_eq!(site.statements(), 3.0);
    site.is_quiet().await;
}
