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

mod layout;
mod paced;
mod shard;
mod snapshot;

pub(crate) use layout::nanos;
pub use layout::{Buckets, Layout, LayoutError, Unit};
pub(crate) use shard::Cells;
pub use snapshot::Snapshot;
pub(crate) use snapshot::bucket_quantile;

use std::sync::Arc;

/// Where the sum stands in the cells of a shard.
const SUM: usize = 0;
/// Where the number of clamped values stands.
const SATURATED: usize = 1;
/// The first bucket cell.
const FIRST: usize = 2;

/// A concurrent histogram of `u64` values (nanoseconds for durations).
///
/// Cost of [`record`](Self::record): about 2 ns; 16 KiB per recording thread with the default range.
#[derive(Debug)]
pub struct Histogram {
    buckets: Arc<Buckets>,
    cells: Cells,
}

impl Histogram {
    /// An empty histogram over these buckets.
    pub fn new(buckets: Arc<Buckets>) -> Self {
        let cells = Cells::new(FIRST + buckets.cell_count());
        Self { buckets, cells }
    }

    /// The buckets it counts into.
    pub fn buckets(&self) -> &Arc<Buckets> {
        &self.buckets
    }

    /// Counts `value`, given in the layout's raw unit: nanoseconds, items, bytes, or billionths of a ratio.
    ///
    /// A value above the range counts, and is summed, as the range's end, and is counted as saturated.
    /// Never blocks, allocates or fails; the first record of a thread leases a shard.
    #[inline]
    pub fn record(&self, value: u64) {
        let clamped = value.min(self.buckets.max());
        let cell = FIRST + self.buckets.cell(clamped);
        let saturated = value > clamped;
        match self.cells.own() {
            // The sum goes first: a reader that sees the bucket (Acquire) sees at least its share of the sum.
            Some(own) => {
                own.add(SUM, clamped);
                if saturated {
                    own.add(SATURATED, 1);
                }
                own.publish(cell, 1);
            }
            None => {
                let shared = self.cells.shared();
                shared.add(SUM, clamped);
                if saturated {
                    shared.add(SATURATED, 1);
                }
                shared.add(cell, 1);
            }
        }
    }

    /// An immutable copy of everything recorded so far, by whichever thread.
    ///
    /// Every record that ended before the call is in it. Cost: one pass over the cells of each shard.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::empty(self.buckets.clone());
        self.add_to(&mut snapshot);
        snapshot
    }

    /// Adds what was recorded to `snapshot`, which must be over the same buckets.
    pub(crate) fn add_to(&self, snapshot: &mut Snapshot) {
        debug_assert!(Arc::ptr_eq(&self.buckets, snapshot.buckets()));
        self.cells
            .read(|cells| snapshot.add_cells(&cells[FIRST..], &cells[SUM], &cells[SATURATED]));
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Drop + '_ {
        self.cells.hold_lock()
    }

    /// The number of values recorded. Cost: one pass over the cells.
    pub fn count(&self) -> u64 {
        self.snapshot().count()
    }
}

#[cfg(test)]
mod tests;
