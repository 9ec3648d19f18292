//! Where every alert and value stood at a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use plimsoll::expr::Labels;
use plimsoll::{AlertState, Plimsoll};

use super::promises::VALUE;

/// What a reader says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    /// The labels of `ALERTS`.
    pub(super) alerts: BTreeSet<String>,
    /// `ALERTS_FOR_STATE`, in seconds since 1970.
    pub(super) since: BTreeMap<String, i64>,
    /// By name; without those that are no number.
    pub(super) values: BTreeMap<String, f64>,
}

/// What a reader says at a moment.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) at_ms: i64,
    /// When it was found.
    pub(super) executed_ms: i64,
    pub(super) told: Told,
}

impl Told {
    pub(super) fn alert(&mut self, labels: Labels, state: AlertState, since_s: i64) {
        if state == AlertState::Inactive {
            return;
        }
        let stated = Labels::new(labels.iter().chain([("alertstate", state.as_str())]));
        self.alerts.insert(stated.to_string());
        self.since.insert(labels.to_string(), since_s);
    }

    pub(super) fn value(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value.filter(|value| !value.is_nan()) {
            self.values.insert(name.to_owned(), value);
        }
    }
}

fn seconds(since: Option<SystemTime>) -> i64 {
    let since = since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs() as i64)
}

impl Stand {
    /// After a tick.
    pub(super) fn of(plimsoll: &Plimsoll, at_ms: i64, executed_ms: i64) -> Self {
        let mut told = Told::default();
        for budget in plimsoll.budgets() {
            if budget.budget.starts_with(VALUE) {
                told.value(&budget.budget, budget.value);
                continue;
            }
            let own = [
                ("alertname", &*budget.budget),
                ("budget", &budget.budget),
                ("level", budget.level.as_str()),
                ("severity", budget.level.severity()),
            ];
            let kept_by = budget.labels.iter().map(|(key, value)| (*key, &**value));
            let labels = Labels::new(own.into_iter().chain(kept_by));
            told.alert(labels, budget.state, seconds(budget.since));
        }
        for slo in plimsoll.slos() {
            for alert in &slo.alerts {
                let labels = Labels::new([
                    ("alertname", &*slo.slo),
                    ("slo", &slo.slo),
                    ("severity", alert.severity.as_str()),
                    ("long", alert.long.as_deref().unwrap_or_default()),
                    ("short", alert.short.as_deref().unwrap_or_default()),
                    ("absent", if alert.long.is_none() { "true" } else { "" }),
                ]);
                told.alert(labels, alert.state, seconds(alert.since));
            }
        }
        for alert in plimsoll.alerts() {
            let since_s = alert.active_at_ms().div_euclid(1_000);
            told.alert(alert.labels().clone(), alert.state(), since_s);
        }
        Self {
            at_ms,
            executed_ms,
            told,
        }
    }
}
