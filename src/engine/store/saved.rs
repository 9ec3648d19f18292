//! Samples that outlive the process.

use super::{Kept, Store};

impl Store {
    /// Everything that rules read as a range.
    pub(in crate::engine) fn remember(&self, now_ms: i64) -> Vec<u8> {
        let read = |kept: &&Kept| !kept.range.is_zero();
        let kept = self.places.iter().flatten().filter(read);
        let series = kept.map(|kept| {
            let mut series = kept.series.save();
            series.keep_ms = kept.range.as_millis() as i64;
            (&kept.labels, kept.counter, series)
        });
        self.memory.write(series, now_ms)
    }
}
