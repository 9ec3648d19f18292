//! What became of transactions.

use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::InstrumentError;

/// How a transaction ended.
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

/// Counts transactions by how they ended, of drivers for which there is no wrapper. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Transactions {
    ends: [Counter; TransactionEnd::ALL.len()],
}

impl Plimsoll {
    /// Counts transactions in `db_transactions_total` under the label `pool` = `name`. They stand at 0 from here on.
    ///
    /// ```
    /// use plimsoll::Plimsoll;
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let transactions = plimsoll.transactions("shop")?;
    /// let open = transactions.begin(); // where the driver's `BEGIN` was successful
    /// open.committed(); // where its `COMMIT` was
    /// # assert!(plimsoll.render().contains("db_transactions_total{pool=\"shop\",end=\"committed\"} 1\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] when `db_transactions_total`, with the configured prefix, was registered before as something
    /// else than a counter by `pool` and `end`.
    pub fn transactions(&self, name: &str) -> Result<Transactions, InstrumentError> {
        let counter = |end: TransactionEnd| {
            self.counter("db_transactions_total")
                .help("Transactions that ended, by how.")
                .label("pool", name)
                .label("end", end.as_str())
                .register()
        };
        let [committed, rolled_back, dropped] = TransactionEnd::ALL.map(counter);
        Ok(Transactions {
            ends: [committed?, rolled_back?, dropped?],
        })
    }
}

impl Transactions {
    /// A transaction was begun; what this returns counts its end. Cost of an end: that of a [`Counter`].
    pub fn begin(&self) -> OpenTransaction {
        OpenTransaction(Some(self.clone()))
    }

    pub(super) fn ended(&self, end: TransactionEnd) {
        self.ends[end as usize].increment();
    }
}

/// A transaction that is open. Dropped without an end it counts as dropped: neither a commit nor a rollback ended it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as dropped"]
pub struct OpenTransaction(Option<Transactions>);

impl OpenTransaction {
    /// It was committed.
    pub fn committed(self) {
        self.end(TransactionEnd::Committed);
    }

    /// It was rolled back.
    pub fn rolled_back(self) {
        self.end(TransactionEnd::RolledBack);
    }

    pub(super) fn end(mut self, end: TransactionEnd) {
        if let Some(transactions) = self.0.take() {
            transactions.ended(end);
        }
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        if let Some(transactions) = &self.0 {
            transactions.ended(TransactionEnd::Dropped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transaction_has_one_end() {
        let plimsoll = Plimsoll::builder().build().expect("defaults");
        let transactions = plimsoll.transactions("shop").expect("a new name");
        transactions.begin().committed();
        transactions.begin().rolled_back();
        transactions.begin().rolled_back();
        drop([(); 3].map(|()| transactions.begin()));
        let ends = transactions.ends.each_ref().map(Counter::value);
        assert_eq!(ends, [1, 2, 3]);
    }
}
