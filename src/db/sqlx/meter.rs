//! What the connections of one pool have in common.

use super::super::guard::Counted;
use super::super::{Database, DoubleQuotes, Guard};
use crate::histogram::Cells;
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;
use std::fmt;

/// Where statements, transactions and loans are counted.
pub(super) struct Meter {
    db: Database,
    transactions: [Counter; TransactionEnd::ALL.len()],
    unmeasured: Counter,
    /// How many times a connection was lent out, and came back.
    loans: Cells,
}

const LENT: usize = 0;
const BACK: usize = 1;

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
            loans: Cells::new(0, plimsoll.registry().memory_of_cells().clone()),
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

    /// A connection is lent out.
    pub(super) fn lend(&self) {
        self.loans.add(LENT, 1);
    }

    /// It is lent out no more.
    pub(super) fn take_back(&self) {
        self.loans.add(BACK, 1);
    }

    /// Connections that are lent out.
    pub(super) fn lent(&self) -> u64 {
        let reading = self.loans.reading();
        // Those that came back first: one that is lent and comes back in between is then never counted as minus one.
        let back = self.loans.total(&reading, BACK);
        self.loans.total(&reading, LENT).saturating_sub(back)
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter")
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}
