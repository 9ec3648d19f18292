//! How long it takes to open a connection.

use std::future::Future;
use std::sync::Arc;

use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight, Operation, Outcome};

/// Measures how connections are opened, by a pool or without one. Cheap to clone.
///
/// Exported as `connection_create_duration_seconds`, whatever the end, and `connection_create_errors_total`. Cost: two readings
/// of the clock; no lock and no allocation.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Operation>);

impl Plimsoll {
    /// Measures how connections are opened, under the label `pool` = `name`; both families stand at 0 from here on.
    ///
    /// For whoever opens them: the manager of a pool, or a driver's hook that connects.
    ///
    /// ```
    /// use plimsoll::Plimsoll;
    ///
    /// # async fn connect() -> Result<u8, &'static str> { Ok(0) }
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let readings = plimsoll.connections("readings");
    /// let connection = readings.open(connect()).await?;
    /// # assert!(plimsoll.render().contains(r#"connection_create_errors_total{pool="readings"} 0"#));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(run()).unwrap();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connections(&self, name: &str) -> Connections {
        let creation = self.registry().set(Domain::Create).declare(&[name]);
        creation.series(Outcome::Ok);
        creation.series(Outcome::Error);
        Connections(creation.clone())
    }
}

impl Connections {
    /// Times how a connection is opened, from the first poll, and returns what `future` returned, unchanged.
    ///
    /// `Err` counts as an error, dropped before its end it counts as cancelled. The time is part of the wait of whoever the
    /// connection is opened for.
    ///
    /// # Errors
    ///
    /// Those of `future`.
    pub fn open<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.0.clone().time(future)
    }

    /// The same, for blocking drivers.
    ///
    /// # Errors
    ///
    /// Those of `open`.
    pub fn open_sync<T, E>(&self, open: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let opening = self.begin();
        let result = open();
        opening.finish(&result);
        result
    }

    /// Counts an opening as begun, here and now; what this returns counts its end.
    pub fn begin(&self) -> Opening {
        Opening(self.0.start())
    }
}

/// A connection that is being opened. Dropped without an end it counts as cancelled, or as an error if a panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub struct Opening(InFlight);

impl Opening {
    /// Ends as the result says: `ok` or `error`.
    pub fn finish<T, E>(self, result: &Result<T, E>) {
        self.0.finish(Outcome::of(result));
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
    fn attempts_are_counted_however_they_end() {
        let clock = ManualClock::new();
        let plimsoll = (Plimsoll::builder().clock(clock.clone()).build()).expect("defaults");
        let connections = plimsoll.connections("shop");
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
            "connection_create_duration_seconds_bucket{pool=\"shop\",le=\"1.0\"} 3\n",
            "connection_create_duration_seconds_sum{pool=\"shop\"} 4.0\n",
            "connection_create_duration_seconds_count{pool=\"shop\"} 4\n",
            "connection_create_errors_total{pool=\"shop\"} 1\n",
        ] {
            assert!(page.contains(line), "{line}{page}");
        }
    }
}
