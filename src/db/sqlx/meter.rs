//! What the connections of one pool have in common.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::guard::Counted;
use super::super::{Database, DoubleQuotes, Guard};
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;

/// Where statements, transactions and loans are counted.
pub(super) struct Meter {
    db: Database,
    transactions: [Counter; TransactionEnd::ALL.len()],
    unmeasured: Counter,
    /// Connections that are lent out. Relaxed: a single independent value.
    lent: AtomicU64,
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy)]
pub(super) enum TransactionEnd {
    Committed,
    RolledBack,
    Dropped,
}

impl TransactionEnd {
    const ALL: [Self; 3] = [Self::Committed, Self::RolledBack, Self::Dropped];

    fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::RolledBack => "rolled_back",
            Self::Dropped => "dropped",
        }
    }
}

impl Meter {
    /// `database` is what the driver calls it.
    pub(super) fn new(
        plimsoll: &Plimsoll,
        name: &str,
        database: &str,
    ) -> Result<Self, InstrumentError> {
        let transactions = |end: TransactionEnd| {
            plimsoll
                .counter("db_transactions_total")
                .help("Transactions that ended, by how.")
                .label("pool", name)
                .label("end", end.as_str())
                .register()
        };
        let [committed, rolled_back, dropped] = TransactionEnd::ALL.map(transactions);
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
            transactions: [committed?, rolled_back?, dropped?],
            unmeasured,
            lent: AtomicU64::new(0),
        })
    }

    /// What a statement is counted as.
    pub(super) fn find(&self, sql: &str) -> Counted {
        self.db.find(sql, None)
    }

    /// Counts a statement as begun.
    pub(super) fn begin(&self, sql: &str) -> Guard {
        Guard::begin(self.find(sql))
    }

    pub(super) fn transaction_ended(&self, end: TransactionEnd) {
        self.transactions[end as usize].increment();
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

    pub(super) fn meter(&self) -> &Arc<Meter> {
        &self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.lent.fetch_sub(1, Ordering::Relaxed);
    }
}
