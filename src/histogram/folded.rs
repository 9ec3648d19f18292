//! What a reader keeps of a histogram when it only wants to know its bounds.

use super::blocks::Block;
use super::{Buckets, Histogram, PAGE, Reading, SATURATED, SUM, Snapshot, ZEROS};

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
    /// What the block that nobody owns holds of it: the largest one, and the one that hardly ever changes.
    shared: Part,
}

/// What one block holds.
#[derive(Debug, Clone, Default)]
struct Part {
    /// That of the block.
    mark: u64,
    /// Above each bound's predecessor and up to it; empty stands for none.
    counts: Box<[u64]>,
    count: u64,
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
        add(&mut self.at_or_below, &other.at_or_below);
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self.saturated += other.saturated;
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.at_or_below.fill(0);
        (self.count, self.sum, self.saturated) = (0, 0, 0);
    }

    /// Adds what a block holds; the counts are those between bounds.
    fn take(&mut self, block: &Block<'_>, closes: &[usize]) {
        let mark = mark(block);
        self.sum = self.sum.wrapping_add(block.head(SUM));
        self.saturated = self.saturated.wrapping_add(block.head(SATURATED));
        match block {
            Block::Owned(_) => self.count += block.fold(closes, &mut self.at_or_below),
            Block::Shared(_) => {
                if mark != self.shared.mark {
                    self.shared.renew(block, closes);
                    self.shared.mark = mark;
                }
                add(&mut self.at_or_below, &self.shared.counts);
                self.count += self.shared.count;
            }
        }
    }
}

impl Part {
    fn renew(&mut self, block: &Block<'_>, closes: &[usize]) {
        if self.counts.is_empty() {
            self.counts = vec![0; closes.len()].into();
        }
        self.counts.fill(0);
        self.count = block.fold(closes, &mut self.counts);
    }
}

fn add(totals: &mut [u64], more: &[u64]) {
    let pairs = totals.iter_mut().zip(more);
    pairs.for_each(|(total, more)| *total += more);
}

/// A number that is another one whenever a record in this block has ended.
pub(super) fn mark(block: &Block<'_>) -> u64 {
    block.head(SUM).wrapping_add(block.head(ZEROS))
}

impl Block<'_> {
    /// Adds what lies above each bound's predecessor and up to it to `counts`; returns how much there is in all.
    ///
    /// `closes` are the cells that the bounds close, ascending.
    fn fold(&self, closes: &[usize], counts: &mut [u64]) -> u64 {
        let (mut bound, mut total, mut cells) = (0, 0, [0; PAGE]);
        for at in self.pages() {
            let (start, end) = (at * PAGE, (at + 1) * PAGE);
            let mut left = self.add_page_to(at, &mut cells);
            total += left;
            while closes.get(bound).is_some_and(|&close| close < start) {
                bound += 1;
            }
            let mut from = 0;
            while let Some(&close) = closes.get(bound).filter(|close| **close < end) {
                let inside: u64 = cells[from..=close - start].iter().sum();
                counts[bound] += inside;
                (from, left, bound) = (close - start + 1, left - inside, bound + 1);
            }
            if let Some(count) = counts.get_mut(bound) {
                *count += left;
            }
            cells.fill(0);
        }
        total
    }
}

impl Histogram {
    /// Makes `folded` what this histogram holds; `false` if nothing was recorded since it last did.
    ///
    /// Every record that ended before the call is in it. Allocates once at most.
    pub(crate) fn fold(&self, reading: &Reading<'_>, folded: &mut Folded) -> bool {
        let mark = self.mark(reading);
        if mark == folded.mark {
            return false;
        }
        folded.clear();
        // Before the cells: what is recorded from now on makes another mark.
        folded.mark = mark;
        let closes = self.buckets().closing_cells();
        self.cells.read(reading, |block| folded.take(block, closes));
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
