//! A series that outlives the process.

use std::collections::VecDeque;

use super::{SPARE, Series};

/// The numbers of a series, of which nothing is lost but how often it is thinned.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SavedSeries {
    pub(crate) keep_ms: i64,
    /// Moments and values, the oldest first; so are the others.
    pub(crate) floats: Vec<(i64, f64)>,
    pub(crate) drops: Vec<(i64, f64)>,
    pub(crate) ends_ms: Vec<i64>,
}

impl Series {
    /// Its numbers.
    pub(crate) fn save(&self) -> SavedSeries {
        SavedSeries {
            keep_ms: self.keep_ms,
            floats: self.floats.iter().copied().collect(),
            drops: self.drops.iter().copied().collect(),
            ends_ms: self.ends_ms.iter().copied().collect(),
        }
    }

    /// Begins with what was saved; further samples must be later.
    pub(crate) fn resume(&mut self, saved: SavedSeries) {
        self.keep_ms = self.keep_ms.max(saved.keep_ms);
        self.floats = VecDeque::from(saved.floats);
        self.drops = VecDeque::from(saved.drops);
        self.ends_ms = VecDeque::from(saved.ends_ms);
        if self.crowded != usize::MAX {
            self.crowded = self.crowded.max(self.floats.len() + SPARE);
        }
    }
}

impl SavedSeries {
    /// Its newest sample or end.
    pub(crate) fn newest_ms(&self) -> Option<i64> {
        let newest = self.floats.last().map(|sample| sample.0);
        newest.max(self.ends_ms.last().copied())
    }

    /// Lets go of what is not earlier than a moment.
    pub(crate) fn cut(&mut self, at_ms: i64) {
        self.floats.retain(|sample| sample.0 < at_ms);
        self.drops.retain(|drop| drop.0 < at_ms);
        self.ends_ms.retain(|end| *end < at_ms);
    }
}
