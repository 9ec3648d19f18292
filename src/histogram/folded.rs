//! What a reader keeps of a histogram when it only wants to know its bounds.

use super::shard::PAGE;
use super::{Buckets, Histogram, Reading, SATURATED, SUM, Snapshot};

/// Exact cumulative counts at the configured bounds, renewed only when something was recorded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folded {
    /// [`Histogram::mark`] at the last renewal.
    mark: u64,
    /// The number of values at or below each configured bound, in their order.
    pub(crate) at_or_below: Box<[u64]>,
    /// The number of values.
    pub(crate) count: u64,
    /// Their sum in raw steps.
    pub(crate) sum: u64,
    /// How many lay above the range.
    pub(crate) saturated: u64,
}

impl Folded {
    /// Nothing recorded yet.
    pub(crate) fn empty(buckets: &Buckets) -> Self {
        let at_or_below = vec![0; buckets.closing_cells().len()].into();
        Self {
            at_or_below,
            ..Self::default()
        }
    }

    /// Becomes what a snapshot over the same buckets says.
    pub(crate) fn copy(&mut self, snapshot: &Snapshot) {
        self.at_or_below.copy_from_slice(&snapshot.cumulative());
        self.count = snapshot.count();
        self.sum = snapshot.raw_sum();
        self.saturated = snapshot.saturated();
    }

    /// Adds what another one holds, over the same bounds.
    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = self.at_or_below.iter_mut().zip(&other.at_or_below);
        pairs.for_each(|(total, more)| *total += more);
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self.saturated += other.saturated;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.at_or_below.fill(0);
        (self.mark, self.count, self.sum, self.saturated) = (0, 0, 0, 0);
    }
}

impl Histogram {
    /// Makes `folded` what this histogram holds; `false` if nothing was recorded since it last did.
    ///
    /// Every record that ended before the call is in it. Allocates nothing.
    pub(crate) fn fold(&self, reading: &Reading<'_>, folded: &mut Folded) -> bool {
        let mark = self.mark(reading);
        if mark == folded.mark {
            return false;
        }
        folded.clear();
        // Before the cells: what is recorded from now on makes another mark.
        folded.mark = mark;
        let closes = self.buckets().closing_cells();
        self.cells.read(reading, |shard| {
            folded.sum = folded.sum.wrapping_add(shard.head(SUM));
            folded.saturated = folded.saturated.wrapping_add(shard.head(SATURATED));
            // Up to here each holds only what lies above the bound before it.
            let mut bound = 0;
            for at in 0..self.buckets().cell_count().div_ceil(PAGE) {
                let mut cells = [0; PAGE];
                let mut left = shard.add_page_to(at, &mut cells);
                let (start, end) = (at * PAGE, (at + 1) * PAGE);
                folded.count += left;
                let mut from = start;
                while bound < closes.len() && closes[bound] < end {
                    let inside: u64 = cells[from - start..=closes[bound] - start].iter().sum();
                    folded.at_or_below[bound] += inside;
                    (from, left) = (closes[bound] + 1, left - inside);
                    bound += 1;
                }
                if bound < closes.len() {
                    folded.at_or_below[bound] += left;
                }
            }
        });
        let mut total = 0;
        for count in &mut folded.at_or_below {
            total += *count;
            *count = total;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Layout;
    use std::thread;

    #[test]
    fn it_is_what_a_snapshot_says() {
        let bounds = [0.000_001, 0.005, 0.0051, 0.01, 0.1, 2.5, 3600.0];
        for bounds in [&bounds[..], &[]] {
            let buckets = Buckets::new(Layout::durations(), bounds).expect("bounds");
            let histogram = Histogram::new(buckets.clone());
            let mut folded = Folded::empty(&buckets);
            assert!(!histogram.fold(&histogram.reading(), &mut folded));
            for round in 0..20_u64 {
                thread::scope(|scope| {
                    for thread in 0..2 {
                        let histogram = &histogram;
                        let values = (0..200)
                            .map(move |i| (i * 7919 + round + thread).pow(3) % 5_000_000_000_000);
                        scope.spawn(move || values.for_each(|value| histogram.record(value)));
                    }
                });
                assert!(histogram.fold(&histogram.reading(), &mut folded));
                assert!(!histogram.fold(&histogram.reading(), &mut folded));
                let snapshot = histogram.snapshot();
                assert_eq!(*folded.at_or_below, *snapshot.cumulative());
                assert_eq!(
                    (folded.count, folded.sum, folded.saturated),
                    (snapshot.count(), snapshot.raw_sum(), snapshot.saturated())
                );
            }
        }
    }

    #[test]
    fn a_zero_is_seen_though_the_sum_stays() {
        let buckets = Buckets::new(Layout::counts(), &[1.0]).expect("bounds");
        let histogram = Histogram::new(buckets.clone());
        let mut folded = Folded::empty(&buckets);
        for count in 1..=3 {
            histogram.record(0);
            assert!(histogram.fold(&histogram.reading(), &mut folded));
            assert_eq!((folded.count, folded.at_or_below[0]), (count, count));
        }
    }
}
