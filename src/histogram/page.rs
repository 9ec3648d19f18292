//! The cells of one octave in a block that one thread writes: narrow ones, and wide ones behind them once they fill up.
//!
//! A count is made of a narrow cell, at most [`FULL`], and of how often that was emptied. The owner empties a cell in
//! three steps, and says in `turns` that it is between the first and the last. At that moment the count is a multiple of
//! `FULL` whatever the cell shows, so a reader that meets it there knows the count too: neither waits for the other.

use std::{fmt, ptr};

use super::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use super::memory::Memory;
use super::{FULL, PAGE};

/// Twice how often each cell was emptied, and one more while it is.
type Turns = [AtomicU64; PAGE];

/// Cells that their owner counts in with plain loads and stores, while readers look at any time.
#[repr(C)]
pub(super) struct Page {
    /// Written by the owner. The Release stores publish the turns before; they pair with the Acquire load of readers,
    /// who see the turn if they see that the cell was emptied.
    /// First, so that the page stands where its cells do.
    narrow: [AtomicU32; PAGE],
    /// Null until a cell is full for the first time. The Release store publishes zeros; it pairs with the Acquire load
    /// of readers. They stay as long as the page. Each is written by the owner: the Release store that ends a turn
    /// publishes the emptied cell to the Acquire load of readers.
    turns: AtomicPtr<Turns>,
}

impl Page {
    /// What a page takes, and what it takes in addition when a cell is full.
    pub(super) const BYTES: usize = size_of::<Self>();
    const MORE_BYTES: usize = size_of::<Turns>();

    pub(super) fn new() -> Self {
        Self::holding(0)
    }

    /// A page that nobody can count in, to stand where there is none.
    pub(super) fn full() -> Self {
        Self::holding(FULL)
    }

    fn holding(count: u32) -> Self {
        Self {
            narrow: std::array::from_fn(|_| AtomicU32::new(count)),
            turns: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds 1 to a cell, by the owner; `false`, and nothing added, if it is full.
    #[inline]
    pub(super) fn count(narrow: &AtomicU32) -> bool {
        // Relaxed: the owner wrote it itself.
        let count = narrow.load(Ordering::Relaxed) + 1;
        let fits = count <= FULL;
        if fits {
            narrow.store(count, Ordering::Release);
        }
        fits
    }

    /// Adds 1 to a cell, by the owner, and makes room for it before if there is none.
    pub(super) fn count_anyway(&self, cell: usize, memory: &Memory) {
        if !Self::count(&self.narrow[cell]) {
            self.empty(cell, memory);
            Self::count(&self.narrow[cell]);
        }
    }

    fn empty(&self, cell: usize, memory: &Memory) {
        // Relaxed: the owner made and wrote them itself.
        let mut turns = self.turns.load(Ordering::Relaxed);
        if turns.is_null() {
            // What is counted is never left out, so these bytes are always to be had.
            memory.take_anyway(Self::MORE_BYTES);
            turns = Box::into_raw(Box::new(std::array::from_fn(|_| AtomicU64::new(0))));
            self.turns.store(turns, Ordering::Release);
        }
        // SAFETY: it came from a box, and stays until the page is dropped.
        let turns = unsafe { &(&*turns)[cell] };
        let turn = turns.load(Ordering::Relaxed);
        turns.store(turn + 1, Ordering::Relaxed);
        self.narrow[cell].store(0, Ordering::Release);
        turns.store(turn + 2, Ordering::Release);
    }

    /// Adds each count to one of `cells`, which may be fewer; returns their total.
    pub(super) fn add_to(&self, cells: &mut [u64]) -> u64 {
        if self.turns().is_none() {
            let narrow: [u32; PAGE] =
                std::array::from_fn(|cell| self.narrow[cell].load(Ordering::Acquire));
            // No cell had been emptied by then: they are the counts.
            if self.turns().is_none() {
                return add(cells, |cell| narrow[cell].into());
            }
        }
        add(cells, |cell| self.get(cell))
    }

    /// The count of one cell.
    fn get(&self, cell: usize) -> u64 {
        let turn = || {
            self.turns()
                .map_or(0, |turns| turns[cell].load(Ordering::Acquire))
        };
        let before = turn();
        let narrow = self.narrow[cell].load(Ordering::Acquire);
        let emptied = before / 2 * u64::from(FULL);
        // Where the cell was being emptied meanwhile it was full, at a moment between the two looks at the least.
        let being_emptied = before % 2 == 1 || turn() != before;
        emptied + u64::from(if being_emptied { FULL } else { narrow })
    }

    fn turns(&self) -> Option<&Turns> {
        let turns = self.turns.load(Ordering::Acquire);
        // SAFETY: null, or what `empty` published, which stays until the page is dropped.
        unsafe { turns.as_ref() }
    }

    /// Gives back what the page took, whose end this is.
    pub(super) fn give_back(&self, memory: &Memory) {
        let more = match self.turns().is_some() {
            true => Self::MORE_BYTES,
            false => 0,
        };
        memory.give_back(Self::BYTES + more);
    }
}

/// Adds the count of each cell to `cells`, which may be fewer; returns their total.
#[inline]
fn add(cells: &mut [u64], count: impl Fn(usize) -> u64) -> u64 {
    let mut total = 0;
    for (at, cell) in cells.iter_mut().enumerate().take(PAGE) {
        let count = count(at);
        *cell += count;
        total += count;
    }
    total
}

// Without the counts: they would flood a log line.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let turns = self.turns.load(Ordering::Acquire);
        if !turns.is_null() {
            // SAFETY: it came from a box, and this is the last that anybody sees of the page.
            drop(unsafe { Box::from_raw(turns) });
        }
    }
}
