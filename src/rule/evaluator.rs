//! Rules, judged moment by moment.

#[cfg(feature = "state")]
mod saved;

use std::time::Duration;

use foldhash::{HashMap, HashSet};

use super::alerts::{Alert, Alerts, Change};
use super::recorded::{Both, Recorded};
use super::{Rule, RuleGroup, RuleKind};
use crate::expr::{At, Dialect, EvalError, Expr, Labels, NAME, Samples, Selector, Source, Value};
use crate::window::Series;
#[cfg(feature = "state")]
pub(crate) use saved::SavedAlert;

/// Judges groups of rules over samples, as Prometheus would: recording rules feed later rules, alerts go through `for` and
/// `keep_firing_for`, and `ALERTS` and `ALERTS_FOR_STATE` are families that expressions may read.
///
/// A group with an interval is evaluated at whole multiples of it since 1970, with that moment as the time of evaluation; one
/// without is evaluated at every call. (Prometheus shifts each group by a hash of its name; the order among groups is that in which
/// they are given here, and chance there.) A rule sees what rules before it recorded at the same moment, and what it recorded itself
/// at the evaluation before. A name that rules record is read from what they recorded alone.
///
/// ```
/// use plimsoll::expr::{Labels, Samples};
/// use plimsoll::rule::{Evaluator, Rule, RuleGroup};
/// use plimsoll::{AlertState, Expr, Selector};
///
/// let deep = Expr::select(Selector::new("queue_depth")).greater(100.0);
/// let mut evaluator = Evaluator::new([RuleGroup::new("queues", [Rule::alert("QueueDeep", deep)])]);
/// let mut samples = Samples::new();
/// samples.insert(&Labels::new([("__name__", "queue_depth"), ("queue", "mail")]), 1_000, 120.0);
///
/// let changes = evaluator.evaluate(&samples, 1_000);
/// assert_eq!(changes[0].to, AlertState::Firing);
/// assert_eq!(changes[0].labels.to_string(), r#"{alertname="QueueDeep", queue="mail"}"#);
/// ```
#[derive(Debug)]
pub struct Evaluator {
    groups: Vec<Group>,
    recorded: Recorded,
    failures: u64,
}

#[derive(Debug)]
struct Group {
    name: String,
    /// At least 1.
    interval_ms: Option<i64>,
    /// The latest moment of evaluation.
    latest_ms: Option<i64>,
    rules: Vec<Judged>,
}

#[derive(Debug)]
struct Judged {
    rule: Rule,
    /// The labels of each element, with those that the rule makes of them.
    named: HashMap<Labels, Labels>,
    alerts: Alerts,
    /// The series that the latest evaluation wrote.
    written: Vec<Labels>,
    failure: Option<EvalError>,
}

/// A rule whose latest evaluation had no value.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The name of its group.
    pub group: &'a str,
    /// The rule.
    pub rule: &'a Rule,
    /// What was wrong.
    pub error: &'a EvalError,
}

impl Evaluator {
    /// Judges these groups, in their order.
    pub fn new(groups: impl IntoIterator<Item = RuleGroup>) -> Self {
        let groups: Vec<RuleGroup> = groups.into_iter().collect();
        Self {
            recorded: Recorded::new(&groups),
            groups: groups.into_iter().map(Group::new).collect(),
            failures: 0,
        }
    }

    /// Evaluates every group that is due at a moment in milliseconds since 1970, later than the one before, and tells which alerts
    /// changed.
    ///
    /// A rule whose expression has no value ([`failures`](Self::failures)) leaves its alerts as they were, as in Prometheus.
    pub fn evaluate(&mut self, samples: &Samples, at_ms: i64) -> Vec<Change> {
        self.evaluate_over(samples, samples.dialect(), at_ms)
    }

    pub(crate) fn evaluate_over(
        &mut self,
        measured: &dyn Source,
        dialect: Dialect,
        at_ms: i64,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (place, group) in self.groups.iter_mut().enumerate() {
            let Some(at_ms) = group.due(at_ms) else {
                continue;
            };
            for (nth, judged) in group.rules.iter_mut().enumerate() {
                let source = Both {
                    measured,
                    recorded: &self.recorded,
                };
                let value = At {
                    source: &source,
                    at_ms,
                    dialect,
                }
                .eval(&judged.rule.expr);
                let found = value.and_then(|value| judged.named(value));
                match found {
                    Ok(found) => {
                        let samples = judged.step(found, at_ms, (place, nth), &mut changes);
                        judged.write(samples, at_ms, &mut self.recorded);
                        judged.failure = None;
                    }
                    Err(error) => {
                        judged.failure = Some(error);
                        self.failures += 1;
                    }
                }
            }
        }
        changes
    }

    /// It is evaluated by ticks, and what is measured has alerts too, of other rules.
    pub(crate) fn join_engine(&mut self, slack_ns: u64) {
        self.recorded.beside_others = true;
        let rules = self.groups.iter_mut().flat_map(|group| &mut group.rules);
        rules.for_each(|judged| judged.alerts.slack_ns = slack_ns);
    }

    /// Shows what the rules recorded.
    pub(crate) fn each_recorded(
        &self,
        selector: &Selector,
        show: &mut dyn FnMut(&Labels, &Series),
    ) {
        self.recorded.each(selector, show);
    }

    /// Keeps a family that the rules recorded for at least so long.
    pub(crate) fn keep(&mut self, name: &str, range: Duration) {
        self.recorded.keep(name, range);
    }

    /// The value of an expression over samples and what the rules recorded, `ALERTS` among it.
    ///
    /// # Errors
    ///
    /// As of [`eval`](crate::expr::eval); and for a range that reaches further back than a recorded family is kept, which is as far as
    /// the rules read it.
    pub fn eval(&self, expr: &Expr, samples: &Samples, at_ms: i64) -> Result<Value, EvalError> {
        if let Some(family) = self.recorded.too_far(expr) {
            return Err(EvalError {
                part: family,
                message:
                    "is kept for as long as the rules read it, which is less: shorten the range"
                        .to_owned(),
            });
        }
        let source = Both {
            measured: samples,
            recorded: &self.recorded,
        };
        At {
            source: &source,
            at_ms,
            dialect: samples.dialect(),
        }
        .eval(expr)
    }

    /// The alerts that are pending or firing, rule by rule, by their labels.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        rules.flat_map(|judged| judged.alerts.active())
    }

    /// The rule at a place, as a [`Change`] names it.
    pub fn rule(&self, group: usize, rule: usize) -> Option<&Rule> {
        let group = self.groups.get(group)?;
        Some(&group.rules.get(rule)?.rule)
    }

    /// How many evaluations of rules had no value until now.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The rules whose latest evaluation had no value.
    pub fn failed(&self) -> impl Iterator<Item = Failure<'_>> {
        self.groups.iter().flat_map(|group| {
            group.rules.iter().filter_map(|judged| {
                Some(Failure {
                    group: &group.name,
                    rule: &judged.rule,
                    error: judged.failure.as_ref()?,
                })
            })
        })
    }
}

impl Group {
    fn new(group: RuleGroup) -> Self {
        let millis = |interval: Duration| i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        Self {
            name: group.name,
            interval_ms: group.interval.map(millis).filter(|ms| *ms > 0),
            latest_ms: None,
            rules: group.rules.into_iter().map(Judged::new).collect(),
        }
    }

    /// The moment of evaluation, if one came since the latest.
    fn due(&mut self, at_ms: i64) -> Option<i64> {
        let moment = at_ms
            - self
                .interval_ms
                .map_or(0, |interval| at_ms.rem_euclid(interval));
        let before = self
            .latest_ms
            .unwrap_or(moment - i64::from(moment == at_ms));
        self.latest_ms = Some(moment.max(before));
        (moment > before).then_some(moment)
    }
}

impl Judged {
    fn new(rule: Rule) -> Self {
        Self {
            rule,
            named: HashMap::default(),
            alerts: Alerts::default(),
            written: Vec::new(),
            failure: None,
        }
    }

    /// The elements under the labels that the rule gives them.
    fn named(&mut self, value: Value) -> Result<Vec<(Labels, f64)>, EvalError> {
        let points = value.into_points();
        if self.named.len() > 2 * points.len() + 16 {
            self.named.clear();
        }
        let mut found = Vec::with_capacity(points.len());
        for point in points {
            let labels = match self.named.get(&point.labels) {
                Some(known) => known.clone(),
                None => {
                    let labels = self.rule.labels_of(&point.labels);
                    self.named.insert(point.labels, labels.clone());
                    labels
                }
            };
            let value = match (point.value.as_float(), &self.rule.kind) {
                (Some(value), _) => value,
                (None, RuleKind::Alert(_)) => f64::NAN,
                (None, RuleKind::Record(_)) => {
                    return Err(self.error(
                        "yields native histograms, which are not recorded in this process",
                    ));
                }
            };
            found.push((labels, value));
        }
        let distinct: HashSet<&Labels> = match &found[..] {
            [] | [_] => return Ok(found),
            several => several.iter().map(|one| &one.0).collect(),
        };
        if distinct.len() < found.len() {
            return Err(self.error(
                "yields elements that have the same labels with those of the rule: aggregate them",
            ));
        }
        Ok(found)
    }

    fn error(&self, message: &str) -> EvalError {
        EvalError {
            part: self.rule.expr.to_string(),
            message: message.to_owned(),
        }
    }

    /// Moves the alerts; what is to be recorded.
    fn step(
        &mut self,
        found: Vec<(Labels, f64)>,
        at_ms: i64,
        (group, rule): (usize, usize),
        changes: &mut Vec<Change>,
    ) -> Vec<(Labels, f64)> {
        let RuleKind::Alert(alert) = &self.rule.kind else {
            return found;
        };
        self.alerts
            .step(alert, found.into_iter(), at_ms, |alert, from| {
                changes.push(Change {
                    group,
                    rule,
                    labels: alert.labels().clone(),
                    from,
                    to: alert.state(),
                    at_ms,
                    active_at_ms: alert.active_at_ms(),
                    value: alert.value(),
                });
            });
        let samples = self.alerts.samples();
        samples
            .map(|(labels, value)| (labels.clone(), value))
            .collect()
    }

    /// Records samples, and the end of the series that are no longer among them.
    fn write(&mut self, samples: Vec<(Labels, f64)>, at_ms: i64, recorded: &mut Recorded) {
        samples
            .iter()
            .for_each(|(labels, value)| recorded.push(labels, at_ms, *value));
        let labels = || samples.iter().map(|sample| &sample.0);
        if !labels().eq(&self.written) {
            let still: HashSet<&Labels> = labels().collect();
            let gone = self.written.iter().filter(|labels| !still.contains(labels));
            gone.for_each(|labels| recorded.push_stale(labels, at_ms));
            self.written = labels().cloned().collect();
        }
    }
}

impl Rule {
    /// The labels of an element with those that the rule puts over them.
    fn labels_of(&self, element: &Labels) -> Labels {
        let own = match &self.kind {
            RuleKind::Record(name) => (NAME, &**name),
            RuleKind::Alert(alert) => ("alertname", &*alert.name),
        };
        let kept = element.iter().filter(|(key, _)| *key != NAME);
        Labels::new(kept.chain(self.labels.iter()).chain([own]))
    }
}

#[cfg(test)]
mod tests;
