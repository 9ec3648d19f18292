//! The same value many times at once: what is made up need not be recorded one by one.

use super::{Histogram, SATURATED, SUM, ZEROS};

impl Histogram {
    /// Counts `value` so many times, as so many calls of [`record`](Self::record) would. Cost: that of one.
    pub(crate) fn record_times(&self, value: u64, times: u64) {
        let blocks = &self.cells.blocks;
        let clamped = value.min(self.buckets.max());
        if value > clamped {
            blocks.shared().add(SATURATED, times);
        }
        let cell = self.buckets.cell(clamped);
        blocks.shared().add_to_cell(cell, times, blocks.memory());
        blocks.shared().add(SUM, clamped.wrapping_mul(times));
        if value == 0 {
            blocks.shared().add(ZEROS, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Buckets, Histogram, Layout};

    #[test]
    fn many_at_once_are_as_many_one_by_one() {
        let buckets = Buckets::new(Layout::durations(), &[0.1]).expect("one bound");
        let (bulk, single) = (Histogram::new(buckets.clone()), Histogram::new(buckets));
        for value in [0, 1, 99_999_999, 100_000_000, 100_000_001, u64::MAX] {
            bulk.record_times(value, 300);
            (0..300).for_each(|_| single.record(value));
        }
        let (bulk, single) = (bulk.snapshot(), single.snapshot());
        assert_eq!(bulk.count(), 1_800);
        assert_eq!(format!("{bulk:?}"), format!("{single:?}"));
    }
}
