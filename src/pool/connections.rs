//! How long it takes to open a connection.

use std::future::Future;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::histogram::{Histogram, Layout};
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;

const BOUNDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0,
];

/// Measures how connections are opened, by a pool or without one. Cheap to clone.
///
/// Every attempt that ended is in `connection_create_duration_seconds`, those that failed in
/// `connection_create_errors_total` too; one that was dropped before its end is in neither.
#[derive(Debug, Clone)]
pub struct Connections {
    clock: SharedClock,
    durations: Arc<Histogram>,
    errors: Counter,
}

impl Plimsoll {
    /// Measures how connections are opened, under the label `pool` = `name`. Both families stand at 0 from here on.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when one of the two, with the configured prefix, was registered before as something else.
    pub fn connections(&self, name: &str) -> Result<Connections, InstrumentError> {
        let durations = self
            .histogram(
                "connection_create_duration_seconds",
                Layout::durations(),
                BOUNDS,
            )
            .help("Time it took to open a connection, or to fail to.")
            .label("pool", name)
            .register()?;
        let errors = self
            .counter("connection_create_errors_total")
            .help("Connections that could not be opened.")
            .label("pool", name)
            .register()?;
        Ok(Connections {
            clock: self.registry().clock().clone(),
            durations,
            errors,
        })
    }
}

impl Connections {
    /// Times how a connection is opened, from the first poll, and returns what `future` returned, unchanged.
    ///
    /// # Errors
    ///
    /// Those of `future`.
    pub fn open<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let connections = self.clone();
        async move {
            let begun_ns = connections.begin();
            let result = future.await;
            connections.opened(begun_ns, result.is_ok());
            result
        }
    }

    /// The same, for blocking drivers.
    ///
    /// # Errors
    ///
    /// Those of `open`.
    pub fn open_sync<T, E>(&self, open: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun_ns = self.begin();
        let result = open();
        self.opened(begun_ns, result.is_ok());
        result
    }

    /// When an attempt begins.
    pub(crate) fn begin(&self) -> u64 {
        self.clock.now_ns()
    }

    /// The attempt that began then has ended.
    pub(crate) fn opened(&self, begun_ns: u64, successfully: bool) {
        let now_ns = self.clock.now_ns();
        self.durations.record(now_ns.saturating_sub(begun_ns));
        if !successfully {
            self.errors.increment();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn attempts_are_counted_when_they_end() {
        let clock = ManualClock::new();
        let plimsoll = (Plimsoll::builder().clock(clock.clone()).build()).expect("defaults");
        let connections = plimsoll.connections("shop").expect("new names");
        let took = |seconds| {
            connections.open_sync(|| {
                clock.advance(Duration::from_secs(seconds));
                Ok::<_, ()>(())
            })
        };
        assert_eq!([took(1), took(3)], [Ok(()), Ok(())]);
        let mut context = Context::from_waker(Waker::noop());
        let refused = pin!(connections.open(ready(Err::<(), _>("no")))).poll(&mut context);
        assert_eq!(refused, Poll::Ready(Err("no")));
        let given_up = connections.open(pending::<Result<(), ()>>());
        assert!(pin!(given_up).poll(&mut context).is_pending());
        let page = plimsoll.render();
        for line in [
            "connection_create_duration_seconds_bucket{pool=\"shop\",le=\"1.0\"} 2\n",
            "connection_create_duration_seconds_sum{pool=\"shop\"} 4.0\n",
            "connection_create_duration_seconds_count{pool=\"shop\"} 3\n",
            "connection_create_errors_total{pool=\"shop\"} 1\n",
        ] {
            assert!(page.contains(line), "{line}{page}");
        }
    }
}
