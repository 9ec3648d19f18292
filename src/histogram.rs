//! Why it exists: many threads record at once, one reader takes a picture, and nothing is lost in between.
//!
//! A [`Histogram`] counts integers into base-2 exponential buckets, 64 to the octave (Prometheus schema 6), split
//! wherever a configured bound falls inside one, so that every `le` bound is exact. Cells are cumulative for ever;
//! nobody resets them. Each thread writes cells of its own with a plain load and store.
//!
//! ```
//! use plimsoll::{Buckets, Histogram, Layout};
//!
//! let buckets = Buckets::new(Layout::durations(), &[0.1, 0.2])?; // seconds
//! let histogram = Histogram::new(buckets);
//! for ms in 1..=200_u64 {
//!     histogram.record(ms * 1_000_000); // nanoseconds
//! }
//! let snapshot = histogram.snapshot();
//! assert_eq!(snapshot.count(), 200);
//! assert_eq!(snapshot.at_or_below(0.1), Some(100)); // exact
//! let p95 = snapshot.quantile(0.95).unwrap();
//! assert!((p95 - 0.190).abs() < 0.190 * 0.0055);
//! # Ok::<(), plimsoll::LayoutError>(())
//! ```
//!
//! This room never reads a clock and never sees a label.

mod blocks;
#[cfg(feature = "generate")]
mod bulk;
mod cells;
mod exemplar;
mod folded;
mod follower;
mod layout;
mod leases;
mod memory;
mod native;
mod paced;
mod page;
mod shard;
mod shared;
mod snapshot;

/// The atomics of this room, apart so that a model checker can put its own in their place.
mod atomic {
    pub(super) use std::alloc::{alloc, dealloc};
    pub(super) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

    pub(super) use parking_lot::{Mutex, MutexGuard};
}

pub(crate) use cells::Cells;
pub(crate) use exemplar::RawExemplar;
pub use exemplar::{Exemplar, TraceId, TraceIdError};
pub(crate) use folded::Folded;
pub(crate) use follower::Follower;
pub(crate) use layout::nanos;
pub use layout::{Buckets, Layout, LayoutError, Unit};
pub(crate) use memory::{DEFAULT_LIMIT, Memory, Reading};
pub use native::{NativeBuckets, NativeSchema};
pub use snapshot::Snapshot;

use std::sync::Arc;

use exemplar::Exemplars;
use once_cell::race::OnceBox;

/// Where the sum stands in a block's head.
const SUM: usize = 0;
/// Where the number of clamped values stands.
const SATURATED: usize = 1;
/// Where the number of zeros stands, which the sum does not show.
const ZEROS: usize = 2;
/// Counters in a page: one octave of buckets.
const PAGE: usize = 64;
/// The most that a narrow cell counts until it is emptied; one more is negative, which takes no comparison to find out.
/// Small in tests, so that they see it happen.
const FULL: u32 = if cfg!(test) { 16 } else { i32::MAX as u32 };

/// A concurrent histogram of `u64` values (nanoseconds for durations).
///
/// Cost of [`record`](Self::record): about 2 ns. Memory: 0.4 KiB for each thread that records, and 0.26 KiB for each
/// octave that it touches; 0.5 KiB more for one in which a cell has counted two thousand million values.
#[derive(Debug)]
pub struct Histogram {
    buckets: Arc<Buckets>,
    cells: Cells,
    /// Made when the first value comes with a trace id.
    exemplars: OnceBox<Exemplars>,
}

impl Histogram {
    /// An empty histogram over these buckets, with a byte budget of its own (64 MiB, after which threads share).
    pub fn new(buckets: Arc<Buckets>) -> Self {
        Self::within(buckets, Arc::new(Memory::new(DEFAULT_LIMIT)))
    }

    /// An empty histogram that takes its blocks from `memory`.
    pub(crate) fn within(buckets: Arc<Buckets>, memory: Arc<Memory>) -> Self {
        let cells = Cells::new(buckets.cell_count(), memory);
        Self {
            buckets,
            cells,
            exemplars: OnceBox::new(),
        }
    }

    /// The buckets it counts into.
    pub fn buckets(&self) -> &Arc<Buckets> {
        &self.buckets
    }

    /// Counts `value`, given in the layout's raw unit: nanoseconds, items, bytes, or billionths of a ratio.
    ///
    /// A value above the range counts, and is summed, as the range's end, and is counted as saturated.
    /// Never blocks or fails. The first record of a thread, and its first into an octave, make room for it.
    #[inline]
    pub fn record(&self, value: u64) {
        let counted = self.buckets.quick_cell(value).is_some_and(|cell| {
            // SAFETY: the cells were made for these buckets, whose quick cells go one page beyond them at most.
            unsafe { self.cells.quick_count(cell, value) }
        });
        if !counted {
            self.record_slowly(value);
        }
    }

    /// For values outside the range or near several bounds, a thread's first record, and its first into an octave.
    #[cold]
    #[inline(never)]
    fn record_slowly(&self, value: u64) {
        let clamped = value.min(self.buckets.max());
        if value > clamped {
            self.cells.add(SATURATED, 1);
        }
        self.cells.count(self.buckets.cell(clamped), clamped);
        if value == 0 {
            self.cells.add(ZEROS, 1);
        }
    }

    /// An immutable copy of everything recorded so far, by whichever thread.
    ///
    /// Every record that ended before the call is in it. Cost: one pass over the cells of each shard.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::empty(self.buckets.clone());
        self.add_to(&self.cells.reading(), &mut snapshot);
        snapshot
    }

    /// Makes `snapshot`, which must be over the same buckets, what [`snapshot`](Self::snapshot) would return.
    pub(crate) fn read_into(&self, reading: &Reading<'_>, snapshot: &mut Snapshot) {
        snapshot.clear();
        self.add_to(reading, snapshot);
    }

    /// Adds what was recorded to `snapshot`, which must be over the same buckets.
    pub(crate) fn add_to(&self, reading: &Reading<'_>, snapshot: &mut Snapshot) {
        debug_assert!(Arc::ptr_eq(&self.buckets, snapshot.buckets()));
        self.cells
            .read(reading, |shard| snapshot.add(shard, SUM, SATURATED));
    }

    /// Begins to read.
    #[cfg(test)]
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.cells.reading()
    }

    /// A number that is another one whenever a record has ended since it was last asked for.
    pub(crate) fn mark(&self, reading: &Reading<'_>) -> u64 {
        let mut mark = 0_u64;
        self.cells.read(reading, |block| {
            mark = mark.wrapping_add(folded::mark(block))
        });
        mark
    }

    /// The number of values recorded. Cost: one pass over the cells.
    pub fn count(&self) -> u64 {
        self.snapshot().count()
    }
}

#[cfg(test)]
mod tests;
