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
//! A [`Database`] does the same by SQL: statements that differ in their values only are one, and the label `query` is their
//! summary (`SELECT orders`), or the name that you give them.
//!
//! ```
//! use plimsoll::{Plimsoll, db::TopBy};
//!
//! let plimsoll = Plimsoll::builder().build()?;
//! let shop = plimsoll.database("shop").open();
//! for id in 0..3 {
//!     let mut query = shop.begin_sql(&format!("SELECT * FROM orders WHERE id = {id}"), None);
//!     query.rows(1);
//!     query.finish(&Ok::<_, ()>(()));
//! }
//! let top = &plimsoll.top_queries(1, TopBy::Total)[0];
//! assert_eq!((&*top.query, top.count), ("SELECT orders", 3));
//! assert_eq!(top.text, "SELECT * FROM orders WHERE id = ?");
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! # Which door
//!
//! * [`Db::time`], [`Database::time_sql`]: a future.
//! * [`Db::time_sync`]: a closure, for blocking drivers.
//! * [`Db::guard`], [`Database::begin_sql`]: work of several steps, rows, or an end of your own choice.
//! * [`track_db_query`](Plimsoll::track_db_query), [`Database::track_sql`]: a duration that somebody else measured.
//! * [`Plimsoll::transactions`]: what became of transactions.
//!
//! sqlx and diesel have features of their own (`sqlx`, `diesel`), with which call sites stay as they are. `docs/databases.md` in the
//! repository has a tested recipe for each of sea-orm, rusqlite and any other driver, and for their pools.
//!
//! # Ends
//!
//! | outcome | when | an error |
//! |---|---|---|
//! | `ok` | it came to its end; an empty result did too | no |
//! | `partial` | [`Guard::partial`]: a stream of rows was left early, on purpose | no |
//! | `error` | it failed; [`ErrorClass`] says how, where somebody classifies | yes |
//! | `timeout` | it took too long for the server ([`ErrorClass::Timeout`]) or for you ([`Guard::timed_out`]) | yes |
//! | `cancelled` | it was dropped before its end | no |
//!
//! That no connection was to be had in time is an end of the wait for it, `pool_timeout`, and not of a query: see
//! [`pool`](crate::pool).
//!
//! # Limits
//!
//! Where a driver reports "no row" as an `Err`, [`classify`](Db::classify) it as [`ErrorClass::NoData`], or ask for an optional
//! row. The wait for a pooled connection is part of the query's time unless the connection was acquired before, best through
//! [`Pool::acquire`](crate::pool::Pool::acquire). A cancelled query may go on inside the database; what is counted is the time
//! until nobody waited for it any more.
//!
//! Operation, model and name become labels: use fixed words, never SQL text or values. What comes above the cap on label
//! sets is counted under `other`, but for [declared](Db::declare) operations and [names](Database::declare_queries).
//!
//! Of a statement the first 4 KiB are read, as tokens of any dialect. Whatever may be a value is left out of its text;
//! what is in double quotes and looks like a name counts as one unless [told otherwise](DatabaseBuilder::double_quotes). A
//! table's name is cut at 64 bytes.

mod database;
#[cfg(feature = "diesel")]
pub mod diesel;
mod error;
mod guard;
#[cfg(feature = "sqlx")]
pub mod sqlx;
mod statement;
mod statements;
mod top;
mod transactions;

pub(crate) use database::Databases;
pub use database::{Database, DatabaseBuilder};
pub use error::{ClassifyError, ErrorClass, Status, Unclassified};
pub use guard::Guard;
pub use statement::DoubleQuotes;
pub use top::{TopBy, TopQuery};
pub use transactions::{OpenTransaction, Transactions};

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::registry::{Domain, Operation, Outcome, Registry};
use crate::scope::StatementId;
use guard::Counted;

impl Plimsoll {
    /// Times queries under the label `model` = `model`, usually the table or the entity.
    pub fn db(&self, model: &str) -> Db {
        Db {
            registry: self.registry().clone(),
            model: model.into(),
            errors: Unclassified,
        }
    }

    /// Counts a query that somebody else timed, with an [`Outcome`], an [`ErrorClass`] or a [`Status`]. A duration above the
    /// range counts as the range's end.
    ///
    /// Cost: no lock and no allocation once this operation on this model has been seen.
    pub fn track_db_query(
        &self,
        operation: &str,
        model: &str,
        duration: Duration,
        status: impl Into<Status>,
    ) {
        let operation = operation_of(self.registry(), operation, model);
        let end = status.into().0;
        operation.record(end, nanos(duration));
        let statement = StatementId::of(&**operation);
        operation.ended(statement, end, nanos(duration), None);
    }
}

fn operation_of<'a>(registry: &'a Registry, operation: &str, model: &str) -> &'a Arc<Operation> {
    registry.set(Domain::Db).get(&[operation, model])
}

/// Times the queries on one model. Cheap to clone. `C` says what kind of failure an error is.
///
/// Cost of each method: one table lookup and two readings of the clock; no lock and no allocation once the operation
/// has been seen.
#[derive(Debug, Clone)]
pub struct Db<C = Unclassified> {
    registry: Arc<Registry>,
    model: Arc<str>,
    errors: C,
}

impl<C> Db<C> {
    /// Tells kinds of failures apart by what `errors` says of an error; by default all are [`ErrorClass::Other`].
    ///
    /// ```
    /// use plimsoll::{Plimsoll, db::ErrorClass};
    ///
    /// # struct Failure(Option<String>);
    /// # impl Failure { fn sqlstate(&self) -> Option<&str> { self.0.as_deref() } }
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let db = plimsoll.db("orders").classify(|error: &Failure| {
    ///     error.sqlstate().map_or(ErrorClass::Connection, ErrorClass::from_sqlstate)
    /// });
    /// let taken = Failure(Some("23505".into()));
    /// let result = db.time_sync("insert", || Err::<(), _>(taken));
    /// assert!(result.is_err());
    /// assert!(plimsoll.render().contains(r#"error_type="constraint""#));
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn classify<D>(self, errors: D) -> Db<D> {
        Db {
            registry: self.registry,
            model: self.model,
            errors,
        }
    }

    /// Lets these operations stand at 0 from the start, and frees them from the cap on label sets.
    ///
    /// A ratio of errors then has a value before the first query, and the first error counts as an increase.
    pub fn declare<'a>(&self, operations: impl IntoIterator<Item = &'a str>) {
        let set = self.registry.set(Domain::Db);
        for operation in operations {
            let operation = set.declare(&[operation, &self.model]);
            operation.series(Outcome::Ok);
            operation.series(Status::from(Outcome::Error).0);
        }
    }

    /// Times a query from its first poll and returns its result, unchanged.
    ///
    /// Dropped before its end it counts as cancelled, a panic as an error; never polled it does not count. The future
    /// returned has about twice the size of `query`: box a very large one.
    ///
    /// # Errors
    ///
    /// Those of `query`.
    pub fn time<F, T, E>(
        &self,
        operation: &str,
        query: F,
    ) -> impl Future<Output = Result<T, E>> + use<F, T, E, C>
    where
        F: Future<Output = Result<T, E>>,
        C: ClassifyError<E> + Clone,
    {
        let operation = self.operation(operation).clone();
        let errors = self.errors.clone();
        // An `async` block, so that a panic inside drops the guard while it unwinds, whoever catches it.
        async move {
            let guard = Guard::begin(Counted::Operation(operation));
            let result = query.await;
            guard.finish_as(errors.status(&result));
            result
        }
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
    ) -> Result<T, E>
    where
        C: ClassifyError<E>,
    {
        let guard = self.guard(operation);
        let result = query();
        guard.finish_as(self.errors.status(&result));
        result
    }

    /// Counts a query as begun, here and now; the guard counts its end.
    pub fn guard(&self, operation: &str) -> Guard {
        Guard::begin(Counted::Operation(self.operation(operation).clone()))
    }

    fn operation(&self, operation: &str) -> &Arc<Operation> {
        operation_of(&self.registry, operation, &self.model)
    }
}
