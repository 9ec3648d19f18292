//! A pool that has nothing to lend is told apart from a database that is slow to answer.

use std::time::Duration;

use futures_util::{StreamExt, poll};
use plimsoll::Plimsoll;
use plimsoll::db::sqlx::PoolConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Error, Postgres};

use crate::base::{Site, base, until};

const ALL: &str = "SELECT * FROM orders";

impl Site {
    /// However slow the machine is to open it.
    async fn held(&self) -> PoolConnection<Postgres> {
        loop {
            match self.pool.acquire().await {
                Ok(held) => return held,
                Err(Error::PoolTimedOut) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn an_exhausted_pool_is_no_slow_query() {
    let base = base().await;
    let options = PgPoolOptions::new().max_connections(2);
    let options = options.acquire_timeout(Duration::from_millis(50));
    let inner = options.connect_lazy_with(base.options());
    let site = Site::new(Plimsoll::builder().build().unwrap(), inner);
    let held = [site.held().await, site.held().await];
    let before = site.waits("pool_timeout");
    let mut waiting = [
        Box::pin(sqlx::query(ALL).fetch_all(&site.pool)),
        Box::pin(sqlx::query(ALL).fetch_all(&site.pool)),
    ];
    for query in &mut waiting {
        assert!(poll!(query).is_pending());
    }
    assert_eq!(site.gauges(), [2.0, 0.0, 2.0, 0.0, 2.0, 2.0]);
    for query in waiting {
        assert!(matches!(query.await, Err(Error::PoolTimedOut)));
    }
    let stream = sqlx::query(ALL).fetch(&site.pool).next().await;
    assert!(matches!(stream, Some(Err(Error::PoolTimedOut))));
    let begun = site.pool.begin().await;
    assert!(matches!(begun, Err(Error::PoolTimedOut)));
    assert_eq!(site.gauges(), [2.0, 0.0, 2.0, 0.0, 0.0, 2.0]);
    assert_eq!(site.statements(), 0.0);
    assert_eq!(site.value("db_client_errors_total", &[]), 0.0);
    assert_eq!(site.waits("pool_timeout"), before + 4.0);
    assert_eq!(site.of_pool("connection_timeouts_total"), before + 4.0);
    let waited = site.of_pool("connection_wait_duration_seconds_sum");
    assert!(waited >= 0.2, "{waited}");
    drop(held);
    site.settled().await;
    sqlx::query(ALL).fetch_all(&site.pool).await.unwrap();
    assert_eq!(site.count("SELECT orders", "ok"), 1.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn who_waits_for_a_connection_waits_apart_from_the_query() {
    let base = base().await;
    let site = base.site(1).await;
    let held = site.pool.acquire().await.unwrap();
    let mut query = Box::pin(sqlx::query("DELETE FROM audit").execute(&site.pool));
    assert!(poll!(&mut query).is_pending());
    let waiting = Duration::from_millis(50);
    let elapsed = tokio::time::timeout(waiting, &mut query).await;
    assert!(elapsed.is_err());
    assert_eq!(site.of_pool("connection_pool_waiting"), 1.0);
    assert_eq!(site.in_flight(), 0.0);
    drop(held);
    query.await.unwrap();
    assert_eq!(site.waits("ok"), 2.0);
    let waited = site.of_pool("connection_wait_duration_seconds_sum");
    assert!(waited >= 0.05, "{waited}");
    assert_eq!(site.count("DELETE audit", "ok"), 1.0);
    site.is_quiet().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_server_that_refuses_is_no_timeout_and_no_query() {
    let base = base().await;
    let inner = PgPoolOptions::new().connect_lazy_with(base.server.options("nowhere"));
    let site = Site::new(Plimsoll::builder().build().unwrap(), inner);
    let refused = sqlx::query(ALL).fetch_all(&site.pool).await;
    let code = refused.as_ref().err().and_then(Error::as_database_error);
    assert_eq!(
        code.and_then(|error| error.code()).as_deref(),
        Some("3D000")
    );
    assert_eq!(site.waits("error"), 1.0);
    assert_eq!(site.waits("pool_timeout"), 0.0);
    assert_eq!(site.statements(), 0.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL 15: tests/run"]
async fn a_pool_that_is_closed_under_load() {
    const TASKS: usize = 16;
    let base = base().await;
    let site = base.site(4).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let pool = site.pool.clone();
            tokio::spawn(async move {
                let mut done = 0;
                loop {
                    match sqlx::query("SELECT 1").execute(&pool).await {
                        Ok(_) => done += 1,
                        Err(Error::PoolClosed) => return done,
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    until(async || site.statements() >= 100.0).await;
    site.pool.close().await;
    let mut done = 0;
    for task in tasks {
        done += task.await.expect("no panic");
    }
    // Who came too late had no query, but a wait that failed.
    assert_eq!(site.count("SELECT", "ok"), f64::from(done));
    assert_eq!(site.statements(), f64::from(done));
    assert_eq!(site.waits("ok"), f64::from(done));
    assert_eq!(site.waits("error"), TASKS as f64);
    assert_eq!(site.waits("pool_timeout"), 0.0);
    assert_eq!(site.gauges(), [0.0, 0.0, 0.0, 0.0, 0.0, 4.0]);
    site.is_quiet().await;
}
