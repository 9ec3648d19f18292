//! Why it exists: a slow database and an empty connection pool look the same from the outside, and only the time spent
//! waiting for a connection tells them apart.
//!
//! A [`Pool`] measures somebody else's pool: how many connections are in use, how many there may be, and how long
//! callers wait for one. It knows no driver and fits pools of database connections and of device connections alike.
//!
//! ```
//! use plimsoll::{Plimsoll, pool::PoolState};
//!
//! # async fn acquire() -> Result<u8, &'static str> { Ok(0) }
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let readings = plimsoll
//!     .pool("readings")?
//!     .observe(|| PoolState { active: 3, max: 10 }); // ask the real pool here
//! let connection = readings.acquire(acquire()).await?;
//! # let _ = connection;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(run())
//! # ; Ok::<(), std::io::Error>(())
//! ```
//!
//! Whatever `acquire` is given to wait for, an `Err` counts as an error. That no connection came free in time is an end of its
//! own, `pool_timeout`, which `connection_timeouts_total` counts: say which errors mean it, by [`Pool::acquire_within`] or
//! [`Waiting::timed_out`]. Neither is part of any SLI of queries.
//!
//! # Ghosts
//!
//! A pool that can tell how many connections it holds and how many of them are idle shows its ghosts: those that are
//! neither idle nor lent out. A query whose future was dropped leaves one behind, for as long as the database goes on with
//! it. See [`Pool::observe_detail`].
//!
//! # Opening connections
//!
//! [`Connections`] measures that, where whoever opens them lets it: a slow one is part of somebody's wait.

mod connections;

pub use connections::{Connections, Opening};

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use crate::instance::{Inner, Plimsoll};
use crate::registry::{
    Domain, End, InFlight, InstrumentError, InstrumentKind, Operation, Outcome, Way,
};

const ACTIVE: (&str, &str) = (
    "connection_pool_active",
    "Connections of the pool that are in use.",
);
const MAX: (&str, &str) = (
    "connection_pool_max",
    "Connections that the pool may hold at most.",
);

const SIZE: (&str, &str) = (
    "connection_pool_size",
    "Connections that the pool holds, idle or not.",
);
const IDLE: (&str, &str) = (
    "connection_pool_idle",
    "Connections of the pool that wait for work.",
);
const GHOSTS: (&str, &str) = (
    "connection_pool_ghosts",
    "Connections of the pool that are neither idle nor lent out.",
);
const WAITING: (&str, &str) = (
    "connection_pool_waiting",
    "Callers who wait for a connection of the pool.",
);

/// No connection came free in time.
fn too_late() -> End {
    End {
        way: Way::POOL_TIMEOUT,
        ..Outcome::Error.into()
    }
}

/// What a pool looks like at one moment, in connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Connections in use, idle ones not counted.
    pub active: u64,
    /// Connections that there may be at most.
    pub max: u64,
}

/// The same, of a pool that knows more about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolDetail {
    /// Connections that are lent out.
    pub active: u64,
    /// Connections that there may be at most.
    pub max: u64,
    /// Connections that there are, those included that are being opened or taken back.
    pub size: u64,
    /// Connections that wait for work.
    pub idle: u64,
}

impl PoolDetail {
    /// Connections that are neither idle nor lent out: `size - idle - active`, at least 0.
    ///
    /// For moments these are connections that are being opened or taken back. Those that stay are pinned: by a query
    /// that nobody waits for any more and that the database goes on with, by a connection that died and was never missed.
    pub fn ghosts(&self) -> u64 {
        self.size.saturating_sub(self.idle + self.active)
    }
}

/// The measuring side of one connection pool. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    name: Arc<str>,
    acquire: Arc<Operation>,
    inner: Arc<Inner>,
}

impl Plimsoll {
    /// Measures a pool under the label `pool` = `name`.
    ///
    /// Its gauges and the counts of its waits stand at 0 from here on. The waits of pools are not subject to the cap on
    /// label sets. Asked twice for one name, it measures one and the same pool.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when `connection_pool_active` or `connection_pool_max`, with the configured prefix, was
    /// registered before as something else than a gauge by `pool`.
    pub fn pool(&self, name: &str) -> Result<Pool, InstrumentError> {
        let acquire = self.registry().set(Domain::Acquire).declare(&[name]);
        acquire.series(Outcome::Ok);
        acquire.series(Outcome::Error);
        acquire.series(too_late());
        let pool = Pool {
            name: name.into(),
            acquire: acquire.clone(),
            inner: self.inner().clone(),
        };
        for gauge in [ACTIVE, MAX, WAITING] {
            pool.declare(gauge)?;
        }
        let waits = acquire.clone();
        pool.read_through(WAITING, move || Some(waits.in_flight(&waits.reading())));
        Ok(pool)
    }
}

impl Pool {
    /// Lets `connection_pool_active` and `connection_pool_max` be read through `state`, in place of an earlier one.
    ///
    /// `state` is called once per gauge whenever metrics are read, never by [`acquire`](Self::acquire); it should be as
    /// quick as reading two counters. It lives as long as the [`Plimsoll`] does, so it must not own a clone of that.
    #[must_use = "waits are measured through the handle that this returns"]
    pub fn observe(self, state: impl Fn() -> PoolState + Send + Sync + 'static) -> Self {
        let state = Arc::new(state);
        let max = state.clone();
        self.read_through(ACTIVE, move || Some(state().active));
        self.read_through(MAX, move || Some(max().max));
        self
    }

    /// The same for a pool that knows more: `connection_pool_size`, `connection_pool_idle` and `connection_pool_ghosts` as
    /// well. `None`, because the pool is gone, leaves its gauges out.
    ///
    /// `state` is called once per gauge, under the conditions of [`observe`](Self::observe); the gauges of one page are of
    /// slightly different moments, each value in itself is of one.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when one of the three was registered before as something else than a gauge by `pool`.
    pub fn observe_detail(
        self,
        state: impl Fn() -> Option<PoolDetail> + Send + Sync + 'static,
    ) -> Result<Self, InstrumentError> {
        for gauge in [SIZE, IDLE, GHOSTS] {
            self.declare(gauge)?;
        }
        let state = Arc::new(state);
        let read = |gauge, value: fn(PoolDetail) -> u64| {
            let state = state.clone();
            self.read_through(gauge, move || state().map(value));
        };
        read(ACTIVE, |detail| detail.active);
        read(MAX, |detail| detail.max);
        read(SIZE, |detail| detail.size);
        read(IDLE, |detail| detail.idle);
        read(GHOSTS, |detail| detail.ghosts());
        Ok(self)
    }

    /// Times the wait for a connection and returns what `future` returned, unchanged.
    ///
    /// `Ok` counts as acquired, `Err` as an error; dropped before its end it counts as cancelled. The time runs from
    /// the first poll. Cost: no lock and no allocation; the future returned has about twice the size of `future`.
    pub fn acquire<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.acquire.clone().time(future)
    }

    /// The same for who can tell a pool's timeout from other errors: where `timed_out` says so, it ends as `pool_timeout`.
    ///
    /// # Errors
    ///
    /// Those of `future`.
    pub async fn acquire_within<T, E>(
        &self,
        future: impl Future<Output = Result<T, E>>,
        timed_out: impl FnOnce(&E) -> bool,
    ) -> Result<T, E> {
        let wait = self.wait();
        let result = future.await;
        wait.finish(&result, timed_out);
        result
    }

    /// Counts a wait as begun, here and now; what this returns counts its end.
    pub fn begin(&self) -> Waiting {
        Waiting(self.acquire.start())
    }

    /// The same for who keeps the pool's handle meanwhile.
    pub(crate) fn wait(&self) -> Wait<'_> {
        Wait(InFlight::begin(&self.acquire))
    }

    /// Makes a gauge stand at 0, unless it is observed already.
    fn declare(&self, (gauge, help): (&str, &str)) -> Result<(), InstrumentError> {
        let name = self.inner.naming.instrument(gauge);
        let labels = [("pool", &*self.name)];
        let instruments = &self.inner.registry.instruments;
        instruments
            .register(&name, help, InstrumentKind::Gauge, &labels)
            .map(drop)
    }

    fn read_through(
        &self,
        (gauge, help): (&str, &str),
        read: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) {
        let registered = self.inner.registry.instruments.observe(
            &self.inner.naming.instrument(gauge),
            help,
            &[("pool", &self.name)],
            Arc::new(move || read().map(|value| value as f64)),
        );
        // `declare` made the family, and a family keeps its kind and its keys for ever.
        debug_assert_eq!(registered, Ok(()));
    }
}

/// A wait for a connection. Dropped without an end it counts as cancelled, or as an error if a panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub struct Waiting(InFlight);

impl Waiting {
    /// Ends as the result says: `ok` or `error`.
    pub fn finish<T, E>(self, result: &Result<T, E>) {
        self.0.finish(Outcome::of(result));
    }

    /// Ends as `pool_timeout`, an error: no connection came free in time.
    pub fn timed_out(self) {
        self.0.finish(too_late());
    }
}

/// A wait that borrows its pool's handle.
pub(crate) struct Wait<'a>(InFlight<&'a Operation>);

impl Wait<'_> {
    /// Ends as the result says, or as `pool_timeout`.
    pub(crate) fn finish<T, E>(self, result: &Result<T, E>, timed_out: impl FnOnce(&E) -> bool) {
        self.0.finish(match result {
            Err(error) if timed_out(error) => too_late(),
            result => Outcome::of(result).into(),
        });
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauges(plimsoll: &Plimsoll) -> [f64; 2] {
        [ACTIVE, MAX].map(|(name, _)| {
            let family = plimsoll.registry().instruments.family(name).expect(name);
            assert_eq!(family.keys, ["pool"]);
            family.series[&vec!["readings".to_owned()]]
                .value
                .number()
                .expect("a number")
        })
    }

    #[test]
    fn gauges_stand_at_zero_and_then_follow_the_pool() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let pool = plimsoll.pool("readings").expect("new names");
        assert_eq!(gauges(&plimsoll), [0.0, 0.0]);
        let _pool = pool.observe(|| PoolState { active: 3, max: 10 });
        assert_eq!(gauges(&plimsoll), [3.0, 10.0]);
        let _again = plimsoll.pool("readings").expect("same names");
        assert_eq!(gauges(&plimsoll), [3.0, 10.0]);
    }

    #[test]
    fn ghosts_are_neither_idle_nor_lent_out() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let pool = plimsoll.pool("readings").expect("new names");
        let detail = PoolDetail {
            active: 2,
            max: 10,
            size: 5,
            idle: 1,
        };
        let _pool = pool
            .observe_detail(move || Some(detail))
            .expect("new names");
        assert_eq!(gauges(&plimsoll), [2.0, 10.0]);
        let page = plimsoll.render();
        for line in [
            "connection_pool_size{pool=\"readings\"} 5.0\n",
            "connection_pool_idle{pool=\"readings\"} 1.0\n",
            "connection_pool_ghosts{pool=\"readings\"} 2.0\n",
            "connection_pool_waiting{pool=\"readings\"} 0.0\n",
        ] {
            assert!(page.contains(line), "{line}{page}");
        }
        // Counted at different moments, they need not add up.
        let late = PoolDetail { idle: 4, ..detail };
        assert_eq!(late.ghosts(), 0);
    }

    #[test]
    fn waits_are_told_apart() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let pool = plimsoll.pool("readings").expect("new names");
        let [acquired, timed_out, given_up] = [pool.begin(), pool.begin(), pool.begin()];
        let waiting = |waits| format!("connection_pool_waiting{{pool=\"readings\"}} {waits}.0\n");
        assert!(plimsoll.render().contains(&waiting(3)));
        acquired.finish(&Ok::<_, ()>(()));
        timed_out.timed_out();
        drop(given_up);
        let mut ends: Vec<_> = (pool.acquire.each_series())
            .map(|series| (series.end.as_str(), series.histogram.snapshot().count()))
            .collect();
        ends.sort_unstable();
        assert_eq!(
            ends,
            [
                ("cancelled", 1),
                ("error", 0),
                ("ok", 1),
                ("pool_timeout", 1)
            ]
        );
        let page = plimsoll.render();
        assert!(page.contains(&waiting(0)));
        assert!(page.contains("connection_timeouts_total{pool=\"readings\"} 1\n"));
    }

    #[test]
    fn quotients_of_a_pools_figures_have_the_same_labels_on_both_sides() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let pools = ["readings", "orders"].map(|name| plimsoll.pool(name).expect("new names"));
        for pool in &pools {
            pool.begin().timed_out();
            pool.begin().finish(&Ok::<_, ()>(()));
            let opened = plimsoll
                .connections(&pool.name)
                .open_sync(|| Ok::<_, ()>(7));
            assert_eq!(opened, Ok(7));
        }
        let page = plimsoll.render();
        let labels = |name: &str| -> Vec<&str> {
            let samples = page.lines().filter_map(|line| line.strip_prefix(name));
            let labels = samples.filter_map(|line| line.strip_prefix('{')?.split_once('}'));
            labels.map(|(labels, _)| labels).collect()
        };
        for (dividend, divisor) in [
            ("connection_pool_active", "connection_pool_max"),
            (
                "connection_timeouts_total",
                "connection_wait_duration_seconds_count",
            ),
            (
                "connection_create_errors_total",
                "connection_create_duration_seconds_count",
            ),
        ] {
            let expected = ["pool=\"orders\"", "pool=\"readings\""];
            assert_eq!(labels(dividend), expected, "{dividend}");
            assert_eq!(labels(divisor), expected, "{divisor}");
        }
    }

    #[test]
    fn a_taken_name_is_an_error() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        plimsoll
            .registry()
            .instruments
            .register(MAX.0, "", InstrumentKind::Counter, &[])
            .expect("new name");
        assert!(matches!(
            plimsoll.pool("readings"),
            Err(InstrumentError::Kind { .. })
        ));
    }
}
