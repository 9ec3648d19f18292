//! Recorded series that outlive the process.

use super::{Family, Kept, Recorded};
use crate::expr::{Labels, NAME};
use crate::window::Series;

impl Recorded {
    pub(in crate::rule) fn names(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    pub(in crate::rule) fn all(&self) -> impl Iterator<Item = (&Labels, &Series)> {
        let series = self.families.values().flat_map(|family| &family.series);
        series.map(|(labels, kept)| (labels, &kept.series))
    }

    pub(in crate::rule) fn resume(
        &mut self,
        labels: &Labels,
        recall: impl FnOnce(&mut Series) -> Option<i64>,
    ) {
        if let Some(Family { keep, series, .. }) = self.families.get_mut(labels.get(NAME)) {
            let mut resumed = Series::exact(*keep);
            if let Some(last_ms) = recall(&mut resumed) {
                let kept = Kept {
                    series: resumed,
                    last_ms,
                };
                series.insert(labels.clone(), kept);
            }
        }
    }
}
