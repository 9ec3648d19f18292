//! A pool that is slow to lend is told apart from a database that is slow to answer.

use std::time::Duration;

use futures_util::{StreamExt, poll};
use plimsoll::Plimsoll;
use sqlx::Error;

use crate::site::{Gate, Site, options, site};

const ALL: &str = "SELECT * FROM orders";

#[tokio::test]
async fn connections_are_idle_or_lent_out() {
    let site = site().await;
    assert_eq!(site.gauges(), [1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let connection = site.pool.try_acquire().expect("one is idle");
    assert!(site.pool.try_acquire().is_none());
    assert_eq!(site.gauges(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    assert_eq!(site.pool.size(), 1);
    assert_eq!(site.pool.num_idle(), 0);
    let mut waiting = Box::pin(site.pool.acquire());
    assert!(poll!(&mut waiting).is_pending());
    assert_eq!(site.gauges(), [1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
    drop(waiting);
    drop(connection);
    assert_eq!(site.waits("cancelled"), 1.0);
    assert_eq!(site.of_pool("connection_pool_active"), 0.0);
}

#[tokio::test]
async fn an_exhausted_pool_is_no_slow_query() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let options = options().acquire_timeout(Duration::from_millis(20));
    let inner = options.connect_lazy("sqlite::memory:").unwrap();
    let site = Site::new(plimsoll, inner);
    // However slow the machine is to open it.
    let held = loop {
        if let Ok(held) = site.pool.acquire().await {
            break held;
        }
    };
    let before = site.waits("pool_timeout");
    let query = sqlx::query(ALL).fetch_all(&site.pool).await;
    assert!(matches!(query, Err(Error::PoolTimedOut)));
    let stream = sqlx::query(ALL).fetch(&site.pool).next().await;
    assert!(matches!(stream, Some(Err(Error::PoolTimedOut))));
    let begun = site.pool.begin().await;
    assert!(matches!(begun, Err(Error::PoolTimedOut)));
    drop(held);
    assert_eq!(site.statements(), 0.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    assert_eq!(site.waits("pool_timeout"), before + 3.0);
    assert_eq!(site.of_pool("connection_timeouts_total"), before + 3.0);
    assert_eq!(site.waits("ok"), 1.0);
    let waited = site.of_pool("connection_wait_duration_seconds_sum");
    assert!(waited >= 0.06, "{waited}");
}

#[tokio::test]
async fn a_closed_pool_has_no_connections() {
    let site = site().await;
    assert!(!site.pool.is_closed());
    site.pool.close().await;
    assert!(site.pool.is_closed());
    let query = sqlx::query(ALL).fetch_all(&site.pool).await;
    assert!(matches!(query, Err(Error::PoolClosed)));
    assert_eq!(site.statements(), 0.0);
    assert_eq!(site.waits("error"), 1.0);
    assert_eq!(site.waits("pool_timeout"), 0.0);
    assert_eq!(site.gauges(), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
}

#[tokio::test]
async fn a_cancelled_query_leaves_a_ghost() {
    let site = site().await;
    let gate = Gate::before(&site.pool).await;
    let shut = gate.shut().await;
    let mut query = Box::pin(sqlx::query(ALL).fetch_all(&site.pool));
    site.begun(&mut query).await;
    assert_eq!(site.gauges(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    drop(query);
    // Nobody has the connection, and it is not to be had.
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    let mut next = Box::pin(site.pool.acquire());
    assert!(poll!(&mut next).is_pending());
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    drop(shut);
    let connection = next.await.unwrap();
    assert_eq!(site.gauges(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    drop(connection);
    assert_eq!(site.count("SELECT orders", "cancelled"), 1.0);
}

#[tokio::test]
async fn what_left_the_pool_is_counted_all_the_same() {
    let site = site().await;
    let mut detached = site.pool.acquire().await.unwrap().detach();
    assert_eq!(site.gauges(), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    sqlx::query(ALL).fetch_all(&mut detached).await.unwrap();
    let mut leaked = site.pool.acquire().await.unwrap().leak();
    assert_eq!(site.gauges(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    sqlx::query("SELECT 1")
        .fetch_all(&mut leaked)
        .await
        .unwrap();
    assert_eq!(site.statements(), 2.0);
}

#[tokio::test]
async fn only_inner_is_not_counted() {
    let site = site().await;
    sqlx::query(ALL).fetch_all(site.pool.inner()).await.unwrap();
    let mut connection = site.pool.acquire().await.unwrap();
    sqlx::query(ALL)
        .fetch_all(connection.inner_mut())
        .await
        .unwrap();
    assert_eq!(site.statements(), 0.0);
    let inner = connection.into_inner();
    assert_eq!(site.gauges(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    drop(inner);
}

#[tokio::test]
async fn measuring_keeps_no_connection_open() {
    let site = site().await;
    let closed = site.pool.close_event();
    let Site { plimsoll, pool } = site;
    drop(pool);
    closed.await;
    let page = plimsoll.render();
    assert!(!page.contains("connection_pool_size{"), "{page}");
}

#[tokio::test]
async fn two_pools_and_a_name_that_is_taken() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let open = || options().connect("sqlite::memory:");
    plimsoll.gauge("connection_pool_ghosts").register().unwrap();
    let refused = plimsoll.sqlx_pool("shop", open().await.unwrap());
    assert!(refused.is_err());

    let plimsoll = Plimsoll::builder().build().unwrap();
    let two = plimsoll.sqlx_pool("two", open().await.unwrap()).unwrap();
    let site = Site::new(plimsoll, open().await.unwrap());
    let held = two.acquire().await.unwrap();
    let active = |pool| site.value("connection_pool_active", &[("pool", pool)]);
    assert_eq!((active("shop"), active("two")), (0.0, 1.0));
    drop(held);
}
