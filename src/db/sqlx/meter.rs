//! What the connections of one pool have in common.

use super::super::guard::Counted;
use super::super::transactions::TransactionEnd;
use super::super::{Database, DoubleQuotes, Guard, Transactions};
use super::driver::Driver;
use super::query::Taken;
use crate::histogram::Cells;
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;
use std::fmt;

/// Where statements, transactions and loans are counted.
pub(super) struct Meter {
    db: Database,
    transactions: Transactions,
    unmeasured: Counter,
    /// How many times a connection was lent out, and came back.
    loans: Cells,
}

const LENT: usize = 0;
const BACK: usize = 1;

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
            loans: Cells::new(0, plimsoll.registry().memory_of_cells().clone()),
        })
    }

    /// What a statement is counted as.
    pub(super) fn find(&self, sql: &str) -> Counted {
        self.db.find(sql, None)
    }

    /// What a query is counted as, which may have a name.
    pub(super) fn find_query<DB: Driver>(&self, query: &Taken<DB>) -> Counted {
        self.db.find(query.text(), query.name())
    }

    /// Counts a statement as begun.
    pub(super) fn begin(&self, sql: &str) -> Guard {
        Guard::begin(self.find(sql))
    }

    pub(super) fn transaction_ended(&self, end: TransactionEnd) {
        self.transactions.ended(end);
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
