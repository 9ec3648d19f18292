//! Why it exists: a query that was given up on is the slowest of all, and it is the one that a timer around the
//! `.await` never sees.
//!
//! A [`Db`] times queries of any driver, named by you: an operation (`list`) on a model (`devices`). It looks at
//! `Ok` or `Err` and at nothing else, returns what the query returned, and counts a dropped query as cancelled.
//!
//! ```
//! use plimsoll::Plimsoll;
//!
//! # async fn query() -> Result<Vec<u32>, &'static str> { Ok(vec![7]) }
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let db = plimsoll.db("devices");
//! let devices = db.time("list", query()).await?;
//! assert_eq!(devices, [7]);
//! assert_eq!(plimsoll.stats().operations[0].count, 1);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(run()).unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Which door
//!
//! * [`time`](Db::time): a future.
//! * [`time_sync`](Db::time_sync): a closure, for blocking drivers.
//! * [`guard`](Db::guard): work of several steps, or an outcome of your own choice.
//! * [`track_db_query`](Plimsoll::track_db_query): a duration that somebody else measured.
//!
//! # Limits
//!
//! An empty result is `ok`. `Err` is an error whatever it says: where a driver reports "no row" as an `Err`, ask for an
//! optional row, or use a guard and [`finish_as`](Guard::finish_as). The wait for a pooled connection is part of the
//! query's time unless the connection was acquired before, best through [`Pool::acquire`](crate::pool::Pool::acquire).
//! A cancelled query may go on inside the database; what is counted is the time until nobody waited for it any more.
//! Operation and model become labels: use fixed words, never SQL text or values. What comes above the cap on label sets
//! is counted under `other`, but for [declared](Db::declare) operations.

mod statement;
mod statements;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight, Operation, Outcome, Registry};

impl Plimsoll {
    /// Times queries under the label `model` = `model`, usually the table or the entity.
    pub fn db(&self, model: &str) -> Db {
        Db {
            registry: self.registry().clone(),
            model: model.into(),
        }
    }

    /// Counts a query that somebody else timed. A duration above the range counts as the range's end.
    ///
    /// Cost: no lock and no allocation once this operation on this model has been seen.
    pub fn track_db_query(
        &self,
        operation: &str,
        model: &str,
        duration: Duration,
        outcome: Outcome,
    ) {
        let operation = self.registry().set(Domain::Db).get(&[operation, model]);
        operation.record(outcome, nanos(duration));
        operation.ended(outcome.into(), nanos(duration), None);
    }
}

/// Times the queries on one model. Cheap to clone.
///
/// Cost of each method: one table lookup and two readings of the clock; no lock and no allocation once the operation
/// has been seen.
#[derive(Debug, Clone)]
pub struct Db {
    registry: Arc<Registry>,
    model: Arc<str>,
}

impl Db {
    /// Lets these operations stand at 0 from the start, and frees them from the cap on label sets.
    ///
    /// A ratio of errors then has a value before the first query, and the first error counts as an increase.
    pub fn declare<'a>(&self, operations: impl IntoIterator<Item = &'a str>) {
        for operation in operations {
            let operation = self
                .registry
                .set(Domain::Db)
                .declare(&[operation, &self.model]);
            operation.series(Outcome::Ok);
            operation.series(Outcome::Error);
        }
    }

    /// Times a query from its first poll and returns its result, unchanged.
    ///
    /// Dropped before its end it counts as cancelled, a panic as an error; never polled it does not count. The future
    /// returned has about twice the size of `query`: box a very large one.
    pub fn time<F, T, E>(
        &self,
        operation: &str,
        query: F,
    ) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.operation(operation).clone().time(query)
    }

    /// Times a blocking query and returns its result, unchanged. A panic counts as an error.
    ///
    /// # Errors
    ///
    /// Those of `query`.
    pub fn time_sync<T, E>(
        &self,
        operation: &str,
        query: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let guard = self.guard(operation);
        let result = query();
        guard.finish(&result);
        result
    }

    /// Counts a query as begun, here and now; the guard counts its end.
    pub fn guard(&self, operation: &str) -> Guard {
        Guard(self.operation(operation).start())
    }

    fn operation(&self, operation: &str) -> &Arc<Operation> {
        self.registry.set(Domain::Db).get(&[operation, &self.model])
    }
}

/// A query under way. Dropped without an end it counts as cancelled, or as an error if a panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub struct Guard(InFlight);

impl Guard {
    /// Ends as the result says: `ok` or `error`.
    pub fn finish<T, E>(self, result: &Result<T, E>) {
        self.finish_as(Outcome::of(result));
    }

    /// Ends as the caller says.
    pub fn finish_as(self, outcome: Outcome) {
        self.0.finish(outcome);
    }
}
