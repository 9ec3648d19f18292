//! What SLOs counted in their periods.

use super::identity;
use super::loss::Loss;
use super::rules::Timers;
use super::table::{Entry, Table, count, moment};
use crate::budget::Labels;
use crate::engine::slos::Part;
use crate::slo::{SavedLedger, Slo, Stretch, Tally};
use crate::state::{Decoder, Encoder};

/// Ledgers that no SLO has taken up yet, where their alerts stood, and what was told of their maintenance.
#[derive(Debug, Default)]
pub(in crate::engine) struct SloMemory {
    pub(in crate::engine) ledgers: Table,
    pub(in crate::engine) alerts: Timers,
    pub(in crate::engine) maintenance: Table,
}

impl SloMemory {
    /// Lets a part that is new go on with what was counted in its period.
    pub(in crate::engine) fn resume(&mut self, slo: &Slo, part: &mut Part) {
        let (key, now_is) = (key(slo, part.labels()), identity(&text(slo)));
        let found = self
            .ledgers
            .take(&key, now_is, part.now_ms(), (Loss::ErrorBudget, &slo.name));
        if let Some(saved) = found.and_then(|bytes| read(&mut Decoder::new(&bytes))) {
            part.resume(slo, saved);
        }
    }

    pub(super) fn entry(slo: &Slo, part: &Part, now_ms: i64) -> (Vec<u8>, Entry) {
        let ledger = part.ledger();
        let entry = Entry {
            identity: identity(&text(slo)),
            until_ms: now_ms.saturating_add(ledger.length_ms()),
            bytes: write(&ledger.save()),
        };
        (key(slo, part.labels()), entry)
    }
}

fn key(slo: &Slo, labels: &Labels) -> Vec<u8> {
    let mut key = Encoder::default();
    key.text(&slo.name);
    key.labels(labels.iter().map(|(key, value)| (*key, &**value)));
    key.finish()
}

fn text(slo: &Slo) -> String {
    format!("{} {:?}", slo.counts(), slo.period)
}

fn write(saved: &SavedLedger) -> Vec<u8> {
    let mut out = Encoder::default();
    out.number(saved.steps.len() as u64);
    let mut before_ms = 0;
    for (stretch, tally) in &saved.steps {
        out.signed(stretch.start_ms - before_ms);
        out.signed(stretch.length_ms());
        let Tally {
            valid,
            bad,
            excluded,
            observed_ms,
        } = *tally;
        [valid, bad, excluded, observed_ms]
            .into_iter()
            .for_each(|number| out.number(number));
        before_ms = stretch.end_ms;
    }
    out.finish()
}

fn read(read: &mut Decoder<'_>) -> Option<SavedLedger> {
    let mut steps = Vec::new();
    let mut before_ms = 0_i64;
    for _ in 0..read.count()? {
        let start_ms = before_ms.checked_add(moment(read)?)?;
        let end_ms = start_ms.checked_add(moment(read)?)?;
        let tally = Tally {
            valid: count(read)?,
            bad: count(read)?,
            excluded: count(read)?,
            observed_ms: count(read)?,
        };
        steps.push((Stretch { start_ms, end_ms }, tally));
        before_ms = end_ms;
    }
    read.is_empty().then_some(SavedLedger { steps })
}
