//! What looks like a mistake in how somebody set the measuring up, counted where it shows.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of what should not be. Relaxed: independent counts.
#[derive(Debug, Default)]
pub(crate) struct Oddities {
    stacked: AtomicU64,
}

impl Oddities {
    /// A layer found that another one further out counts the same request, and did nothing.
    #[cold]
    pub(crate) fn stacked(&self) {
        self.stacked.fetch_add(1, Ordering::Relaxed);
    }
}
