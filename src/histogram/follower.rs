//! What a reader keeps of a histogram to learn cell by cell what is new.

use super::shard::PAGE;
use super::{Histogram, Reading, Snapshot};

/// A copy of the cells that hold something, renewed only when something was recorded.
///
/// Memory: half a KiB for each page that was ever written.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    /// [`Histogram::mark`] at the last look.
    mark: u64,
    sum: u64,
    /// As many as there are up to the last that something was recorded into.
    pages: Vec<Known>,
}

/// A page as it was at the last look.
#[derive(Debug, Default)]
struct Known {
    total: u64,
    /// Not there before something was recorded into it.
    cells: Option<Box<[u64; PAGE]>>,
}

impl Histogram {
    /// Shows (cell, by how much it grew) for every cell that grew since the last look, in ascending order.
    ///
    /// Returns by how much the sum grew, in raw steps; `None` if nothing was recorded. Every record that ended before
    /// the call was shown by then, each once. Allocates only where a page is new. `room` is a snapshot over the same
    /// buckets, whose content does not matter.
    pub(crate) fn follow(
        &self,
        reading: &Reading<'_>,
        follower: &mut Follower,
        room: &mut Snapshot,
        mut grown: impl FnMut(usize, u64),
    ) -> Option<u64> {
        let mark = self.mark(reading);
        if mark == follower.mark {
            return None;
        }
        // Before the cells: what is recorded from now on makes another mark.
        follower.mark = mark;
        self.read_into(reading, room);
        for (at, cells, total) in room.held_pages() {
            if follower.pages.len() <= at {
                follower.pages.resize_with(at + 1, Known::default);
            }
            follower.pages[at].renew(cells, total, |cell, by| grown(at * PAGE + cell, by));
        }
        let before = std::mem::replace(&mut follower.sum, room.raw_sum());
        Some(room.raw_sum().wrapping_sub(before))
    }
}

impl Known {
    /// Shows what is new in a page, and remembers it.
    fn renew(&mut self, cells: &[u64], total: u64, mut grown: impl FnMut(usize, u64)) {
        // A cell never shrinks, so a total that stayed means that all of them did.
        if total == self.total {
            return;
        }
        self.total = total;
        let known = self.cells.get_or_insert_with(|| Box::new([0; PAGE]));
        for (cell, (known, &now)) in known.iter_mut().zip(cells).enumerate() {
            if now != *known {
                grown(cell, now.wrapping_sub(*known));
                *known = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{Buckets, Layout};

    #[test]
    fn what_it_shows_adds_up_to_a_snapshot() {
        let buckets = Buckets::new(Layout::durations(), &[0.005, 0.1]).expect("bounds");
        let histogram = Histogram::new(buckets.clone());
        let mut follower = Follower::default();
        let mut room = Snapshot::empty(buckets.clone());
        let mut total = Snapshot::empty(buckets);
        for round in 0..50_u64 {
            (0..round)
                .for_each(|i| histogram.record((i * 7919 + round).pow(3) % 5_000_000_000_000));
            let grow = |cell, by| total.grow(cell, by);
            let sum = {
                let reading = histogram.reading();
                histogram.follow(&reading, &mut follower, &mut room, grow)
            };
            assert_eq!(sum.is_some(), round > 0);
            total.grow_sum(sum.unwrap_or(0));
            let snapshot = histogram.snapshot();
            assert!(total.held().eq(snapshot.held()));
            assert_eq!(total.raw_sum(), snapshot.raw_sum());
        }
        let (reading, nothing) = (histogram.reading(), |_, _| unreachable!());
        let idle = histogram.follow(&reading, &mut follower, &mut room, nothing);
        assert_eq!(idle, None);
    }
}
