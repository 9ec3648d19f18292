//! What is wrong with a budget, and how to mend it.

use std::time::Duration;

use super::limit::tidy;
use super::{Budget, KpiUnit, Level, Limit, Sli};
use crate::naming::OF_BUDGETS;

/// The longest duration that is measured, in seconds.
pub(crate) const LONGEST: f64 = 3600.0;

/// Mistakes as (field, what is wrong and how to mend it).
type Problems = Vec<(String, String)>;

impl Budget {
    /// Every mistake in the declaration; `keys` are the labels that its kind of work has.
    pub(crate) fn problems(&self, tick: Duration, keys: &[&str]) -> Vec<(String, String)> {
        let mut problems = Problems::new();
        let mut report = |field: &str, message: String| {
            problems.push((format!("budget {:?}: {field}", self.name), message));
        };
        if let Some(message) = name_problem(&self.name) {
            report("name", message);
        }
        if let Some(message) = window_problem(self.over, tick) {
            report("over", message);
        }
        if self.limits.is_empty() && self.dynamic.is_none() {
            let mend = "is missing: declare a target, a warning, a critical level, or dynamic ones";
            report("limit", mend.into());
        }
        for (at, (level, limit)) in self.limits.iter().enumerate() {
            let field = self.field(*level);
            if self.limits[..at].iter().any(|earlier| earlier.0 == *level) {
                report(field, "is given twice: keep one of the limits".into());
            }
            for message in self.level_problems(*level, limit, tick) {
                report(field, message);
            }
        }
        for (level, message) in self.contradictions() {
            report(self.field(level), message);
        }
        for (field, message) in self
            .sli_problems()
            .into_iter()
            .chain(self.option_problems())
        {
            report(field, message);
        }
        for (field, message) in self.dynamic_problems() {
            report(&field, message);
        }
        if let Some(select) = self.select() {
            for (list, key, message) in select.unknown_labels(keys) {
                report(&format!("{list}: {key}"), message);
            }
        }
        for (at, key) in self.per.iter().enumerate() {
            if let Some(message) = self.per_problem(key, &self.per[..at], keys) {
                report(&format!("per {key:?}"), message);
            }
        }
        problems
    }

    fn level_problems(&self, level: Level, limit: &Limit, tick: Duration) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(limit.over.and_then(|over| window_problem(over, tick)));
        match self.limit(level) {
            _ if !self.fits(level) => {}
            None => problems.push(multiple_problem(level)),
            Some(amount) => {
                problems.extend(self.limit_problem(amount, self.limit_unit()));
                problems.extend(self.clear_problem(level, limit, amount));
                problems.extend(self.period_problems(level, amount));
            }
        }
        problems
    }

    /// Hysteresis clears on the milder side.
    fn clear_problem(&self, level: Level, limit: &Limit, amount: f64) -> Option<String> {
        limit.clear?;
        let Some(clear) = self.clear_limit(level) else {
            return Some(multiple_problem(level));
        };
        let unit = self.limit_unit();
        let milder = if self.floor {
            clear > amount
        } else {
            clear < amount
        };
        if milder {
            return self.limit_problem(clear, unit);
        }
        let side = if self.floor { "above" } else { "below" };
        Some(format!(
            "clears at {}, which is not milder than its limit {}: clear {side} it",
            unit.show(clear),
            unit.show(amount)
        ))
    }

    /// A schedule may make a limit what it must not be.
    fn period_problems(&self, level: Level, amount: f64) -> Vec<String> {
        let judged = self.schedule.iter().flat_map(|schedule| schedule.judged());
        let problem = judged.filter_map(|(period, _)| {
            let message = self.limit_problem(period.limit(level, amount), self.limit_unit())?;
            Some(format!(
                "in period {:?} of the schedule: {message}",
                period.name
            ))
        });
        problem.collect()
    }

    /// A graver level must not be easier to exceed than a milder one.
    fn contradictions(&self) -> Vec<(Level, String)> {
        let mut limits: Vec<(Level, f64)> = self
            .limits
            .iter()
            .filter(|limit| self.fits(limit.0))
            .filter_map(|limit| Some((limit.0, self.limit(limit.0)?)))
            .collect();
        limits.sort_by_key(|limit| limit.0);
        let milder = |milder: f64, graver: f64| {
            if self.floor {
                graver > milder
            } else {
                graver < milder
            }
        };
        let pairs = limits.windows(2);
        let wrong = pairs.filter(|pair| milder(pair[0].1, pair[1].1));
        let side = if self.floor {
            "at or below"
        } else {
            "at or above"
        };
        let message = |pair: &[(Level, f64)]| {
            let [(of, than), (level, limit)] = [pair[0], pair[1]];
            let [than, limit] = [than, limit].map(|it| self.limit_unit().show(it));
            (
                level,
                format!("{limit} is milder than the {of} {than}: set it {side} that"),
            )
        };
        wrong.map(message).collect()
    }

    fn sli_problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if let Sli::Quantile(select, q) = &self.sli {
            if !(*q > 0.0 && *q < 1.0) {
                let message = format!("{q} is not between 0 and 1: write 0.95 for p95");
                problems.push(("quantile", message));
            }
            if !select.domain.is_timed() {
                let kind = select.domain.as_str();
                let message =
                    format!("is not for {kind}, which has no durations: promise a success_ratio");
                problems.push(("quantile", message));
            }
        }
        let wrong_way = match self.sli {
            Sli::Quantile(..) | Sli::ErrorRatio(_) | Sli::Freshness(_) | Sli::Age(_) => {
                self.floor.then_some("at_most")
            }
            Sli::SuccessRatio(_) => (!self.floor).then_some("at_least"),
            Sli::Throughput(_) | Sli::Ratio(..) | Sli::Value(_) => None,
        };
        if let Some(right) = wrong_way {
            let message = format!("points the wrong way: this SLI is promised with {right}");
            let declared = self.limits.first();
            let field = declared.map_or("higher_is_better", |limit| self.field(limit.0));
            problems.push((field, message));
        }
        problems
    }

    fn option_problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let counts_bad = matches!(
            self.sli,
            Sli::Quantile(..) | Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..)
        );
        let only = "is only for quantiles and ratios, which have bad events: leave it out";
        if let Some(confidence) = self.confidence {
            if !(0.5..=0.9999).contains(&confidence) {
                let message =
                    format!("{confidence} is not from 0.5 to 0.9999: write 0.95 for 95 %");
                problems.push(("confidence", message));
            } else if !counts_bad {
                problems.push(("confidence", only.to_owned()));
            }
        }
        if self.min_bad > 0 && !counts_bad {
            problems.push(("min_bad", only.to_owned()));
        }
        if self.absent_after == Some(Duration::ZERO) {
            let message = "0ns is no time: say how long there may be nothing to judge";
            problems.push(("absent_after", message.to_owned()));
        }
        let of_schedule = self
            .schedule
            .iter()
            .flat_map(|schedule| schedule.problems());
        problems.extend(of_schedule.map(|message| ("schedule", message)));
        problems
    }

    fn per_problem(&self, key: &str, earlier: &[String], keys: &[&str]) -> Option<String> {
        match self.select() {
            None => Some("is not for a value, which has no operations: leave it out".into()),
            Some(_) if earlier.iter().any(|earlier| earlier == key) => {
                Some("stands twice: name it once".into())
            }
            Some(_) if OF_BUDGETS.contains(&key) => {
                Some("is a label that every SLI counter has: rename yours".into())
            }
            Some(select) => select.no_label(key, keys),
        }
    }

    /// What is wrong with a limit that is written in this unit.
    pub(super) fn limit_problem(&self, limit: f64, unit: KpiUnit) -> Option<String> {
        let given = unit.show(limit);
        match self.sli {
            Sli::Quantile(..) if !(limit > 0.0 && limit <= LONGEST) => Some(format!(
                "{given} is outside what is measured: it takes more than 0 and at most {}",
                unit.show(LONGEST)
            )),
            Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..) => {
                self.ratio_problem(limit, unit)
            }
            _ if !limit.is_finite() => {
                Some(format!("{limit} is not a number: write one, such as 100"))
            }
            Sli::Throughput(_) if limit < 0.0 => Some(format!(
                "{given} is negative: write 100 for 100 operations per second"
            )),
            Sli::Freshness(_) | Sli::Age(_) if limit <= 0.0 => {
                Some(format!("{given} is no age: it takes more than 0"))
            }
            _ => None,
        }
    }

    fn ratio_problem(&self, limit: f64, unit: KpiUnit) -> Option<String> {
        let given = unit.show(limit);
        let is_percent = unit == KpiUnit::Percent;
        let range = match is_percent {
            true => "from 0 % to 100 %",
            false => "a ratio between 0 and 1",
        };
        let mend = match (is_percent, self.floor) {
            (true, true) => "write 99 for 99 %",
            (true, false) => "write 1 for 1 %",
            (false, true) => "write 0.99 for 99 %",
            (false, false) => "write 0.01 for 1 %",
        };
        match limit {
            _ if !is_percent && limit > 1.0 && limit <= 100.0 => {
                let percent = tidy(limit / 100.0);
                Some(format!(
                    "{given} is not {range}: write {percent} for {limit} %"
                ))
            }
            _ if !(0.0..=1.0).contains(&limit) => Some(format!("{given} is not {range}: {mend}")),
            1.0 if !self.floor => Some(format!("{given} can never be exceeded: {mend}")),
            0.0 if self.floor => Some(format!("{given} is always kept: {mend}")),
            _ => None,
        }
    }
}

/// What is wrong with the name of a service or of a promise. It stands in tables, in rules and as the value of a label.
pub(crate) fn name_problem(name: &str) -> Option<String> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if name.is_empty() {
        return Some("is empty: write a name".to_owned());
    }
    name.contains(breaks).then(|| {
        format!("{name:?} has a line break or another control character: write it in one line")
    })
}

fn multiple_problem(level: Level) -> String {
    let alone = "is a multiple of the target, which is none itself: write at_most or at_least with a duration or a number";
    match level {
        Level::Target => alone.to_owned(),
        _ => "is a multiple of the target, which is missing: add at_most or at_least with a duration or a number".to_owned(),
    }
}

fn window_problem(over: Duration, tick: Duration) -> Option<String> {
    let sound = over >= tick * 2 && over.as_nanos().is_multiple_of(1_000_000);
    (!sound).then(|| {
        format!("{over:?} is not a window: it takes whole milliseconds and at least two ticks of {tick:?}")
    })
}
