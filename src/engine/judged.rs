//! A rule, tick by tick.

use std::time::SystemTime;

use super::cell::StateCell;
use super::samples::Sampled;
use super::sli::{Place, Slis};
use super::state::BudgetReading;
use crate::alert::{Event, EventKind};
use crate::budget::{Rule, Shown};
use crate::rule::{AlertState, Machine};

/// A rule and where it stands.
#[derive(Debug)]
pub(super) struct Judged {
    rule: Rule,
    machine: Machine,
    /// The window that its quantile is read from.
    window: Option<Place>,
    reading: BudgetReading,
    /// Where it is told to whoever acts on it.
    cell: StateCell,
    /// When it last stopped firing.
    recovered_ns: Option<u64>,
}

impl Judged {
    pub(super) fn new(rule: Rule, window: Option<Place>, cell: StateCell) -> Self {
        let machine = Machine::new(rule.sustained, rule.keep_firing);
        let reading = BudgetReading {
            budget: rule.budget.to_string(),
            labels: rule.labels.clone(),
            level: rule.level,
            state: machine.state(),
            value: None,
            limit: rule.limit,
            unit: rule.unit,
            since: None,
        };
        Self {
            rule,
            machine,
            window,
            reading,
            cell,
            recovered_ns: None,
        }
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Where it stood at the latest tick.
    pub(super) fn reading(&self) -> &BudgetReading {
        &self.reading
    }

    /// Judges once; returns what is to be announced.
    pub(super) fn step(
        &mut self,
        sampled: &Sampled,
        slis: &Slis,
        now_ns: u64,
        now: SystemTime,
    ) -> Option<Event> {
        let holds = sampled
            .eval(&self.rule.condition)
            .is_ok_and(|value| !value.is_empty());
        self.reading.value = match &self.rule.shown {
            Shown::Quantile(q) => self
                .window
                .and_then(|place| slis.window(place).counts().quantile(*q)),
            Shown::Value(value) => {
                let value = sampled.eval(value).ok();
                value
                    .and_then(|value| value.as_float())
                    .filter(|value| !value.is_nan())
            }
        };
        let before = self.machine.state();
        self.machine.step(holds, now_ns);
        let after = self.machine.state();
        self.reading.state = after;
        if before == AlertState::Inactive && after != AlertState::Inactive {
            self.reading.since = Some(now);
        }
        let kind = match (before == AlertState::Firing, after == AlertState::Firing) {
            (false, true) => Some(EventKind::Breach),
            (true, false) => Some(EventKind::Recovery),
            _ => None,
        };
        if kind == Some(EventKind::Recovery) {
            self.recovered_ns = Some(now_ns);
        }
        let quiet = self.recovered_ns.map(|since_ns| now_ns - since_ns);
        self.cell.store(after, quiet);
        let event = kind.map(|kind| self.event(kind, now));
        if after == AlertState::Inactive {
            self.reading.since = None;
        }
        event
    }

    fn event(&self, kind: EventKind, now: SystemTime) -> Event {
        Event {
            kind,
            budget: self.rule.budget.clone(),
            labels: self.rule.labels.clone(),
            level: self.rule.level,
            value: self.reading.value,
            limit: self.rule.limit,
            unit: self.rule.unit,
            since: self.reading.since.unwrap_or(now),
            at: now,
        }
    }
}
