//! Which block a thread writes to: each leases one of its own.
//!
//! A thread finds its block through a thread-local table, indexed by a small number that a [`Cells`] borrows for its
//! life, and verified by an id that is never used twice. When a thread ends, the next reader folds what it counted into
//! the block that nobody owns. Threads that are being torn down, and those that come when the byte budget is spent, add
//! to that one as well.

use std::sync::Arc;

use super::blocks::{Block, Blocks};
use super::leases::Slot;
use super::memory::{Memory, Reading};
use super::shard::{PAGE, Shard};

/// Cumulative counters with one writer per block and any number of readers.
#[derive(Debug)]
pub(crate) struct Cells {
    slot: Slot,
    pub(super) blocks: Blocks,
}

impl Cells {
    /// Counters in the head, and enough pages for `cells` more.
    pub(crate) fn new(cells: usize, memory: Arc<Memory>) -> Self {
        Self {
            slot: Slot::new(),
            blocks: Blocks::new(cells.div_ceil(PAGE), memory),
        }
    }

    /// Adds `n` to a counter of the head, from whichever thread.
    #[inline]
    pub(crate) fn add(&self, counter: usize, n: u64) {
        match self.own() {
            Some(own) => own.add(counter, n),
            None => self.blocks.shared().add(counter, n),
        }
    }

    /// Adds 1 to a cell and `sum` to the head's first counter; `false`, and nothing added, unless the calling thread has
    /// a block of its own with the cell's page in it.
    ///
    /// # Safety
    ///
    /// `cell` is in one of the pages, or in the page after the last, which is never there.
    #[inline]
    pub(super) unsafe fn quick_count(&self, cell: usize, sum: u64) -> bool {
        match self.quick() {
            // SAFETY: the caller's promise, handed on: every block has the pages of its `Cells`.
            Some(own) => unsafe { own.quick_count(cell, sum) },
            None => false,
        }
    }

    /// Adds 1 to a cell and `sum` to the head's first counter, from whichever thread.
    pub(super) fn count(&self, cell: usize, sum: u64) {
        let memory = self.blocks.memory();
        let counted = self.own().is_some_and(|own| own.count(cell, sum, memory));
        if !counted {
            self.blocks.shared().count(cell, sum, memory);
        }
    }

    /// The calling thread's block; `None` if it has to share.
    #[inline]
    fn own(&self) -> Option<Shard<'_>> {
        self.quick()
            .or_else(|| self.slot.keep(|| self.blocks.lease()))
    }

    /// The calling thread's block, if it has leased one.
    #[inline]
    fn quick(&self) -> Option<Shard<'_>> {
        // SAFETY: only what was leased from `blocks` is kept under the slot, and that is there as long as they are.
        unsafe { self.slot.leased() }
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.blocks.memory().reading()
    }

    /// Shows every block in turn, after folding those of ended threads into one.
    #[inline]
    pub(super) fn read(&self, reading: &Reading<'_>, show: impl FnMut(&Block<'_>)) {
        self.blocks.read(reading, show);
    }

    /// The total of one counter of the head.
    pub(crate) fn total(&self, reading: &Reading<'_>, counter: usize) -> u64 {
        let mut total = 0_u64;
        self.read(reading, |block| {
            total = total.wrapping_add(block.head(counter))
        });
        total
    }
}
