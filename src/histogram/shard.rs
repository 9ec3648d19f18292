//! A block of cumulative counters: a head of a few, and pages that come into being when they are first written.
//!
//! One thread owns a block and writes it with plain loads and stores; or nobody does, and all threads add to it
//! atomically. Readers look at any time. Nothing here knows which thread it runs on.

use std::ptr;
use std::sync::Arc;

use super::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use super::memory::Memory;

/// Counters in the head: sum and saturated values of a histogram, or what a plain counter needs.
pub(super) const HEAD: usize = 6;
/// Counters in a page: one octave of buckets.
pub(super) const PAGE: usize = 64;

type Page = [AtomicU64; PAGE];

/// A block of counters. The head and the way to the pages share a cache line that no other block touches.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Shard {
    head: [AtomicU64; HEAD],
    /// Null until first written; the last one always, for cells that are none. The Release exchange publishes a zeroed page; it pairs with the Acquire loads of
    /// readers. A page lives as long as its block.
    pages: Box<[AtomicPtr<Page>]>,
    /// True while a living thread owns the block. The Release store at a thread's end publishes its last writes; it
    /// pairs with the Acquire load of whoever folds the block away.
    leased: AtomicBool,
    memory: Arc<Memory>,
}

impl Shard {
    /// A block that takes its bytes from `memory`, or `None` if they are not left.
    pub(super) fn owned(pages: usize, memory: &Arc<Memory>) -> Option<Self> {
        memory
            .take(Self::bytes(pages))
            .then(|| Self::make(pages, memory, true))
    }

    /// A block without an owner.
    pub(super) fn shared(pages: usize, memory: &Arc<Memory>) -> Self {
        memory.take_anyway(Self::bytes(pages));
        Self::make(pages, memory, false)
    }

    fn make(pages: usize, memory: &Arc<Memory>, leased: bool) -> Self {
        Self {
            head: std::array::from_fn(|_| AtomicU64::new(0)),
            pages: (0..=pages)
                .map(|_| AtomicPtr::new(ptr::null_mut()))
                .collect(),
            leased: AtomicBool::new(leased),
            memory: memory.clone(),
        }
    }

    fn bytes(pages: usize) -> usize {
        size_of::<Self>() + (pages + 1) * size_of::<AtomicPtr<Page>>()
    }

    /// Adds to the head, by the owner. Load and store apart, for nobody else writes here; the Release store publishes
    /// what the owner wrote before, and pairs with the Acquire load of [`head`](Self::head).
    #[inline]
    pub(super) fn own_add(&self, counter: usize, n: u64) {
        bump(&self.head[counter], n);
    }

    /// Adds 1 to a cell and `sum` to the head's first counter, by the owner; `false`, and nothing added, if the cell's
    /// page is still to be made.
    pub(super) fn own_count(&self, cell: usize, sum: u64) -> bool {
        // SAFETY: the cell is in a page of the block.
        cell / PAGE < self.pages.len() && unsafe { self.own_count_unchecked(cell, sum) }
    }

    /// [`own_count`](Self::own_count) without a look at the number of pages.
    ///
    /// The sum goes last: a reader that sees it (Acquire) sees the cell, and learns from it that something is new.
    ///
    /// # Safety
    ///
    /// `cell` is below `PAGE` times one more than the number of pages that the block was made with.
    #[inline]
    pub(super) unsafe fn own_count_unchecked(&self, cell: usize, sum: u64) -> bool {
        // SAFETY: `pages` is one longer than the number that the block was made with.
        let page = unsafe { self.pages.get_unchecked(cell / PAGE) };
        // Relaxed: the owner made the page itself.
        let page = page.load(Ordering::Relaxed);
        if page.is_null() {
            return false;
        }
        // SAFETY: a page that was published stays where it is until the block is dropped.
        bump(unsafe { &(&*page)[cell % PAGE] }, 1);
        bump(&self.head[0], sum);
        true
    }

    /// Adds to the head of a block without an owner. Release for the pairing of [`own_add`](Self::own_add).
    pub(super) fn shared_add(&self, counter: usize, n: u64) {
        self.head[counter].fetch_add(n, Ordering::Release);
    }

    /// [`own_count`](Self::own_count) on a block without an owner; its pages are always to be had.
    pub(super) fn shared_count(&self, cell: usize, sum: u64) {
        self.add_anyway(cell, 1, sum);
    }

    fn add_anyway(&self, cell: usize, n: u64, sum: u64) {
        if self.page(cell / PAGE).is_none() {
            self.memory.take_anyway(size_of::<Page>());
            self.publish_page(cell / PAGE);
        }
        if let Some(page) = self.page(cell / PAGE) {
            page[cell % PAGE].fetch_add(n, Ordering::Relaxed);
        }
        self.head[0].fetch_add(sum, Ordering::Release);
    }

    /// Makes the page of a cell; `false` if its bytes are not left.
    pub(super) fn make_page(&self, cell: usize) -> bool {
        let made = self.memory.take(size_of::<Page>());
        if made {
            self.publish_page(cell / PAGE);
        }
        made
    }

    /// Puts a zeroed page where there is none; its bytes are taken already.
    fn publish_page(&self, at: usize) {
        let page = Box::into_raw(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        let put = self.pages[at].compare_exchange(
            ptr::null_mut(),
            page,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if put.is_err() {
            self.memory.give_back(size_of::<Page>());
            // SAFETY: another thread was first, so nobody has seen this page; it came from a box.
            drop(unsafe { Box::from_raw(page) });
        }
    }

    fn page(&self, at: usize) -> Option<&Page> {
        let page = self.pages[at].load(Ordering::Acquire);
        // SAFETY: null, or a page that was published and stays until the block is dropped.
        unsafe { page.as_ref() }
    }

    /// A counter of the head. Read it before the cells that it sums up.
    pub(super) fn head(&self, counter: usize) -> u64 {
        self.head[counter].load(Ordering::Acquire)
    }

    /// Adds the cells of page `at` to `cells`, which may be fewer; returns their total, 0 if there is no such page.
    pub(super) fn add_page_to(&self, at: usize, cells: &mut [u64]) -> u64 {
        let mut total = 0;
        for (cell, counted) in cells.iter_mut().zip(self.page(at).into_iter().flatten()) {
            let counted = counted.load(Ordering::Relaxed);
            *cell += counted;
            total += counted;
        }
        total
    }

    /// Adds another block, which nobody writes any more.
    pub(super) fn absorb(&self, other: &Self) {
        for (to, from) in self.head.iter().zip(&other.head) {
            to.fetch_add(from.load(Ordering::Relaxed), Ordering::Release);
        }
        for at in 0..other.pages.len() {
            for (cell, count) in other.page(at).into_iter().flatten().enumerate() {
                match count.load(Ordering::Relaxed) {
                    0 => {}
                    count => self.add_anyway(at * PAGE + cell, count, 0),
                }
            }
        }
    }

    pub(super) fn is_leased(&self) -> bool {
        self.leased.load(Ordering::Acquire)
    }

    /// The owner will not write any more.
    pub(super) fn release(&self) {
        self.leased.store(false, Ordering::Release);
    }
}

impl Drop for Shard {
    fn drop(&mut self) {
        let mut bytes = Self::bytes(self.pages.len() - 1);
        for page in &self.pages {
            let page = page.load(Ordering::Acquire);
            if !page.is_null() {
                bytes += size_of::<Page>();
                // SAFETY: it came from a box, and this is the last that anybody sees of the block.
                drop(unsafe { Box::from_raw(page) });
            }
        }
        self.memory.give_back(bytes);
    }
}

/// Adds to a counter that only this thread writes.
#[inline]
fn bump(counter: &AtomicU64, n: u64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(n),
        Ordering::Release,
    );
}
