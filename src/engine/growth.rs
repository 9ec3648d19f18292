//! What one series grew by between two looks.

use std::sync::Arc;

use crate::histogram::{Buckets, Follower, Histogram, Reading, Snapshot};

/// What a series grew by.
#[derive(Debug)]
pub(super) struct Growth {
    /// (cell, by how much), ascending; empty where nobody wants to know more than how many there were.
    pub(super) cells: Vec<(usize, u64)>,
    pub(super) count: u64,
    /// In raw steps.
    pub(super) sum: u64,
    /// Where the present cells are gathered.
    room: Snapshot,
}

impl Growth {
    pub(super) fn new(buckets: &Arc<Buckets>) -> Self {
        Self {
            cells: Vec::new(),
            count: 0,
            sum: 0,
            room: Snapshot::empty(buckets.clone()),
        }
    }

    pub(super) fn follow(
        &mut self,
        histogram: &Histogram,
        reading: &Reading<'_>,
        follower: &mut Follower,
    ) -> bool {
        self.count = 0;
        let sum = histogram.follow(reading, follower, &mut self.room, |cell, by| {
            self.cells.push((cell, by));
            self.count += by;
        });
        self.sum = sum.unwrap_or(0);
        sum.is_some()
    }

    /// Takes away what was counted before, of which nobody knows the cells.
    pub(super) fn less(&mut self, before: u64) {
        self.count -= before;
        self.cells.clear();
        self.sum = 0;
    }

    /// How much of it is in cells above `closing`.
    pub(super) fn above(&self, closing: usize) -> u64 {
        let above = self
            .cells
            .iter()
            .rev()
            .take_while(|grown| grown.0 > closing);
        above.map(|grown| grown.1).sum()
    }
}
