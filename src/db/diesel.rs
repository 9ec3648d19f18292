//! Why it exists: diesel tells each connection's queries to whoever listens, with the values of their parameters in
//! plain sight, and leaves it to the listener to match beginnings and ends.
//!
//! [`Plimsoll::diesel`] listens. It works with every backend of diesel 2.3 and brings none.
//!
//! ```
//! use diesel::Connection;
//! use plimsoll::Plimsoll;
//!
//! # fn run<C: Connection>(url: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let shop = plimsoll.diesel("shop")?;
//!
//! let mut connection: C = shop.establish(url)?; // or, of a connection that there is already:
//! connection.set_instrumentation(shop.instrumentation());
//! # Ok(())
//! # }
//! ```
//!
//! # Every connection of the process
//!
//! diesel asks a function for the instrumentation of connections to come, and a function knows nothing but what is global:
//!
//! ```
//! use diesel::connection::{Instrumentation, set_default_instrumentation};
//! use plimsoll::{Plimsoll, db::diesel::Diesel};
//! use std::sync::OnceLock;
//!
//! static SHOP: OnceLock<Diesel> = OnceLock::new();
//!
//! fn instrumentation() -> Option<Box<dyn Instrumentation>> {
//!     Some(Box::new(SHOP.get()?.instrumentation()))
//! }
//!
//! let plimsoll = Plimsoll::builder().build()?;
//! SHOP.get_or_init(|| plimsoll.diesel("shop").expect("a name of its own"));
//! set_default_instrumentation(instrumentation)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! How long it takes to open a connection is told only so, or by [`Diesel::establish`]: use one of the two. With a pool of
//! `r2d2`, set the instrumentation in `CustomizeConnection::on_acquire`.
//!
//! # What is counted
//!
//! * Each statement, by its text without its values ([`Database`]); `BEGIN`, `COMMIT`, `ROLLBACK`, savepoints and
//!   the lookups of types among them, and text of several statements (`batch_execute`) as one.
//! * Transactions by how they ended, as of sqlx: `dropped` is what neither a commit nor a rollback ended until the connection
//!   was closed or began the next one. After a commit that failed diesel rolls back, and that is what counts.
//! * How connections are opened ([`Connections`]).
//!
//! Values of parameters are never looked at: they are not in any text, label, log or list. A literal that you write into SQL
//! is left out as everywhere. diesel's URLs, passwords included, are not looked at either.
//!
//! # What is not seen
//!
//! * How many rows there were; diesel does not tell.
//! * That `load_iter` was left early: it counts as `ok`.
//! * Why a query failed, but for the kinds that diesel tells apart: see [`class_of`] and [`Diesel::classify`].
//! * An end that diesel does not tell, as when a value could not be serialized. Such a query counts as cancelled, when the
//!   connection is used next or closed, and with the time until then.
//!
//! Queries have no explicit names. In MySQL double quotes stand around literals: say so beforehand, by
//! `plimsoll.database("shop").double_quotes(DoubleQuotes::Literals).open()`, and the same name.
//!
//! # Cost
//!
//! That of [`Database::begin_sql`](super::Database::begin_sql), and what it costs diesel to show a query: it puts the SQL together
//! anew, and a box around each parameter, so some allocations per query. The time of that is not part of the query's.

mod ended;
mod instrumentation;
mod text;

pub use ended::class_of;
pub use instrumentation::ConnectionInstrumentation;

use std::fmt;
use std::sync::Arc;

use diesel::result::{ConnectionResult, Error};

use super::{Database, ErrorClass, Guard, Transactions};
use crate::instance::Plimsoll;
use crate::pool::Connections;
use crate::registry::InstrumentError;

/// Counts what connections of diesel do. Cheap to clone.
#[derive(Clone)]
pub struct Diesel {
    database: Database,
    transactions: Transactions,
    connections: Connections,
    errors: Arc<dyn Fn(&Error) -> ErrorClass + Send + Sync>,
}

impl Plimsoll {
    /// Counts what connections of diesel do, under `name`: that of the [database](Plimsoll::database), and the label
    /// `pool` of transactions and of connections.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when one of the names under which these are exported, with the configured prefix, was
    /// registered before as something else.
    pub fn diesel(&self, name: &str) -> Result<Diesel, InstrumentError> {
        Ok(Diesel {
            database: self.database(name).open(),
            transactions: self.transactions(name)?,
            connections: self.connections(name),
            errors: Arc::new(class_of),
        })
    }
}

impl Diesel {
    /// Tells kinds of failures apart by what `errors` says of an error, instead of [`class_of`].
    ///
    /// ```
    /// use plimsoll::{Plimsoll, db::{ErrorClass, diesel::class_of}};
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let shop = plimsoll.diesel("shop")?.classify(|error| match class_of(error) {
    ///     ErrorClass::Other if error.to_string().contains("statement timeout") => ErrorClass::Timeout,
    ///     class => class,
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classify(self, errors: impl Fn(&Error) -> ErrorClass + Send + Sync + 'static) -> Self {
        Self {
            errors: Arc::new(errors),
            ..self
        }
    }

    /// What to give to one connection's `set_instrumentation`.
    pub fn instrumentation(&self) -> ConnectionInstrumentation {
        ConnectionInstrumentation::new(self.clone())
    }

    /// Opens a connection, counts that, and counts what it does from then on.
    ///
    /// # Errors
    ///
    /// Those of `C::establish`.
    pub fn establish<C: diesel::Connection>(&self, url: &str) -> ConnectionResult<C> {
        let mut connection = self.connections.open_sync(|| C::establish(url))?;
        connection.set_instrumentation(self.instrumentation());
        Ok(connection)
    }

    fn begin(&self, sql: &str) -> Guard {
        self.database.begin_sql(sql, None)
    }
}

impl fmt::Debug for Diesel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diesel")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
