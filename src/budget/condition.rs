//! The condition of one level: what must hold for it to be exceeded.

use std::time::Duration;

use super::compile::Mark;
use super::limit::tidy;
use super::{Budget, Level, Sli, Whole, wilson};
use crate::expr::{Aggregation, Expr, Function, Grouping, Matching, Op, Selector};

/// Operations that a budget counts as valid; labels `budget`, `level`, and those that it is kept by.
pub(crate) const SLI_VALID: &str = "plimsoll_sli_valid_total";
/// Those of them that were bad.
pub(crate) const SLI_BAD: &str = "plimsoll_sli_bad_total";
/// Unix time of the last of them that did not fail.
pub(crate) const SLI_LAST_GOOD: &str = "plimsoll_sli_last_good_timestamp_seconds";
/// From breach to recovery, a histogram; labels `budget` and `level`.
pub(crate) const BREACH_DURATIONS: &str = "plimsoll_budget_breach_duration_seconds";
/// Its bounds in seconds; a day is the longest that is told apart by them.
pub(crate) const BREACH_BOUNDS: [f64; 15] = [
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0,
    43_200.0, 86_400.0,
];
/// Seconds since the instance was built.
pub(crate) const UPTIME: &str = "plimsoll_uptime_seconds";

/// One level of a budget, for one part of it or for all parts side by side.
pub(super) struct Condition<'a> {
    pub(super) budget: &'a Budget,
    pub(super) level: Level,
    /// The window of this level.
    pub(super) over: Duration,
    /// The labels of the one part that is spoken of.
    pub(super) of: &'a [(&'static str, String)],
    /// The labels that elements keep: those of parts side by side, and of instances.
    pub(super) by: Vec<String>,
    /// Those of them that tell instances apart.
    pub(super) instances: &'a [String],
}

impl Condition<'_> {
    /// The whole condition.
    pub(super) fn exceeded(&self) -> Expr {
        let budget = self.budget;
        if budget.is_learned(self.level) {
            return self.judged(self.beyond_band());
        }
        let Some(limit) = budget.limit(self.level) else {
            return self.absent();
        };
        let clear = budget.clear_limit(self.level);
        let condition = match &budget.schedule {
            None => self.beyond(limit, clear, None),
            Some(schedule) => {
                let in_period = schedule.judged().map(|(period, during)| {
                    let limit = period.limit(self.level, limit);
                    let clear = clear.map(|clear| period.limit(self.level, clear));
                    let beyond = self.beyond(limit, clear, Some(&period.name));
                    beyond.while_any(during)
                });
                in_period.reduce(Expr::or).unwrap_or_else(never)
            }
        };
        self.judged(condition)
    }

    /// The condition where it is judged at all.
    pub(super) fn judged(&self, mut condition: Expr) -> Expr {
        let budget = self.budget;
        // A floor on throughput is about too few operations: asking for some would silence it.
        if budget.min_events > 0
            && !matches!(budget.sli, Sli::Throughput(_))
            && let Some(events) = self.events()
        {
            condition = condition.and(events.greater_equal(budget.min_events as f64));
        }
        if !budget.warm_up.is_zero() {
            // Of several instances the oldest counts: one that keeps restarting must not silence the others.
            let oldest = Grouping::by(self.instances);
            let uptime = Expr::select(Selector::new(UPTIME)).aggregate(Aggregation::Max, oldest);
            let warm = uptime.greater_equal(budget.warm_up.as_secs_f64());
            condition = self.and_of_instance(condition, warm);
        }
        let Some(when) = &budget.when else {
            return condition;
        };
        match when.kept_by(self.instances) {
            Some(when) if !self.instances.is_empty() => {
                condition.binary_on(Op::And, Matching::on(self.instances), when)
            }
            _ => condition.while_any(when.clone()),
        }
    }

    /// The value that people are shown.
    pub(super) fn value(&self) -> Expr {
        let mark = Mark::default();
        match &self.budget.sli {
            Sli::Quantile(..) | Sli::ErrorRatio(_) => self.bad_share(mark),
            Sli::SuccessRatio(_) => Expr::Number(1.0) - self.bad_share(mark),
            Sli::Throughput(_) => self.rate(self.counter(SLI_VALID, mark)),
            Sli::Freshness(_) => self.age(self.counter(SLI_LAST_GOOD, mark)),
            Sli::Age(gauge) => self.age(gauge.clone()),
            Sli::Ratio(part, whole) => {
                let rate = |selector: &Selector| self.rate(selector.clone());
                rate(part) / of_whole(part, whole, rate)
            }
            Sli::Value(value) => {
                let kept = value.kept_by(self.instances);
                kept.unwrap_or_else(|| value.clone())
            }
        }
    }

    /// How many events the window holds; `None` for what has none.
    pub(super) fn events(&self) -> Option<Expr> {
        match &self.budget.sli {
            Sli::Value(_) | Sli::Age(_) => None,
            Sli::Ratio(part, whole) => {
                let increase = |selector: &Selector| self.increase(selector.clone());
                Some(of_whole(part, whole, increase))
            }
            _ => Some(self.increase(self.counter(SLI_VALID, Mark::default()))),
        }
    }

    /// Beyond a limit at one time, or still beyond the milder one at which the level clears.
    fn beyond(&self, limit: f64, clear: Option<f64>, period: Option<&str>) -> Expr {
        let mark = self.mark(period, false);
        let mut beyond = self.compare(limit, mark);
        if self.budget.min_bad > 0
            && let Some(bad) = self.bad_events(mark)
        {
            beyond = beyond.and(bad.greater_equal(self.budget.min_bad as f64));
        }
        let Some(clear) = clear else {
            return beyond;
        };
        let not_clear = self.compare(clear, self.mark(period, true));
        let firing = not_clear.binary_on(Op::And, Matching::on(self.by.clone()), self.firing());
        beyond.or(firing)
    }

    /// Only thresholds of durations make counters of their own.
    fn mark<'a>(&self, period: Option<&'a str>, clear: bool) -> Mark<'a> {
        match self.budget.sli {
            Sli::Quantile(..) => Mark { period, clear },
            _ => Mark::default(),
        }
    }

    fn compare(&self, limit: f64, mark: Mark<'_>) -> Expr {
        let share = match (&self.budget.sli, self.budget.floor) {
            (Sli::Quantile(_, q), _) => tidy(1.0 - q),
            (Sli::SuccessRatio(_), _) | (Sli::Ratio(..), true) => tidy(1.0 - limit),
            _ => limit,
        };
        if let Some(confidence) = self.budget.confidence
            && let (Some(bad), Some(valid)) = (self.bad_events(mark), self.events_of(mark))
        {
            return wilson::lower_bound(bad, valid, wilson::z(confidence)).greater(share);
        }
        match self.budget.sli {
            Sli::Quantile(..) => self.bad_share(mark).greater(share),
            _ if self.budget.floor => self.value().less(limit),
            _ => self.value().greater(limit),
        }
    }

    /// Events that speak against the promise.
    fn bad_events(&self, mark: Mark<'_>) -> Option<Expr> {
        let increase = |selector: &Selector| self.increase(selector.clone());
        match &self.budget.sli {
            Sli::Quantile(..) | Sli::ErrorRatio(_) | Sli::SuccessRatio(_) => {
                Some(self.increase(self.counter(SLI_BAD, mark)))
            }
            Sli::Ratio(part, _) if !self.budget.floor => Some(increase(part)),
            Sli::Ratio(_, Whole::With(rest)) => Some(increase(rest)),
            Sli::Ratio(part, Whole::Of(whole)) => Some(increase(whole) - increase(part)),
            Sli::Throughput(_) | Sli::Freshness(_) | Sli::Age(_) | Sli::Value(_) => None,
        }
    }

    fn events_of(&self, mark: Mark<'_>) -> Option<Expr> {
        match self.budget.sli {
            Sli::Quantile(..) => Some(self.increase(self.counter(SLI_VALID, mark))),
            _ => self.events(),
        }
    }

    /// An element while there is nothing to judge.
    fn absent(&self) -> Expr {
        let none = |selector: Selector| Expr::select(selector).sum().absent();
        match &self.budget.sli {
            Sli::Value(value) => value.clone().absent(),
            Sli::Age(gauge) => none(gauge.clone()),
            Sli::Ratio(_, Whole::Of(whole)) => self.idle().or(none(whole.clone())),
            Sli::Ratio(part, Whole::With(_)) => self.idle().or(none(part.clone())),
            _ => self
                .idle()
                .or(none(self.counter(SLI_VALID, Mark::default()))),
        }
    }

    fn idle(&self) -> Expr {
        let idle = |events: Expr| events.binary(Op::Equal, Expr::Number(0.0));
        self.events().map_or_else(never, idle)
    }

    /// The alert of this very level.
    fn firing(&self) -> Expr {
        let name = self.budget.name.as_str();
        let alert = Selector::new("ALERTS")
            .label("alertname", name)
            .label("alertstate", "firing")
            .label("budget", name)
            .label("level", self.level.as_str());
        Expr::select(self.of_part(alert))
    }

    fn counter(&self, name: &str, mark: Mark<'_>) -> Selector {
        let counter = Selector::new(name)
            .label("budget", &self.budget.name)
            .label("level", self.budget.counting(self.level).as_str());
        // Without these a selector would also match the counters that have the labels.
        let marks = self.budget.marks(self.level).into_iter();
        let marked = marks.fold(counter, |selector, key| {
            selector.label(key, mark.label(key))
        });
        self.of_part(marked)
    }

    pub(super) fn of_part(&self, selector: Selector) -> Selector {
        let kept_by = self.of.iter();
        kept_by.fold(selector, |selector, (key, value)| {
            selector.label(*key, value.as_str())
        })
    }

    fn bad_share(&self, mark: Mark<'_>) -> Expr {
        let rate = |name| self.rate(self.counter(name, mark));
        rate(SLI_BAD) / rate(SLI_VALID)
    }

    fn rate(&self, counter: Selector) -> Expr {
        Expr::rate(counter, self.over).sum_by(&self.by)
    }

    fn increase(&self, counter: Selector) -> Expr {
        Expr::increase(counter, self.over).sum_by(&self.by)
    }

    fn age(&self, gauge: Selector) -> Expr {
        let newest = Expr::select(gauge).aggregate(Aggregation::Max, Grouping::by(&self.by));
        Expr::Time - newest
    }

    fn and_of_instance(&self, condition: Expr, other: Expr) -> Expr {
        if self.by.is_empty() {
            return condition.and(other);
        }
        let on = Matching::on(self.instances);
        condition.binary_on(Op::And, on, other)
    }
}

fn of_whole(part: &Selector, whole: &Whole, read: impl Fn(&Selector) -> Expr) -> Expr {
    match whole {
        Whole::Of(whole) => read(whole),
        Whole::With(rest) => read(part) + read(rest),
    }
}

/// A vector without elements.
fn never() -> Expr {
    let vector = || Expr::Number(1.0).call(Function::Vector);
    vector().unless(vector())
}

#[cfg(test)]
mod tests;
