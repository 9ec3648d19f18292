//! Alerts, and how they change.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::engine::AlertState;
use crate::instance::Plimsoll;
use crate::slo::AlertReading;

/// Which alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SimulatedAlert {
    /// The name of the budget, the SLO or the rule.
    pub name: String,
    /// The labels of its part; of a rule, all labels.
    pub labels: String,
    /// The level of a budget, the severity of an SLO's alert, `rule`.
    pub level: String,
    /// The windows of an SLO's alert, as `1h/5m`; `absent` for the one on silence; empty elsewhere.
    pub windows: String,
}

impl fmt::Display for SimulatedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let rest = [&self.labels, &self.level, &self.windows].into_iter();
        rest.filter(|text| !text.is_empty())
            .try_for_each(|text| write!(f, " {text}"))
    }
}

/// An alert that went from one state to another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertChange {
    /// When, since the beginning.
    pub at: Duration,
    /// Which.
    pub alert: SimulatedAlert,
    /// Where it stood.
    pub from: AlertState,
    /// Where it stands.
    pub to: AlertState,
}

/// Where each alert stood when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Alerts(BTreeMap<SimulatedAlert, AlertState>);

impl Alerts {
    /// Those that are otherwise than when it was last looked at.
    pub(super) fn changes(&mut self, plimsoll: &Plimsoll, at: Duration) -> Vec<AlertChange> {
        let now = states(plimsoll);
        let mut changes = Vec::new();
        for (alert, &to) in &now {
            let from = self.0.get(alert).copied().unwrap_or(AlertState::Inactive);
            changes.push((alert.clone(), from, to));
        }
        // Alerts of rules are not there when they are over.
        let gone = self.0.iter().filter(|(alert, _)| !now.contains_key(alert));
        changes.extend(gone.map(|(alert, &from)| (alert.clone(), from, AlertState::Inactive)));
        changes.retain(|(_, from, to)| from != to);
        self.0 = now;
        let change = |(alert, from, to)| AlertChange {
            at,
            alert,
            from,
            to,
        };
        changes.into_iter().map(change).collect()
    }

    /// Those that are pending or firing, as if they had just become so.
    pub(super) fn standing(&self, at: Duration) -> Vec<AlertChange> {
        let mut standing = Vec::new();
        for (alert, &to) in &self.0 {
            if to != AlertState::Inactive {
                standing.push(AlertChange {
                    at,
                    alert: alert.clone(),
                    from: AlertState::Inactive,
                    to,
                });
            }
        }
        standing
    }
}

fn states(plimsoll: &Plimsoll) -> BTreeMap<SimulatedAlert, AlertState> {
    let mut all = BTreeMap::new();
    for reading in plimsoll.budgets() {
        let alert = SimulatedAlert {
            name: reading.budget,
            labels: named(&reading.labels),
            level: reading.level.as_str().to_owned(),
            windows: String::new(),
        };
        all.insert(alert, reading.state);
    }
    for slo in plimsoll.slos() {
        let labels = named(&slo.labels);
        for alert in &slo.alerts {
            all.insert(of_slo(&slo.slo, &labels, alert), alert.state);
        }
    }
    for alert in plimsoll.alerts() {
        let key = SimulatedAlert {
            name: alert.labels().get("alertname").to_owned(),
            labels: alert.labels().to_string(),
            level: "rule".to_owned(),
            windows: String::new(),
        };
        all.insert(key, alert.state());
    }
    all
}

fn of_slo(slo: &str, labels: &str, alert: &AlertReading) -> SimulatedAlert {
    let windows = match (&alert.long, &alert.short) {
        (Some(long), Some(short)) => format!("{long}/{short}"),
        _ => "absent".to_owned(),
    };
    SimulatedAlert {
        name: slo.to_owned(),
        labels: labels.to_owned(),
        level: alert.severity.as_str().to_owned(),
        windows,
    }
}

pub(super) fn named(labels: &[(&'static str, String)]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    labels.join(",")
}
