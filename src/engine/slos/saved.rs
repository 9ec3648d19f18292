//! SLOs that outlive the process.

use super::{Judged, Part, Slos};
use crate::budget::Labels;
use crate::slo::{Ledger, SavedLedger, Slo, Standing};

impl Slos {
    /// The parts that count, each with its SLO.
    pub(in crate::engine) fn ledgers(&self) -> impl Iterator<Item = (&Slo, &Part)> {
        let all = self.all.iter();
        let parts = all.flat_map(|kept| kept.parts.iter().map(move |part| (&kept.slo, part)));
        parts.filter(|(_, part)| part.counter.is_some())
    }

    /// All alerts.
    pub(in crate::engine) fn judged(&self) -> impl Iterator<Item = &Judged> {
        let parts = self.all.iter().flat_map(|kept| &kept.parts);
        let alerts = parts.flat_map(|part| &part.alerts);
        alerts.map(|alert| &alert.judged)
    }
}

impl Part {
    pub(in crate::engine) fn labels(&self) -> &Labels {
        &self.labels
    }

    pub(in crate::engine) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// By the clock that its period goes by.
    pub(in crate::engine) fn now_ms(&self) -> i64 {
        self.ledger.begun().end_ms
    }

    /// Goes on with what was counted in the period before.
    pub(in crate::engine) fn resume(&mut self, slo: &Slo, saved: SavedLedger) {
        self.ledger.resume(saved);
        self.standing = Standing::of(slo, &self.ledger, self.now_ms());
    }
}
