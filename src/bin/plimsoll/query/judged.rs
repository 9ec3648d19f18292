//! What alerts say of promises: those that Prometheus keeps, or their conditions if it was not given the rules.

use std::collections::{BTreeMap, HashSet};

use plimsoll::generate::{Declaration, RuleOptions};
use plimsoll::rule::{Rule, RuleKind};
use plimsoll::{Budget, Slo};
use serde_json::Value;

use crate::prometheus::{Error, Prometheus, Sample, quoted};

/// How a promise stands, from the best to the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Kept,
    /// Not for long enough.
    Pending,
    /// By its condition alone: nobody knows for how long.
    Exceeded,
    Firing,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Pending => "pending",
            Self::Exceeded => "exceeded",
            Self::Firing => "BREACHED",
        }
    }

    fn is_breach(self) -> bool {
        self >= Self::Exceeded
    }
}

/// An active alert, or a condition that holds.
#[derive(Debug)]
struct Active {
    alert: String,
    level: String,
    instance: String,
    state: State,
}

#[derive(Debug)]
pub(super) struct Judged(Vec<Active>);

impl Judged {
    pub(super) fn read(declaration: &Declaration, prometheus: &Prometheus) -> Result<Self, Error> {
        let groups = declaration.rules(RuleOptions::new()).into_groups();
        let loaded = alerts(
            &prometheus.list("rules?type=alert", "/groups")?,
            declaration.job(),
        );
        let mut active = Vec::new();
        let all = format!("ALERTS{{job={}}}", quoted(declaration.job()));
        active.extend(prometheus.query(&all)?.iter().map(Active::alert));
        for rule in groups.iter().flat_map(|group| &group.rules) {
            let RuleKind::Alert(alert) = &rule.kind else {
                continue;
            };
            if loaded.contains(&alert.name) || !rule.labels.get("escalation").is_empty() {
                continue;
            }
            let samples = prometheus.query(&rule.expr.to_string())?;
            let holds = |sample| Active::condition(&alert.name, rule, sample);
            active.extend(samples.iter().map(holds));
        }
        Ok(Self(active))
    }

    /// The gravest of a budget's level on an instance, or of all of them.
    pub(super) fn of(&self, alert: &str, level: &str, instance: &str) -> State {
        let its = self.0.iter().filter(|active| {
            let here = active.instance.is_empty() || active.instance == instance;
            active.alert == alert && (level.is_empty() || active.level == level) && here
        });
        its.map(|active| active.state).max().unwrap_or(State::Kept)
    }

    /// Alerts of other names, each as grave as it stands anywhere: those on `up`, and those of the service's own rules.
    pub(super) fn others(&self, declaration: &Declaration) -> BTreeMap<&str, State> {
        let budgets = declaration.budgets().iter().map(Budget::name);
        let known: HashSet<_> = budgets
            .chain(declaration.slos().iter().map(Slo::name))
            .collect();
        let mut others = BTreeMap::new();
        for active in self.0.iter().filter(|active| active.state.is_breach()) {
            if !known.contains(&*active.alert) {
                let state = others.entry(&*active.alert).or_insert(active.state);
                *state = active.state.max(*state);
            }
        }
        others
    }

    pub(super) fn any_breach(&self) -> bool {
        self.0.iter().any(|active| active.state.is_breach())
    }
}

impl Active {
    fn alert(sample: &Sample) -> Self {
        Self {
            alert: sample.label("alertname").to_owned(),
            level: sample.label("level").to_owned(),
            instance: sample.label("instance").to_owned(),
            state: match sample.label("alertstate") {
                "firing" => State::Firing,
                _ => State::Pending,
            },
        }
    }

    fn condition(name: &str, rule: &Rule, sample: &Sample) -> Self {
        Self {
            alert: name.to_owned(),
            level: rule.labels.get("level").to_owned(),
            instance: sample.label("instance").to_owned(),
            state: State::Exceeded,
        }
    }
}

/// The names of the alerts of a job that Prometheus evaluates.
fn alerts(groups: &[Value], job: &str) -> HashSet<String> {
    let groups = groups.iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules
        .filter(|rule| rule["labels"]["job"] == job)
        .filter_map(|rule| Some(rule["name"].as_str()?.to_owned()))
        .collect()
}
