//! What the connections of one pool have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::transactions::TransactionEnd;
use super::super::{Database, DoubleQuotes, Guard, Transactions};
use super::driver::Driver;
use super::query::Taken;
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;

/// Where statements, transactions and loans are counted.
pub(super) struct Meter {
    db: Database,
    transactions: Transactions,
    unmeasured: Counter,
    /// Connections that are lent out. Relaxed: a single independent value.
    lent: AtomicU64,
}

impl Meter {
    /// `database` is what the driver calls it.
    pub(super) fn new(
        plimsoll: &Plimsoll,
        name: &str,
        database: &str,
    ) -> Result<Self, InstrumentError> {
        let unmeasured = plimsoll
            .counter("connections_unmeasured_total")
            .help("Connections that were handed out with statements that cannot be counted.")
            .label("pool", name)
            .register()?;
        let quotes = match database {
            "MySQL" => DoubleQuotes::Literals,
            _ => DoubleQuotes::Names,
        };
        Ok(Self {
            db: plimsoll.database(name).double_quotes(quotes).open(),
            transactions: plimsoll.transactions(name)?,
            unmeasured,
            lent: AtomicU64::new(0),
        })
    }

    /// Counts a statement as begun.
    pub(super) fn begin(&self, sql: &str) -> Guard {
        self.db.begin_sql(sql, None)
    }

    /// The same of a query, which may have a name.
    pub(super) fn begin_query<DB: Driver>(&self, query: &Taken<DB>) -> Guard {
        self.db.begin_sql(query.text(), query.name())
    }

    pub(super) fn transaction_ended(&self, end: TransactionEnd) {
        self.transactions.ended(end);
    }

    /// A connection goes where its statements are not seen.
    pub(super) fn lost_sight(&self) {
        self.unmeasured.increment();
    }

    /// Connections that are lent out.
    pub(super) fn lent(&self) -> u64 {
        self.lent.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}

/// One connection that is lent out, for as long as it lives.
#[derive(Debug)]
pub(super) struct Lent(Arc<Meter>);

impl Lent {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        meter.lent.fetch_add(1, Ordering::Relaxed);
        Self(meter)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.lent.fetch_sub(1, Ordering::Relaxed);
    }
}
