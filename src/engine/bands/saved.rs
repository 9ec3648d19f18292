//! What was learned, for the next process.

use super::{BandReading, Bands};
use crate::band::Band;

impl Bands {
    /// The bands of some parts.
    pub(in crate::engine) fn saved(
        &self,
        from: usize,
        count: usize,
    ) -> impl Iterator<Item = (&BandReading, &Band)> {
        let all = self.all.iter().skip(from).take(count);
        all.map(|kept| (&kept.reading, &kept.band))
    }
}
