//! `ALERTS`: what rules say, for rules to read, as Prometheus keeps it.

use super::{Labels, NAME, Store};
use crate::budget::Rule;
use crate::engine::AlertState;

/// The family: 1 for each alert that is pending or firing.
pub(super) const ALERTS: &str = "ALERTS";
/// Since when each is active; only rules of groups have it.
pub(super) const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// The labels of an alert's two series, once somebody reads them.
#[derive(Debug, Default)]
pub(in crate::engine) struct Marks(Option<[Labels; 2]>);

impl Store {
    /// Says where a rule stands from now on; it stood elsewhere before.
    pub(in crate::engine) fn mark(
        &mut self,
        marks: &mut Marks,
        rule: &Rule,
        before: AlertState,
        now: AlertState,
    ) {
        let quiet = before == AlertState::Inactive && now == AlertState::Inactive;
        if quiet || !self.families.contains_key(ALERTS) {
            return;
        }
        let of_rule = || [AlertState::Pending, AlertState::Firing].map(|state| labels(rule, state));
        let marks = marks.0.get_or_insert_with(of_rule);
        let of_state = |state| match state {
            AlertState::Inactive => None,
            AlertState::Pending => Some(&marks[0]),
            AlertState::Firing => Some(&marks[1]),
        };
        if before != now
            && let Some(found) = of_state(before).and_then(|labels| self.find(labels, false))
        {
            self.end(found.place, self.now_ms);
        }
        if let Some(found) = of_state(now).and_then(|labels| self.find(labels, false)) {
            self.push(found.place, self.now_ms, 1.0);
        }
    }
}

/// Those of a budget's rule in Prometheus, with its state.
fn labels(rule: &Rule, state: AlertState) -> Labels {
    let own = [
        (NAME, ALERTS),
        ("alertname", &*rule.budget),
        ("alertstate", state.as_str()),
        ("budget", &*rule.budget),
        ("level", rule.level.as_str()),
        ("severity", rule.level.severity()),
    ];
    let kept_by = rule.labels.iter().map(|(key, value)| (*key, &**value));
    Labels::new(own.into_iter().chain(kept_by))
}
