//! From a budget to its rules, and what is wrong with it.

use std::sync::Arc;
use std::time::Duration;

use super::{Budget, Labels, Level, Sli};
use crate::expr::{Expr, Selector};
use crate::naming::Naming;

/// Operations that a budget counts as valid; labels `budget`, `level`, and those that it is kept by.
pub(crate) const SLI_VALID: &str = "plimsoll_sli_valid_total";
/// Those of them that were bad.
pub(crate) const SLI_BAD: &str = "plimsoll_sli_bad_total";
/// Seconds since the instance was built.
pub(crate) const UPTIME: &str = "plimsoll_uptime_seconds";

/// One level of a budget, ready to be judged.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) budget: Arc<str>,
    pub(crate) labels: Labels,
    pub(crate) level: Level,
    pub(crate) condition: Expr,
    pub(crate) shown: Shown,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
    pub(crate) sustained: Duration,
    pub(crate) keep_firing: Duration,
}

/// The value that people are shown beside the limit.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// The quantile of the window, within the histogram's error.
    Quantile(f64),
    /// What this evaluates to.
    Value(Expr),
}

impl Budget {
    /// One rule per level, for the part that is kept by these labels.
    pub(crate) fn rules(&self, labels: &Labels) -> Vec<Rule> {
        let judged = self.limits.iter().filter(|_| !self.counted_only);
        judged
            .map(|&(level, limit)| self.rule(labels, level, limit))
            .collect()
    }

    fn rule(&self, labels: &Labels, level: Level, limit: f64) -> Rule {
        let counter = |name: &str| {
            let of_budget = Selector::new(name)
                .label("budget", &self.name)
                .label("level", level.as_str());
            let kept_by = |selector: Selector, label: &(&str, String)| {
                selector.label(label.0, label.1.as_str())
            };
            labels.iter().fold(of_budget, kept_by)
        };
        let rate = |name: &str| Expr::rate(counter(name), self.over).sum();
        let bad_share = || rate(SLI_BAD) / rate(SLI_VALID);
        let (value, judged, shown) = match &self.sli {
            Sli::Quantile(_, q) => (bad_share(), share_above(*q), Shown::Quantile(*q)),
            Sli::ErrorRatio(_) => (bad_share(), limit, Shown::Value(bad_share())),
            Sli::SuccessRatio(_) => {
                let value = Expr::Number(1.0) - bad_share();
                (value.clone(), limit, Shown::Value(value))
            }
            Sli::Throughput(_) => (rate(SLI_VALID), limit, Shown::Value(rate(SLI_VALID))),
            Sli::Value(value) => (value.clone(), limit, Shown::Value(value.clone())),
        };
        let mut condition = if self.floor {
            value.less(judged)
        } else {
            value.greater(judged)
        };
        // A floor on throughput is about too few operations: asking for some would silence it.
        if self.min_events > 0 && !matches!(self.sli, Sli::Throughput(_)) {
            let events = Expr::increase(counter(SLI_VALID), self.over).sum();
            condition = condition.and(events.greater_equal(self.min_events as f64));
        }
        if !self.warm_up.is_zero() {
            let uptime = Expr::select(Selector::new(UPTIME)).sum();
            condition = condition.and(uptime.greater_equal(self.warm_up.as_secs_f64()));
        }
        if let Some(when) = &self.when {
            condition = condition.while_any(when.clone());
        }
        Rule {
            budget: self.name.as_str().into(),
            labels: labels.clone(),
            level,
            condition,
            shown,
            limit,
            unit: self.unit(),
            sustained: self.sustained,
            keep_firing: self.keep_firing,
        }
    }

    /// Every mistake in the declaration, as (field, what is wrong and how to mend it); `keys` are the labels that its kind
    /// of work has.
    pub(crate) fn problems(&self, tick: Duration, keys: &[&str]) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut report = |field: &str, message: String| {
            problems.push((format!("budget {:?}: {field}", self.name), message));
        };
        if self.name.is_empty() {
            report("name", "is empty: give the budget a name".into());
        }
        if self.over < tick * 2 || !self.over.as_nanos().is_multiple_of(1_000_000) {
            report(
                "over",
                format!(
                    "{:?} is not a window: it takes whole milliseconds and at least two ticks of {tick:?}",
                    self.over
                ),
            );
        }
        if self.limits.is_empty() {
            report(
                "limit",
                "is missing: add at_most, at_least, warning or critical".into(),
            );
        }
        for (i, (level, limit)) in self.limits.iter().enumerate() {
            if self.limits[..i].iter().any(|earlier| earlier.0 == *level) {
                report(
                    level.as_str(),
                    "is given twice: keep one of the limits".into(),
                );
            }
            if let Some(message) = self.limit_problem(*limit) {
                report(level.as_str(), message);
            }
        }
        if let Sli::Quantile(_, q) = self.sli
            && !(q > 0.0 && q < 1.0)
        {
            report(
                "quantile",
                format!("{q} is not between 0 and 1: write 0.95 for p95"),
            );
        }
        if let Sli::Quantile(select, _) = &self.sli
            && !select.domain.is_timed()
        {
            let kind = select.domain.as_str();
            report(
                "quantile",
                format!("is not for {kind}, which has no durations: promise a success_ratio"),
            );
        }
        let wrong_way = match self.sli {
            Sli::Quantile(..) | Sli::ErrorRatio(_) => self.floor.then_some("at_most"),
            Sli::SuccessRatio(_) => (!self.floor).then_some("at_least"),
            Sli::Throughput(_) | Sli::Value(_) => None,
        };
        if let Some(right) = wrong_way {
            report(
                "limit",
                format!("points the wrong way: this SLI is promised with {right}"),
            );
        }
        for (key, message) in self
            .select()
            .map(|select| select.unknown_labels(keys))
            .unwrap_or_default()
        {
            report(&format!("label {key:?}"), message);
        }
        for (i, key) in self.per.iter().enumerate() {
            if let Some(message) = self.per_problem(key, &self.per[..i], keys) {
                report("per", message);
            }
        }
        problems
    }

    fn per_problem(&self, key: &str, earlier: &[String], keys: &[&str]) -> Option<String> {
        match self.select() {
            None => Some("is not for a value, which has no operations: leave it out".into()),
            Some(_) if earlier.iter().any(|earlier| earlier == key) => {
                Some(format!("names {key:?} twice: name it once"))
            }
            Some(select) => {
                let message = select.no_label(key, keys)?;
                Some(format!("{key:?} {message}"))
            }
        }
    }

    /// Selectors of families that are exported but not sampled, as problems.
    pub(crate) fn unknown_families(&self, naming: &Naming) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut see = |selector: &Selector, _| {
            let sampled = [SLI_VALID, SLI_BAD, UPTIME].contains(&selector.name());
            if naming.exports(selector.name()) && !sampled {
                let message = format!(
                    "names {}, which is judged through Budget::quantile, error_ratio or throughput",
                    selector.name()
                );
                problems.push((format!("budget {:?}: value", self.name), message));
            }
        };
        if let Sli::Value(value) = &self.sli {
            value.visit(&mut see);
        }
        if let Some(when) = &self.when {
            when.visit(&mut see);
        }
        problems
    }

    fn limit_problem(&self, limit: f64) -> Option<String> {
        let longest = 3600.0;
        match self.sli {
            _ if !limit.is_finite() => Some(format!("{limit} is not a number")),
            Sli::Quantile(..) if limit <= 0.0 || limit > longest => Some(format!(
                "{limit} s is outside what is measured: it takes more than 0 and at most {longest} s"
            )),
            Sli::ErrorRatio(_) | Sli::SuccessRatio(_) if !(0.0..=1.0).contains(&limit) => Some(
                format!("{limit} is not a ratio between 0 and 1: write 0.001 for 0.1 %"),
            ),
            Sli::Throughput(_) if limit < 0.0 => {
                Some(format!("{limit} is negative: it is operations per second"))
            }
            _ => None,
        }
    }
}

/// `1 − q` without the noise of the subtraction: 0.05 for 0.95, not 0.050000000000000044.
fn share_above(q: f64) -> f64 {
    ((1.0 - q) * 1e12).round() / 1e12
}
