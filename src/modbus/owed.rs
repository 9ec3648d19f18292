//! Replies that were not waited for to the end and may still come. Without transaction ids nothing but their absence
//! makes the next reply of that unit believable.

use std::time::Duration;

use tokio::time::Instant;

use super::pdu::Expected;
use super::rtu::{self, Seen};

/// At most one for each unit: who is owed one asks no further before it is settled.
#[derive(Debug, Default)]
pub(super) struct Owed(Vec<Debt>);

#[derive(Debug, Clone)]
pub(super) struct Debt {
    pub(super) unit: u8,
    expected: Expected,
    pub(super) since: Instant,
    pub(super) until: Instant,
}

impl Debt {
    /// What of it is among the bytes that came.
    pub(super) fn seen(&self, bytes: &[u8]) -> Seen {
        rtu::find(bytes, self.unit, &self.expected)
    }
}

impl Owed {
    /// `unit` has been asked, and may answer so long. Whoever answers one after the other, as gateways do, begins with it
    /// after all else that is owed.
    pub(super) fn owe(&mut self, unit: u8, expected: &Expected, window: Duration) {
        self.paid(unit);
        let now = Instant::now();
        let others = self.0.iter().map(|debt| debt.until).max();
        self.0.push(Debt {
            unit,
            expected: expected.clone(),
            since: now,
            until: others.map_or(now, |until| until.max(now)) + window,
        });
    }

    /// Nothing more is to come from `unit`.
    pub(super) fn paid(&mut self, unit: u8) {
        self.0.retain(|debt| debt.unit != unit);
    }

    /// What `unit` owes, or `anybody`, unless it is too late by now.
    pub(super) fn by(&mut self, unit: u8, anybody: bool) -> Option<Debt> {
        let now = Instant::now();
        self.0.retain(|debt| now < debt.until);
        let asked = |debt: &&Debt| anybody || debt.unit == unit;
        self.0.iter().find(asked).cloned()
    }

    /// Counts as paid what is among `bytes`, and says how many replies these were.
    pub(super) fn note(&mut self, bytes: &[u8]) -> usize {
        let before = self.0.len();
        self.0.retain(|debt| debt.seen(bytes) == Seen::Nothing);
        before - self.0.len()
    }
}
