//! Other people's pools, observed by closures.

use std::convert::Infallible;
use std::time::Duration;

use bb8::RunError;
use deadpool::managed::{Metrics, PoolError, RecycleResult, Timeouts};
use diesel::SqliteConnection;
use diesel::r2d2::ConnectionManager;
use plimsoll::Plimsoll;
use plimsoll::pool::{Connections, Pool, PoolState};

use crate::shop::{Shop, shop};

/// Opens what costs nothing, and measures that all the same.
struct Manager(Connections);

/// No connection at all.
struct Connection;

impl bb8::ManageConnection for Manager {
    type Connection = Connection;
    type Error = Infallible;

    async fn connect(&self) -> Result<Connection, Infallible> {
        self.0.open(async { Ok(Connection) }).await
    }

    async fn is_valid(&self, _: &mut Connection) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

impl deadpool::managed::Manager for Manager {
    type Type = Connection;
    type Error = Infallible;

    async fn create(&self) -> Result<Connection, Infallible> {
        self.0.open(async { Ok(Connection) }).await
    }

    async fn recycle(&self, _: &mut Connection, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

impl Shop {
    /// In use, at most; waits that were successful, that timed out.
    fn pool(&self) -> [f64; 4] {
        let end = |end| {
            let labels = [("pool", "shop"), ("end", end)];
            self.value("connection_wait_ends_total", &labels)
        };
        let gauge = |name| self.value(name, &[("pool", "shop")]);
        [
            gauge("connection_pool_active"),
            gauge("connection_pool_max"),
            end("ok"),
            end("pool_timeout"),
        ]
    }
}

const IMPATIENT: Duration = Duration::from_millis(1);

fn observe_bb8(plimsoll: &Plimsoll, pool: &bb8::Pool<Manager>) -> Pool {
    let pool = pool.clone();
    let waits = plimsoll.pool("shop").expect("new names");
    waits.observe(move || {
        let state = pool.state();
        PoolState {
            active: (state.connections - state.idle_connections).into(),
            max: pool.config().max_size.into(),
        }
    })
}

#[tokio::test]
async fn bb8() {
    let shop = shop();
    let manager = Manager(shop.plimsoll.connections("shop"));
    let pool = bb8::Pool::builder()
        .max_size(1)
        .connection_timeout(IMPATIENT)
        .build(manager)
        .await
        .unwrap();
    let waits = observe_bb8(&shop.plimsoll, &pool);
    let get = || waits.acquire_within(pool.get(), |error| matches!(error, RunError::TimedOut));
    assert_eq!(shop.pool(), [0.0, 1.0, 0.0, 0.0]);
    let held = get().await.unwrap();
    assert!(get().await.is_err());
    assert_eq!(shop.pool(), [1.0, 1.0, 1.0, 1.0]);
    drop(held);
    assert_eq!(shop.pool(), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(shop.opened(), [1.0, 0.0]);
}

fn observe_deadpool(plimsoll: &Plimsoll, pool: &deadpool::managed::Pool<Manager>) -> Pool {
    let pool = pool.clone();
    let waits = plimsoll.pool("shop").expect("new names");
    waits.observe(move || {
        let status = pool.status();
        PoolState {
            active: status.size.saturating_sub(status.available) as u64,
            max: status.max_size as u64,
        }
    })
}

#[tokio::test]
async fn deadpool() {
    let shop = shop();
    let manager = Manager(shop.plimsoll.connections("shop"));
    let pool = deadpool::managed::Pool::builder(manager)
        .max_size(1)
        .build()
        .unwrap();
    let waits = observe_deadpool(&shop.plimsoll, &pool);
    let at_once = Timeouts {
        wait: Some(Duration::ZERO),
        ..Timeouts::default()
    };
    let late = |error: &_| matches!(error, PoolError::Timeout(_));
    let get = || waits.acquire_within(pool.timeout_get(&at_once), late);
    assert_eq!(shop.pool(), [0.0, 1.0, 0.0, 0.0]);
    let held = get().await.unwrap();
    assert!(get().await.is_err());
    assert_eq!(shop.pool(), [1.0, 1.0, 1.0, 1.0]);
    drop(held);
    assert_eq!(shop.pool(), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(shop.opened(), [1.0, 0.0]);
}

type R2d2 = diesel::r2d2::Pool<ConnectionManager<SqliteConnection>>;

fn observe_r2d2(plimsoll: &Plimsoll, pool: &R2d2) -> Pool {
    let pool = pool.clone();
    let waits = plimsoll.pool("shop").expect("new names");
    waits.observe(move || {
        let state = pool.state();
        PoolState {
            active: (state.connections - state.idle_connections).into(),
            max: pool.max_size().into(),
        }
    })
}

#[test]
fn r2d2() {
    let shop = shop();
    let pool = R2d2::builder()
        .max_size(1)
        .build(ConnectionManager::new(":memory:"))
        .unwrap();
    let waits = observe_r2d2(&shop.plimsoll, &pool);
    let get = || {
        let wait = waits.begin();
        let result = pool.get_timeout(IMPATIENT);
        match &result {
            // r2d2 gives up for no other reason.
            Err(_) => wait.timed_out(),
            result => wait.finish(result),
        }
        result
    };
    assert_eq!(shop.pool(), [0.0, 1.0, 0.0, 0.0]);
    let held = get().unwrap();
    assert!(get().is_err());
    assert_eq!(shop.pool(), [1.0, 1.0, 1.0, 1.0]);
    drop(held);
    assert_eq!(shop.pool(), [0.0, 1.0, 1.0, 1.0]);
}
