//! Samples that outlive the process.

use super::{Kept, Store};
use crate::expr::Labels;
use crate::window::SavedSeries;

impl Store {
    /// How many places for series there are.
    pub(in crate::engine) fn places(&self) -> usize {
        self.places.len()
    }

    /// Whatever rules read as a range of the series at some places, and whether each is a counter.
    pub(in crate::engine) fn saved(
        &self,
        from: usize,
        count: usize,
    ) -> impl Iterator<Item = (&Labels, bool, SavedSeries)> {
        let kept = self.places.iter().skip(from).take(count).flatten();
        let read = kept.filter(|kept| !kept.range.is_zero());
        read.map(Kept::save)
    }
}

impl Kept {
    fn save(&self) -> (&Labels, bool, SavedSeries) {
        let mut series = self.series.save();
        series.keep_ms = self.range.as_millis() as i64;
        (&self.labels, self.counter, series)
    }
}
