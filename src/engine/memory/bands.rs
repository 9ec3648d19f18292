//! What was learned of budgets whose limits are learned.

use super::identity;
use super::loss::Loss;
use super::table::{Entry, Table};
use crate::band::{Band, Dynamic};
use crate::budget::Labels;
use crate::engine::bands::BandReading;
use crate::engine::judge::Judge;
use crate::engine::moment::Moment;
use crate::state::Encoder;

/// Bands that no part of a budget has taken up yet.
#[derive(Debug, Default)]
pub(in crate::engine) struct BandMemory(pub(super) Table);

impl BandMemory {
    /// What was learned of a part that is new; `None` if that is nothing, or was learned of something else.
    pub(in crate::engine) fn recall(
        &mut self,
        (budget, labels): (&str, &Labels),
        dynamic: &Dynamic,
        learns: impl FnOnce() -> String,
        now: Moment,
    ) -> Option<Band> {
        let (key, now_is) = (key(budget, labels), identity(&learns()));
        let found = self.0.take(&key, now_is, now.at_ms, (Loss::Limits, budget));
        let band = Band::restore(dynamic.clone(), &found?);
        if band.is_err() {
            self.0.dropped.add(Loss::DamagedLimits, budget);
        }
        band.ok()
    }
}

impl Judge {
    /// An entry for what was learned of a part; `None` if its budget is gone.
    pub(super) fn band_entry(&self, part: &BandReading, band: &Band) -> Option<(Vec<u8>, Entry)> {
        let mut promises = self.promises().iter();
        let promise = promises.find(|promise| promise.budget.name == *part.budget)?;
        let window_ms = band.declared().window.as_millis() as i64;
        let entry = Entry {
            identity: identity(&promise.budget.learns()),
            until_ms: self.book.latest.at_ms.saturating_add(window_ms),
            bytes: band.save(),
        };
        Some((key(&part.budget, &part.labels), entry))
    }
}

fn key(budget: &str, labels: &Labels) -> Vec<u8> {
    let mut key = Encoder::default();
    key.text(budget);
    key.labels(labels.iter().map(|(key, value)| (*key, &**value)));
    key.finish()
}
