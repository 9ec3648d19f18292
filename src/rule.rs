//! Why it exists: budgets, SLOs and a team's own rule files come to the same thing, which Prometheus calls rules: an
//! [`Expr`] that is recorded under a name, or one that makes alerts with `for` and `keep_firing_for`.
//!
//! A [`RuleGroup`] holds rules that are evaluated one after the other, each time its interval is over. An [`Evaluator`] does that,
//! over any samples; a [`RuleFile`] prints groups as Prometheus' YAML, and reads them from it with feature `promql`:
//!
#![cfg_attr(feature = "promql", doc = "```")]
#![cfg_attr(not(feature = "promql"), doc = "```ignore")]
//! use plimsoll::rule::{Evaluator, RuleFile};
//!
//! let file = RuleFile::parse("
//! groups:
//!   - name: queues
//!     rules:
//!       - record: queue:depth:max
//!         expr: max by (queue) (queue_depth)
//!       - alert: QueueDeep
//!         expr: queue:depth:max > 100
//!         for: 5m
//! ")?;
//! let evaluator = Evaluator::new(file.into_groups());
//! assert_eq!(evaluator.alerts().count(), 0);
//! # Ok::<(), plimsoll::rule::RuleFileError>(())
//! ```

mod alerts;
mod evaluator;
mod file;
mod machine;
#[cfg(feature = "promql")]
mod parse;
mod print;
mod recorded;

pub use alerts::{Alert, Change};
#[cfg(feature = "state")]
pub(crate) use evaluator::SavedAlert;
pub use evaluator::{Evaluator, Failure};
pub use file::{Refusal, RuleFile, RuleFileError};
pub use machine::AlertState;
pub(crate) use machine::Machine;
#[cfg(feature = "state")]
pub(crate) use machine::Timer;
#[cfg(feature = "generate")]
pub(crate) use {crate::expr::Range, parse::yaml, print::Text};

use std::time::Duration;

use crate::expr::{Expr, Labels};

/// Rules that are evaluated in turn at the same moment; a later one sees what an earlier one recorded.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RuleGroup {
    /// Unique within a file.
    pub name: String,
    /// How often it is evaluated; `None` stands for the reader's default (the tick in this process).
    pub interval: Option<Duration>,
    /// In order.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// What is done with the elements of the expression's value.
    pub kind: RuleKind,
    /// What is evaluated.
    pub expr: Expr,
    /// Labels that are put over those of each element.
    pub labels: Labels,
}

/// What a rule makes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RuleKind {
    /// A family of this name with the value of each element.
    Record(String),
    /// An alert for each element.
    Alert(AlertRule),
}

/// What there is to an alert beside its condition.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertRule {
    /// The label `alertname`.
    pub name: String,
    /// `for`: how long the condition must hold before the alert fires.
    pub sustained: Duration,
    /// `keep_firing_for`: how long it fires on when the condition no longer holds.
    pub keep_firing: Duration,
    /// Names and texts, templates as they stand.
    pub annotations: Vec<(String, String)>,
}

impl RuleGroup {
    /// A group that is evaluated at every tick.
    pub fn new(name: impl Into<String>, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            name: name.into(),
            interval: None,
            rules: rules.into_iter().collect(),
        }
    }

    /// Evaluated that often.
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }
}

impl Rule {
    /// Records the value of `expr` under a name.
    pub fn record(name: impl Into<String>, expr: Expr) -> Self {
        Self {
            kind: RuleKind::Record(name.into()),
            expr,
            labels: Labels::default(),
        }
    }

    /// Alerts while `expr` has elements.
    pub fn alert(name: impl Into<String>, expr: Expr) -> Self {
        let alert = AlertRule {
            name: name.into(),
            sustained: Duration::ZERO,
            keep_firing: Duration::ZERO,
            annotations: Vec::new(),
        };
        Self {
            kind: RuleKind::Alert(alert),
            expr,
            labels: Labels::default(),
        }
    }

    /// `for`: how long the condition must hold before the alert fires; nothing to a recording rule.
    pub fn sustained(self, sustained: Duration) -> Self {
        self.alerting(|alert| alert.sustained = sustained)
    }

    /// `keep_firing_for`: how long the alert fires on when the condition no longer holds; nothing to a recording rule.
    pub fn keep_firing(self, keep_firing: Duration) -> Self {
        self.alerting(|alert| alert.keep_firing = keep_firing)
    }

    /// A text that goes with the alert; nothing to a recording rule.
    pub fn annotation(self, key: impl Into<String>, text: impl Into<String>) -> Self {
        let annotation = (key.into(), text.into());
        self.alerting(|alert| alert.annotations.push(annotation))
    }

    /// A label that is put over those of each element.
    pub fn label(mut self, key: &str, value: &str) -> Self {
        self.labels = Labels::new(self.labels.iter().chain([(key, value)]));
        self
    }

    fn alerting(mut self, set: impl FnOnce(&mut AlertRule)) -> Self {
        if let RuleKind::Alert(alert) = &mut self.kind {
            set(alert);
        }
        self
    }
}
