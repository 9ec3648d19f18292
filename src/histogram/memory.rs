//! What the counters of an instance have in common: how many bytes threads may own before they share, the readers' turn,
//! and the page that stands where there is none.

use super::atomic::{AtomicUsize, Mutex, MutexGuard, Ordering};
use super::page::Page;

/// What the counters of an instance take unless told otherwise: 64 MiB.
pub(crate) const DEFAULT_LIMIT: usize = 64 << 20;

/// Who holds one may read what was counted; one at a time for an instance, and nobody who records waits for it.
///
/// Whoever holds one must not begin another, nor call user code, which might.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    memory: &'a Memory,
    turn: MutexGuard<'a, ()>,
}

impl Reading<'_> {
    /// Lets others read who are waiting to.
    pub(crate) fn pause(&mut self) {
        MutexGuard::bump(&mut self.turn);
    }

    /// What is read: the counters that take their bytes from here.
    pub(super) fn memory(&self) -> &Memory {
        self.memory
    }
}

/// A byte budget, a lock that only readers take, and a page that is full.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    /// By threads. Relaxed throughout: only its own value decides, and it may be exceeded by what races for the rest.
    taken: AtomicUsize,
    /// By what nobody owns, which grows with the series and not with the threads: it has no limit. Relaxed: only shown.
    shared: AtomicUsize,
    readers: Mutex<()>,
    /// Stands in every block where a page is still to be made. Nobody writes it.
    full: Box<Page>,
}

impl Memory {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
            shared: AtomicUsize::new(0),
            readers: Mutex::new(()),
            full: Box::new(Page::full()),
        }
    }

    /// Begins to read, when those who do have ended.
    pub(crate) fn reading(&self) -> Reading<'_> {
        Reading {
            memory: self,
            turn: self.readers.lock(),
        }
    }

    /// A page in which every cell is full.
    pub(super) fn full(&self) -> &Page {
        &self.full
    }

    /// Takes `bytes` if they are left.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let fits = self.taken.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit;
        if fits {
            self.taken.fetch_add(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// Takes `bytes` even if they are not left: for counts that would be lost.
    pub(super) fn take_anyway(&self, bytes: usize) {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Takes `bytes` for what nobody owns.
    pub(super) fn take_shared(&self, bytes: usize) {
        self.shared.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back_shared(&self, bytes: usize) {
        self.shared.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Bytes taken at the moment by threads.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Bytes taken at the moment by what nobody owns.
    pub(crate) fn shared(&self) -> usize {
        self.shared.load(Ordering::Relaxed)
    }
}
