//! The alerts of one rule.

#[cfg(feature = "state")]
mod saved;

use std::collections::BTreeMap;

use super::AlertRule;
use super::machine::{AlertState, Machine};
use super::recorded::{ALERTS, ALERTS_FOR_STATE};
use crate::expr::{Labels, NAME};

/// An alert that is pending or firing.
#[derive(Debug, Clone)]
pub struct Alert {
    labels: Labels,
    machine: Machine,
    active_at_ms: i64,
    value: f64,
    /// The evaluation that last found it.
    seen: u64,
    /// What it is in `ALERTS` while it is pending and while it fires, and in `ALERTS_FOR_STATE`.
    series: [Labels; 3],
}

/// An alert that went from one state to another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The place of its group among those that are judged.
    pub group: usize,
    /// The place of its rule in the group.
    pub rule: usize,
    /// The alert's labels, `alertname` among them: its identity.
    pub labels: Labels,
    /// Where it stood.
    pub from: AlertState,
    /// Where it stands.
    pub to: AlertState,
    /// The moment of the evaluation, in milliseconds since 1970.
    pub at_ms: i64,
    /// Since when it is or was active, in milliseconds since 1970.
    pub active_at_ms: i64,
    /// The latest value of the expression for it.
    pub value: f64,
}

impl Alert {
    fn new(labels: Labels, rule: &AlertRule, at_ms: i64) -> Self {
        let family = |name: &str, state: Option<AlertState>| {
            let own = labels.iter().chain([(NAME, name)]);
            Labels::new(own.chain(state.map(|state| ("alertstate", state.as_str()))))
        };
        let series = [
            family(ALERTS, Some(AlertState::Pending)),
            family(ALERTS, Some(AlertState::Firing)),
            family(ALERTS_FOR_STATE, None),
        ];
        Self {
            machine: Machine::new(rule.sustained, rule.keep_firing),
            active_at_ms: at_ms,
            value: f64::NAN,
            seen: 0,
            labels,
            series,
        }
    }

    /// The labels of the element and of the rule, and `alertname`: its identity.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Pending or firing.
    pub fn state(&self) -> AlertState {
        self.machine.state()
    }

    /// When its condition began to hold, in milliseconds since 1970.
    pub fn active_at_ms(&self) -> i64 {
        self.active_at_ms
    }

    /// The latest value of the expression for it; NaN if that is no number.
    pub fn value(&self) -> f64 {
        self.value
    }
}

/// The alerts of one rule that are pending or firing, by their labels.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    active: BTreeMap<Labels, Alert>,
    evaluations: u64,
    /// What a duration may lack and be over.
    pub(super) slack_ns: u64,
}

impl Alerts {
    /// One evaluation that found these elements, no two with the same labels; tells what changed.
    pub(super) fn step(
        &mut self,
        rule: &AlertRule,
        found: impl Iterator<Item = (Labels, f64)>,
        at_ms: i64,
        mut changed: impl FnMut(&Alert, AlertState),
    ) {
        self.evaluations += 1;
        for (labels, value) in found {
            let new = |labels: &Labels| Alert::new(labels.clone(), rule, at_ms);
            let alert = match self.active.get_mut(&labels) {
                Some(known) => known,
                None => self.active.entry(labels.clone()).or_insert(new(&labels)),
            };
            (alert.value, alert.seen) = (value, self.evaluations);
        }
        let now_ns = at_ms.saturating_mul(1_000_000);
        self.active.retain(|_, alert| {
            let before = alert.state();
            alert
                .machine
                .step(alert.seen == self.evaluations, now_ns, self.slack_ns);
            if alert.state() != before {
                changed(alert, before);
            }
            alert.state() != AlertState::Inactive
        });
    }

    /// The samples of `ALERTS` and `ALERTS_FOR_STATE`.
    pub(super) fn samples(&self) -> impl Iterator<Item = (&Labels, f64)> {
        self.active.values().flat_map(|alert| {
            let [pending, firing, since] = &alert.series;
            let state = match alert.state() {
                AlertState::Firing => firing,
                _ => pending,
            };
            let seconds = alert.active_at_ms.div_euclid(1_000) as f64;
            [(state, 1.0), (since, seconds)]
        })
    }

    pub(super) fn active(&self) -> impl Iterator<Item = &Alert> {
        self.active.values()
    }
}
