//! From a budget to what is counted for it and to its rules.

use std::sync::Arc;
use std::time::Duration;

use super::condition::Condition;
use super::dynamic::LEARNED;
use super::limit::Amount;
use super::{Budget, Labels, Level, Sli, Whole};
use crate::expr::{self, Expr, Selector};
use crate::rule::{self, RuleGroup, RuleKind};

/// One level of a budget, ready to be judged.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// The same value for all levels of a part.
    pub(crate) budget: Arc<str>,
    pub(crate) labels: Labels,
    pub(crate) level: Level,
    pub(crate) condition: Expr,
    pub(crate) shown: Shown,
    /// As it is declared; NaN if it is learned.
    pub(crate) limit: f64,
    /// The limit in force, where it is learned, or another one at other times.
    pub(crate) limit_now: Option<Expr>,
    pub(crate) unit: &'static str,
    pub(crate) sustained: Duration,
    pub(crate) keep_firing: Duration,
}

/// The value that people are shown beside the limit.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// The quantile of the level's window, within the histogram's error.
    Quantile(f64),
    /// What this evaluates to.
    Value(Expr),
}

/// A pair of SLI counters that a budget needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counted {
    pub(crate) level: Level,
    /// What tells it from other pairs of the level.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// In seconds, for quantiles: what is above it is bad. `None` where no limit is declared, and failures are bad.
    pub(crate) threshold: Option<f64>,
}

/// Which of the counters of a level.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Mark<'a> {
    /// A time with a threshold of its own.
    pub(super) period: Option<&'a str>,
    /// The threshold at which the level clears.
    pub(super) clear: bool,
}

/// The labels of counters that are marked.
const SCHEDULE: &str = "schedule";
const EDGE: &str = "edge";

impl Mark<'_> {
    /// The value of a label; empty where there is none.
    pub(super) fn label(&self, key: &str) -> &str {
        match key {
            SCHEDULE => self.period.unwrap_or_default(),
            _ if self.clear => "clear",
            _ => "",
        }
    }
}

impl Budget {
    /// Its levels, as they are declared.
    pub(crate) fn levels(&self) -> impl Iterator<Item = Level> + '_ {
        let absent = self.absent_after.map(|_| Level::Absent);
        let limits = self.limits.iter().map(|limit| limit.0);
        let learned = self.dynamic.iter().flat_map(|_| LEARNED);
        limits.chain(learned).chain(absent)
    }

    /// The limit of a level, in the unit of the SLI.
    pub(crate) fn limit(&self, level: Level) -> Option<f64> {
        self.amount(self.declared(level)?.amount)
    }

    /// The limit at which a level clears, where it is another one.
    pub(crate) fn clear_limit(&self, level: Level) -> Option<f64> {
        self.amount(self.declared(level)?.clear?)
    }

    pub(super) fn declared(&self, level: Level) -> Option<&super::Limit> {
        let found = self.limits.iter().find(|limit| limit.0 == level);
        found.map(|limit| &limit.1)
    }

    fn amount(&self, amount: Amount) -> Option<f64> {
        let target = self.declared(Level::Target);
        let target = target.and_then(|target| target.amount.of(None));
        amount.of(target)
    }

    /// The level whose counters tell how many events there are.
    pub(crate) fn counting(&self, level: Level) -> Level {
        match self.declared(level) {
            Some(_) => level,
            None => self.limits.first().map_or(Level::Warning, |first| first.0),
        }
    }

    /// The window of a level.
    pub(crate) fn window(&self, level: Level) -> Duration {
        let own = self.declared(level).and_then(|limit| limit.over);
        own.unwrap_or(self.over)
    }

    /// The counters that are kept for each part.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let mut counted = Vec::new();
        for &(level, _) in &self.limits {
            for (mark, threshold) in self.thresholds_of(level) {
                let marks = self.marks(level).into_iter();
                let labels = marks.map(|key| (key, mark.label(key).to_owned()));
                counted.push(Counted {
                    level,
                    labels: labels.filter(|label| !label.1.is_empty()).collect(),
                    threshold: Some(threshold),
                });
            }
        }
        if self.limits.is_empty() && self.dynamic.is_some() {
            counted.push(Counted {
                level: self.counting(Level::Warning),
                labels: Vec::new(),
                threshold: None,
            });
        }
        counted
    }

    /// What its counters count, in words that are the same in the next process.
    pub(crate) fn counts(&self) -> String {
        let thresholds = self.counted().into_iter().map(|counted| {
            let Counted {
                level,
                labels,
                threshold,
            } = counted;
            (level, labels, threshold)
        });
        let thresholds: Vec<_> = match self.sli {
            Sli::Quantile(..) => thresholds.collect(),
            _ => Vec::new(),
        };
        format!("{:?} {:?} {thresholds:?}", self.sli, self.per)
    }

    /// The labels by which the counters of a level are told apart.
    pub(super) fn marks(&self, level: Level) -> Vec<&'static str> {
        let level = self.counting(level);
        let clears = self
            .declared(level)
            .is_some_and(|limit| limit.clear.is_some());
        let marks = [(SCHEDULE, self.schedule.is_some()), (EDGE, clears)];
        let quantile = matches!(self.sli, Sli::Quantile(..));
        let marks = marks.into_iter().filter(|mark| quantile && mark.1);
        marks.map(|mark| mark.0).collect()
    }

    /// What is counted for a level: the limit, and for quantiles what it is at other times and where it clears.
    fn thresholds_of(&self, level: Level) -> Vec<(Mark<'_>, f64)> {
        let limit = self.limit(level).unwrap_or(f64::NAN);
        let mut marks = vec![(Mark::default(), limit)];
        if !matches!(self.sli, Sli::Quantile(..)) {
            return marks;
        }
        let clear = self.clear_limit(level);
        let clears = |period, clear| {
            (
                Mark {
                    period,
                    clear: true,
                },
                clear,
            )
        };
        let Some(schedule) = &self.schedule else {
            marks.extend(clear.map(|clear| clears(None, clear)));
            return marks;
        };
        for (period, _) in schedule.judged() {
            let (name, of) = (Some(&*period.name), |limit| period.limit(level, limit));
            let mark = Mark {
                period: name,
                clear: false,
            };
            marks.push((mark, of(limit)));
            marks.extend(clear.map(|clear| clears(name, of(clear))));
        }
        marks
    }

    /// One rule per level, for the part that is kept by these labels.
    pub(crate) fn rules(&self, labels: &Labels) -> Vec<Rule> {
        if self.counted_only {
            return Vec::new();
        }
        let name: Arc<str> = self.name.as_str().into();
        let rule = |level| self.rule(&name, labels, level);
        self.levels().map(rule).collect()
    }

    fn rule(&self, name: &Arc<str>, labels: &Labels, level: Level) -> Rule {
        let condition = self.condition(level, labels, Vec::new(), &[]);
        let shown = match (&self.sli, level) {
            (_, Level::Absent) => condition.events().unwrap_or_else(|| condition.value()),
            _ => condition.value(),
        };
        let shown = match self.sli {
            Sli::Quantile(_, q) if level != Level::Absent => Shown::Quantile(q),
            _ => Shown::Value(shown),
        };
        let (sustained, keep_firing) = self.patience(level);
        Rule {
            budget: name.clone(),
            labels: labels.clone(),
            level,
            condition: condition.exceeded(),
            shown,
            limit: match level {
                // One event is what absent data lack.
                Level::Absent => 1.0,
                _ => self.limit(level).unwrap_or(f64::NAN),
            },
            limit_now: match self.is_learned(level) {
                true => Some(condition.band()),
                false => self.limit_now(level),
            },
            unit: if level == Level::Absent {
                ""
            } else {
                self.unit()
            },
            sustained,
            keep_firing,
        }
    }

    pub(super) fn condition<'a>(
        &'a self,
        level: Level,
        of: &'a [(&'static str, String)],
        by: Vec<String>,
        instances: &'a [String],
    ) -> Condition<'a> {
        Condition {
            budget: self,
            level,
            over: self.window(level),
            of,
            by,
            instances,
        }
    }

    /// The value of every part, each by its labels, over all instances.
    #[cfg(feature = "generate")]
    pub(crate) fn value_of_parts(&self, level: Level) -> Expr {
        self.condition(level, &[], self.per.clone(), &[]).value()
    }

    /// How long it must be exceeded, and kept.
    pub(crate) fn patience(&self, level: Level) -> (Duration, Duration) {
        let limit = self.declared(level);
        let sustained = limit.and_then(|limit| limit.sustained);
        let keep_firing = limit.and_then(|limit| limit.keep_firing);
        let sustained = match level {
            Level::Absent => self.absent_after,
            _ => sustained,
        };
        (
            sustained.unwrap_or(self.sustained),
            keep_firing.unwrap_or(self.keep_firing),
        )
    }

    fn limit_now(&self, level: Level) -> Option<Expr> {
        let limit = self.limit(level)?;
        let in_period = self.schedule.as_ref()?.judged().map(|(period, during)| {
            let limit = Expr::Number(period.limit(level, limit));
            limit.call(expr::Function::Vector).while_any(during)
        });
        in_period.reduce(Expr::or)
    }

    /// What Prometheus would get: an alert for each level, over all series that it has of this budget.
    ///
    /// The name of an alert is that of the budget; its labels are `budget`, `level`, `severity` and those that the budget
    /// is [kept by](Self::per). This process judges the same expressions, part by part.
    ///
    /// ```
    /// use plimsoll::{Budget, Select, rule::RuleKind};
    /// use std::time::Duration;
    ///
    /// let budget = Budget::error_ratio("errors", Select::http()).at_most(0.001).per("route");
    /// assert_eq!(
    ///     budget.rule_group().rules[0].expr.to_string(),
    ///     "((sum by (route) (rate(plimsoll_sli_bad_total{budget=\"errors\",level=\"target\"}[1m])) / \
    ///      sum by (route) (rate(plimsoll_sli_valid_total{budget=\"errors\",level=\"target\"}[1m]))) > 0.001) and \
    ///      (sum by (route) (increase(plimsoll_sli_valid_total{budget=\"errors\",level=\"target\"}[1m])) >= 1)",
    /// );
    /// ```
    pub fn rule_group(&self) -> RuleGroup {
        self.rule_group_by([] as [&str; 0])
    }

    /// The same for each instance by itself: `instances` are the labels that tell them apart, such as `job` and
    /// `instance`. A [`value`](Self::value) of which that cannot be told, as of `absent(..)`, stands as it is written.
    pub fn rule_group_by<L: Into<String>>(
        &self,
        instances: impl IntoIterator<Item = L>,
    ) -> RuleGroup {
        let instances: Vec<String> = instances.into_iter().map(Into::into).collect();
        let rules = self.levels().map(|level| self.alert(level, &instances));
        RuleGroup::new(&self.name, rules)
    }

    fn alert(&self, level: Level, instances: &[String]) -> rule::Rule {
        let condition = self.condition_by(level, instances);
        let mut rule = rule::Rule::alert(&self.name, condition.exceeded());
        rule.labels = expr::Labels::new([
            ("budget", self.name.as_str()),
            ("level", level.as_str()),
            ("severity", level.severity()),
        ]);
        if let RuleKind::Alert(alert) = &mut rule.kind {
            (alert.sustained, alert.keep_firing) = self.patience(level);
            alert.annotations = vec![("summary".to_owned(), self.summary(level))];
        }
        rule
    }

    fn condition_by<'a>(&'a self, level: Level, instances: &'a [String]) -> Condition<'a> {
        let instances = match self.tells(instances) {
            true => instances,
            false => &[],
        };
        let by = instances.iter().chain(&self.per).cloned().collect();
        self.condition(level, &[], by, instances)
    }

    /// Whether it can be judged for each instance by itself.
    pub(crate) fn tells(&self, instances: &[String]) -> bool {
        match &self.sli {
            Sli::Value(value) => value.kept_by(instances).is_some(),
            _ => true,
        }
    }

    /// What is compared with the limit of a level: for quantiles, the share above it.
    #[cfg(feature = "generate")]
    pub(crate) fn value_by(&self, level: Level, instances: &[String]) -> Expr {
        self.condition_by(level, instances).value()
    }

    /// What it means when a level fires.
    fn summary(&self, level: Level) -> String {
        let beyond = if self.floor { "below" } else { "above" };
        if self.is_learned(level) {
            return format!(
                "{} is {beyond} what is usual at this time ({level})",
                self.name
            );
        }
        let Some(limit) = self.limit(level) else {
            return format!("{} has nothing to judge", self.name);
        };
        let unit = match self.unit() {
            "" => String::new(),
            unit => format!(" {unit}"),
        };
        let at = match &self.schedule {
            Some(_) => ", or what it is at this time",
            None => "",
        };
        format!("{} is {beyond} {limit}{unit} ({level}){at}", self.name)
    }

    /// What the user gave it to read, each with the field that says so.
    pub(crate) fn sources(&self) -> Vec<(&'static str, Expr)> {
        let select = |series: &Selector| Expr::select(series.clone());
        let mut sources = match &self.sli {
            Sli::Age(gauge) => vec![("gauge", select(gauge))],
            Sli::Ratio(part, Whole::Of(whole)) => {
                vec![("part", select(part)), ("whole", select(whole))]
            }
            Sli::Ratio(hits, Whole::With(misses)) => {
                vec![("hits", select(hits)), ("misses", select(misses))]
            }
            Sli::Value(value) => vec![("value", value.clone())],
            _ => Vec::new(),
        };
        sources.extend(self.when.clone().map(|when| ("when", when)));
        sources
    }

    /// Everything that is evaluated for it, for a part without labels.
    pub(crate) fn read(&self) -> Vec<Expr> {
        let rules = self.rules(&Labels::default()).into_iter();
        let exprs = rules.flat_map(|rule| match rule.shown {
            Shown::Value(value) => vec![rule.condition, value],
            Shown::Quantile(_) => vec![rule.condition],
        });
        exprs.collect()
    }
}
