//! What a reader keeps of a histogram to learn cell by cell what is new.

use super::shard::PAGE;
use super::{Histogram, Reading, SUM};

/// A copy of the cells that hold something, renewed only when something was recorded.
///
/// Memory: half a KiB for each page that was ever written.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// [`Histogram::mark`] at the last look.
    mark: u64,
    sum: u64,
    /// By page; a page that nothing was recorded into is not there.
    pages: Vec<Option<Box<[u64; PAGE]>>>,
}

impl Histogram {
    /// Shows (cell, by how much it grew) for every cell that grew since the last look, in ascending order.
    ///
    /// Returns by how much the sum grew, in raw steps; `None` if nothing was recorded. Every record that ended before
    /// the call was shown by then, each once. Allocates only where a page is new.
    pub(crate) fn follow(
        &self,
        reading: &Reading<'_>,
        follower: &mut Follower,
        mut grown: impl FnMut(usize, u64),
    ) -> Option<u64> {
        let mark = self.mark(reading);
        if mark == follower.mark {
            return None;
        }
        // Before the cells: what is recorded from now on makes another mark.
        follower.mark = mark;
        let mut sum = 0_u64;
        self.cells
            .read(reading, |shard| sum = sum.wrapping_add(shard.head(SUM)));
        for at in 0..self.buckets.cell_count().div_ceil(PAGE) {
            let (mut cells, mut total) = ([0; PAGE], 0);
            self.cells
                .read(reading, |shard| total += shard.add_page_to(at, &mut cells));
            if total == 0 {
                continue;
            }
            if follower.pages.len() <= at {
                follower.pages.resize_with(at + 1, || None);
            }
            let known = follower.pages[at].get_or_insert_with(|| Box::new([0; PAGE]));
            for (cell, (known, now)) in known.iter_mut().zip(cells).enumerate() {
                if now != *known {
                    grown(at * PAGE + cell, now.wrapping_sub(*known));
                    *known = now;
                }
            }
        }
        let before = std::mem::replace(&mut follower.sum, sum);
        Some(sum.wrapping_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{Buckets, Layout, Snapshot};

    #[test]
    fn what_it_shows_adds_up_to_a_snapshot() {
        let buckets = Buckets::new(Layout::durations(), &[0.005, 0.1]).expect("bounds");
        let histogram = Histogram::new(buckets.clone());
        let mut follower = Follower::default();
        let mut total = Snapshot::empty(buckets);
        for round in 0..50_u64 {
            (0..round)
                .for_each(|i| histogram.record((i * 7919 + round).pow(3) % 5_000_000_000_000));
            let sum = histogram.follow(&histogram.reading(), &mut follower, |cell, by| {
                total.grow(cell, by);
            });
            assert_eq!(sum.is_some(), round > 0);
            total.grow_sum(sum.unwrap_or(0));
            let snapshot = histogram.snapshot();
            assert!(total.held().eq(snapshot.held()));
            assert_eq!(total.raw_sum(), snapshot.raw_sum());
        }
        let idle = histogram.follow(&histogram.reading(), &mut follower, |_, _| unreachable!());
        assert_eq!(idle, None);
    }
}
