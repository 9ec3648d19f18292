//! How many bytes of counters the threads of an instance may own before they share.

use std::marker::PhantomData;

use super::atomic::{AtomicUsize, Ordering};

/// What the counters of an instance take unless told otherwise: 64 MiB.
pub(crate) const DEFAULT_LIMIT: usize = 64 << 20;

/// Who holds one may read what was counted; one at a time for an instance, and nobody who records waits for it.
#[derive(Debug)]
pub(crate) struct Reading<'a>(PhantomData<&'a Memory>);

impl Reading<'_> {
    /// Lets others read who are waiting to.
    pub(crate) fn pause(&mut self) {}
}

/// A byte budget. Relaxed throughout: only its own value decides, and it may be exceeded by what races for the rest.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    taken: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
        }
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading(PhantomData)
    }

    /// Takes `bytes` if they are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let fits = self.taken.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit;
        if fits {
            self.taken.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Takes `bytes` even if they are not left: for the blocks that all threads share.
    pub(super) fn take_anyway(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes taken at the moment.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}
