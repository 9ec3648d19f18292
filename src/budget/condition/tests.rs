//! Conditions over samples given by hand, by the group that Prometheus would get and by the parts that are judged here.

mod groups;
mod kinds;
mod sureness;

use super::*;
use crate::band::Dynamic;
use crate::budget::{BAND, Hours, Labels, Limit, Multiple, OBSERVED, Schedule, Select};
use crate::expr::{self, Offset, Samples, eval};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Samples of every second, and whether a level fires.
struct Trace {
    samples: Samples,
    at_ms: i64,
    counts: Vec<(expr::Labels, f64)>,
    firing: bool,
}

impl Trace {
    fn new() -> Self {
        Self {
            samples: Samples::new(),
            at_ms: 0,
            counts: Vec::new(),
            firing: false,
        }
    }

    /// Adds to a series; `labels` as `name{key=value,key=value}` has them.
    fn add(&mut self, name: &str, labels: &[(&str, &str)], by: f64) {
        let named = labels.iter().copied().chain([("__name__", name)]);
        let labels = expr::Labels::new(named);
        match self.counts.iter_mut().find(|count| count.0 == labels) {
            Some(count) => count.1 += by,
            None => self.counts.push((labels, by)),
        }
    }

    /// Counts operations of a budget's level, and those that were bad.
    fn count(&mut self, labels: &[(&str, &str)], valid: f64, bad: f64) {
        self.add(SLI_VALID, labels, valid);
        self.add(SLI_BAD, labels, bad);
    }

    /// Takes a sample of everything a second later.
    fn tick(&mut self) {
        self.at_ms += 1_000;
        for (labels, value) in &self.counts {
            self.samples.insert(labels, self.at_ms, *value);
        }
    }

    fn holds(&self, expr: &Expr) -> bool {
        !eval(expr, &self.samples, self.at_ms)
            .expect("it is there")
            .is_empty()
    }

    /// Judges a level without `for` as Prometheus does: it fires while its condition holds, and `ALERTS` says so.
    fn judge(&mut self, budget: &Budget, level: Level) -> bool {
        self.tick();
        let at = budget
            .levels()
            .position(|known| known == level)
            .expect("it is there");
        let group = budget.rule_group();
        let holds = self.holds(&group.rules[at].expr);
        let part = &budget.rules(&Labels::default())[at];
        assert_eq!(
            part.condition, group.rules[at].expr,
            "one part is all there is"
        );
        let labels = [
            ("__name__", "ALERTS"),
            ("alertname", &budget.name),
            ("alertstate", "firing"),
            ("budget", &budget.name),
            ("level", level.as_str()),
            ("severity", level.severity()),
        ];
        let labels = expr::Labels::new(labels);
        if holds {
            self.samples.insert(&labels, self.at_ms, 1.0);
        } else if self.firing {
            self.samples.insert_stale(&labels, self.at_ms);
        }
        self.firing = holds;
        holds
    }
}

fn errors() -> Budget {
    Budget::error_ratio("b", Select::http())
        .at_most(0.001)
        .over(5 * SECOND)
}

const CRITICAL: [(&str, &str); 2] = [("budget", "b"), ("level", "critical")];
const TARGET: [(&str, &str); 2] = [("budget", "b"), ("level", "target")];

use crate::rule::{AlertRule as RuleAlert, RuleKind};

fn alert(budget: &Budget, at: usize) -> RuleAlert {
    let rules = budget.rule_group().rules.into_iter();
    match rules.map(|rule| rule.kind).nth(at) {
        Some(RuleKind::Alert(alert)) => alert,
        other => panic!("{other:?}"),
    }
}
