//! The block of what nobody owns: what ended threads counted, and what threads without a block of their own count.
//!
//! Everybody adds atomically, so its cells are wide: a narrow one could run over between two looks at it.

use std::ptr;

use super::atomic::{AtomicPtr, AtomicU64, Ordering};
use super::blocks::Block;
use super::memory::Memory;
use super::shard::{HEAD, PAGE, Shard, bit};

type Page = [AtomicU64; PAGE];

/// A head of a few counters, and pages that come into being when they are first written.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Shared {
    /// The Release additions publish the cells that were added to before; they pair with the Acquire load of
    /// [`head`](Self::head).
    head: [AtomicU64; HEAD],
    /// Null until first written. The Release exchange publishes a zeroed page; it pairs with the Acquire loads of
    /// whoever looks. A page lives as long as its block.
    pages: Box<[AtomicPtr<Page>]>,
}

impl Shared {
    /// A block whose bytes `memory` counts, whatever the limit.
    pub(super) fn new(pages: usize, memory: &Memory) -> Self {
        memory.take_shared(Self::bytes(pages));
        Self {
            head: std::array::from_fn(|_| AtomicU64::new(0)),
            pages: (0..pages)
                .map(|_| AtomicPtr::new(ptr::null_mut()))
                .collect(),
        }
    }

    fn bytes(pages: usize) -> usize {
        size_of::<Self>() + pages * size_of::<AtomicPtr<Page>>()
    }

    /// Adds to the head.
    pub(super) fn add(&self, counter: usize, n: u64) {
        self.head[counter].fetch_add(n, Ordering::Release);
    }

    /// Adds 1 to a cell and, last, `sum` to the head's first counter.
    pub(super) fn count(&self, cell: usize, sum: u64, memory: &Memory) {
        self.add_to_cell(cell, 1, memory);
        self.add(0, sum);
    }

    /// Adds to a cell. What is added to the head afterwards publishes it.
    pub(super) fn add_to_cell(&self, cell: usize, n: u64, memory: &Memory) {
        let page = self
            .page(cell / PAGE)
            .unwrap_or_else(|| self.make_page(cell / PAGE, memory));
        // Relaxed: the addition to the head that follows publishes it.
        page[cell % PAGE].fetch_add(n, Ordering::Relaxed);
    }

    /// The page at `at`, which this or another thread has put there.
    fn make_page(&self, at: usize, memory: &Memory) -> &Page {
        let page = Box::into_raw(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
        let put = self.pages[at].compare_exchange(
            ptr::null_mut(),
            page,
            Ordering::Release,
            Ordering::Acquire,
        );
        match put {
            Ok(_) => {
                memory.take_shared(size_of::<Page>());
                // SAFETY: it came from a box, and stays until the block is dropped.
                unsafe { &*page }
            }
            Err(first) => {
                // SAFETY: another thread was first, so nobody has seen this page; it came from a box.
                drop(unsafe { Box::from_raw(page) });
                // SAFETY: a page that was published stays until the block is dropped.
                unsafe { &*first }
            }
        }
    }

    fn page(&self, at: usize) -> Option<&Page> {
        let page = self.pages[at].load(Ordering::Acquire);
        // SAFETY: null, or a page that was published and stays until the block is dropped.
        unsafe { page.as_ref() }
    }

    /// A [`bit`] for each page that there may be something in.
    pub(super) fn made(&self) -> u64 {
        let made = (0..self.pages.len()).filter(|&at| self.page(at).is_some());
        made.fold(0, |made, at| made | bit(at))
    }

    /// How many pages there may be.
    pub(super) fn pages(&self) -> usize {
        self.pages.len()
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

    /// Adds a block that nobody writes any more.
    pub(super) fn absorb(&self, ended: Shard<'_>, memory: &Memory) {
        for at in Block::Owned(ended).pages() {
            let mut cells = [0; PAGE];
            if ended.add_page_to(at, &mut cells) == 0 {
                continue;
            }
            for (cell, count) in cells.into_iter().enumerate().filter(|cell| cell.1 > 0) {
                self.add_to_cell(at * PAGE + cell, count, memory);
            }
        }
        (0..HEAD).for_each(|counter| self.add(counter, ended.head(counter)));
    }

    /// Gives back what the block took, whose end this is.
    pub(super) fn give_back(&self, memory: &Memory) {
        let made = (0..self.pages.len()).filter(|&at| self.page(at).is_some());
        memory.give_back_shared(Self::bytes(self.pages.len()) + made.count() * size_of::<Page>());
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for page in &self.pages {
            let page = page.load(Ordering::Acquire);
            if !page.is_null() {
                // SAFETY: it came from a box, and this is the last that anybody sees of the block.
                drop(unsafe { Box::from_raw(page) });
            }
        }
    }
}
