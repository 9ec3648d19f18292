//! Work that is started at a steady pace, and what a stall hides of it.

use super::Histogram;

/// The most missing values that one call adds.
const MOST: u64 = 10_000;

impl Histogram {
    /// Counts `value`, and the values that were never measured because it took longer than the pace allows.
    ///
    /// A poll that is due every `interval` and once takes five of them keeps four others waiting, which would have
    /// taken four, three, two and one: without them the stall counts as one slow poll (coordinated omission). Both
    /// numbers are in the layout's raw unit (nanoseconds); an interval of 0 adds nothing. Use it only where work is
    /// started one after the other at a fixed pace: elsewhere it invents values.
    ///
    /// Returns how many missing values were left out: at most 10,000 are added, the greatest ones.
    ///
    /// Cost: one [`record`](Self::record) for each value, at most 10,001 (about 20 µs).
    ///
    /// ```
    /// # use plimsoll::{Buckets, Histogram, Layout};
    /// let polls = Histogram::new(Buckets::new(Layout::durations(), &[])?);
    /// let ms = 1_000_000;
    /// polls.record_paced(5 * ms, ms);
    /// assert_eq!(polls.count(), 5);
    /// assert_eq!(polls.snapshot().sum(), 0.015);
    /// # Ok::<(), plimsoll::LayoutError>(())
    /// ```
    pub fn record_paced(&self, value: u64, interval: u64) -> u64 {
        self.record(value);
        // Once out of range is enough to be counted as such.
        let value = value.min(self.buckets().max());
        let missing = value.checked_div(interval).unwrap_or(0).saturating_sub(1);
        let added = missing.min(MOST);
        (1..=added).for_each(|nth| self.record(value - nth * interval));
        missing - added
    }
}
