//! Groups of rules, judged over what the engine samples and what other rules say.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::memory::GroupMemory;
use super::moment::Moment;
use super::sli::Slis;
use super::store::Store;
use crate::alert::AlertEvent;
use crate::expr::{Dialect, Labels, Selector, Source};
use crate::rule::{Alert, AlertState, Change, Evaluator, RuleGroup, RuleKind};
use crate::window::Series;

/// The groups of rules that were given, in their order.
#[derive(Debug)]
pub(super) struct Files {
    slack_ns: u64,
    evaluators: Vec<Evaluator>,
    /// The alerts that ever were, by their labels.
    alerted: HashSet<Labels>,
    /// Of the process before.
    pub(super) memory: GroupMemory,
}

/// Everything that a rule can read.
pub(super) struct World<'a> {
    pub(super) store: &'a Store,
    pub(super) before: &'a [Evaluator],
    pub(super) behind: &'a [Evaluator],
}

impl Source for World<'_> {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        self.store.each(selector, show);
        let rules = self.before.iter().chain(self.behind);
        rules.for_each(|rules| rules.each_recorded(selector, show));
    }
}

impl Files {
    pub(super) fn new(slack_ns: u64, memory: GroupMemory) -> Self {
        Self {
            slack_ns,
            memory,
            evaluators: Vec::new(),
            alerted: HashSet::new(),
        }
    }

    /// Judges further groups from `born` on.
    pub(super) fn add(
        &mut self,
        groups: Vec<RuleGroup>,
        store: &mut Store,
        slis: &Slis,
        born: Moment,
    ) {
        for group in &groups {
            // What is due is judged as of its time, up to an interval ago.
            let back = group
                .interval
                .map(|interval| interval.max(Dialect::LOOKBACK));
            let exprs = group.rules.iter().map(|rule| &rule.expr);
            store.add(exprs, slis, born, back.unwrap_or(Duration::ZERO));
        }
        let mut evaluator = Evaluator::new(groups);
        evaluator.join_engine(self.slack_ns);
        self.memory.resume(&mut evaluator, born);
        self.evaluators.push(evaluator);
        self.keep(store);
    }

    /// Keeps what rules record for as long as anybody reads it.
    pub(super) fn keep(&mut self, store: &Store) {
        for rules in &mut self.evaluators {
            store.each_range(|name, range| rules.keep(name, range));
        }
    }

    /// Judges all that is due; returns what is to be announced.
    pub(super) fn step(&mut self, store: &Store, now_ms: i64) -> Vec<Arc<AlertEvent>> {
        let mut events = Vec::new();
        for at in 0..self.evaluators.len() {
            let (before, rest) = self.evaluators.split_at_mut(at);
            let Some((rules, behind)) = rest.split_first_mut() else {
                break;
            };
            let world = World {
                store,
                before,
                behind,
            };
            let changes = rules.evaluate_over(&world, Dialect::default(), now_ms);
            for change in changes {
                self.alerted.insert(change.labels.clone());
                events.extend(event(rules, change).map(Arc::new));
            }
        }
        events
    }

    pub(super) fn all(&self) -> &[Evaluator] {
        &self.evaluators
    }

    /// How many alerts there ever were.
    pub(super) fn alerted(&self) -> usize {
        self.alerted.len()
    }

    /// Those that are pending or firing.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.evaluators.iter().flat_map(Evaluator::alerts)
    }

    /// The rules whose latest evaluation had no value, and why.
    pub(super) fn failed(&self) -> impl Iterator<Item = (String, String)> {
        let failed = self.evaluators.iter().flat_map(Evaluator::failed);
        failed.map(|failure| {
            let rule = format!("{}/{}", failure.group, failure.rule.name());
            (rule, failure.error.to_string())
        })
    }
}

fn event(rules: &Evaluator, change: Change) -> Option<AlertEvent> {
    let RuleKind::Alert(alert) = &rules.rule(change.group, change.rule)?.kind else {
        return None;
    };
    Some(AlertEvent {
        name: alert.name.clone(),
        annotations: alert.annotations.clone(),
        labels: change.labels,
        from: change.from,
        to: change.to,
        value: change.value,
        active_at: time(change.active_at_ms),
        at: time(change.at_ms),
        resolved: change.from == AlertState::Firing && change.to == AlertState::Inactive,
    })
}

fn time(since_1970_ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(since_1970_ms).unwrap_or(0))
}
