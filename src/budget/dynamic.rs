//! Limits that are learned: what is observed, and what it is compared with.

use std::time::Duration;

use super::compile::Shown;
use super::condition::Condition;
use super::{Budget, Labels, Level, Sli};
use crate::band::{Dynamic, Method};
use crate::expr::{Expr, Function, Matching, Op, Selector};

/// The limits of bands; labels `budget`, `level` (`baseline`, `warning`, `critical`), and those that the budget is kept by.
pub(crate) const BAND: &str = "plimsoll_budget_band";
/// The values that bands learn from; labels `budget`, and those that it is kept by.
pub(crate) const OBSERVED: &str = "plimsoll_budget_observed";

/// The levels that a band has limits of.
pub(super) const LEARNED: [Level; 2] = [Level::Warning, Level::Critical];

/// What a part of a budget learns from.
#[derive(Debug, Clone)]
pub(crate) struct Learned {
    /// Of a value of which more is worse.
    pub(crate) dynamic: Dynamic,
    /// The window that is judged.
    pub(crate) over: Duration,
    /// Whether less is worse, so that the negative is observed.
    pub(crate) floor: bool,
    /// An element while the value is judged.
    pub(crate) judged: Expr,
    pub(crate) value: Shown,
}

impl Budget {
    /// Whether the limit of a level is learned.
    pub(crate) fn is_learned(&self, level: Level) -> bool {
        self.dynamic.is_some() && LEARNED.contains(&level)
    }

    /// What a band of the part that is kept by these labels is to be like; `None` without dynamic limits.
    pub(crate) fn learned(&self, labels: &Labels) -> Option<Learned> {
        let mut dynamic = self.dynamic.clone()?;
        let static_limits = [dynamic.floor, self.limit(Level::Target)];
        let static_limits = static_limits.into_iter().flatten();
        let of_worse = static_limits.map(|limit| if self.floor { -limit } else { limit });
        dynamic.floor = of_worse.reduce(f64::max);
        let condition = self.condition(Level::Warning, labels, Vec::new(), &[]);
        Some(Learned {
            dynamic,
            over: self.window(Level::Warning),
            floor: self.floor,
            judged: condition.judged(Expr::Number(1.0).call(Function::Vector)),
            value: match self.sli {
                Sli::Quantile(_, q) => Shown::Quantile(q),
                _ => Shown::Value(condition.value()),
            },
        })
    }

    /// What its bands learn, and how, in words that are the same in the next process. Limits, margins and times to wait may change
    /// without a band beginning anew; what was kept apart depended on the sensitivity.
    pub(crate) fn learns(&self) -> String {
        let Self { sli, per, .. } = self;
        let over = self.window(Level::Warning);
        let by = self.dynamic.as_ref().map(|dynamic| {
            let Dynamic {
                method,
                window,
                sensitivity,
                offset_minutes,
                ..
            } = dynamic;
            (method, window, sensitivity, offset_minutes)
        });
        format!(
            "{sli:?} {per:?} over {over:?} floor {} by {by:?}",
            self.floor
        )
    }

    /// What is wrong with its dynamic limits, as (field, what is wrong and how to mend it).
    pub(super) fn dynamic_problems(&self) -> Vec<(String, String)> {
        let Some(dynamic) = &self.dynamic else {
            return Vec::new();
        };
        let own = dynamic.problems().into_iter();
        let mut problems: Vec<_> = own
            .map(|(field, message)| (format!("dynamic: {field}"), message))
            .collect();
        let mut report = |field: &str, message: &str| {
            problems.push((field.to_owned(), message.to_owned()));
        };
        let problem = |floor| self.limit_problem(floor, self.own_unit());
        if let Some(message) = dynamic.floor.and_then(problem) {
            report("dynamic: floor", &message);
        }
        if self.floor && dynamic.method == Method::Classic {
            let message = "classic is for values of which less is better: choose hour_of_week";
            report("dynamic: method", message);
        }
        for level in LEARNED {
            if self.declared(level).is_some() {
                let message = "stands beside dynamic, which learns it: keep one of the two";
                report(level.as_str(), message);
            }
        }
        for (field, given) in [
            ("schedule", self.schedule.is_some()),
            ("confidence", self.confidence.is_some()),
            ("min_bad", self.min_bad > 0),
        ] {
            if given {
                let message = "is for limits that are declared: leave it or dynamic out";
                report(field, message);
            }
        }
        problems
    }
}

impl Condition<'_> {
    /// Beyond the band.
    pub(super) fn beyond_band(&self) -> Expr {
        let value = match self.budget.sli {
            // Counters know one threshold, and buckets only theirs: both readers take the gauge.
            Sli::Quantile(..) => {
                let observed = Selector::new(OBSERVED).label("budget", &self.budget.name);
                Expr::select(self.of_part(observed))
            }
            _ => self.value(),
        };
        let beyond = if self.budget.floor {
            Op::Less
        } else {
            Op::Greater
        };
        value.binary_on(beyond, Matching::on(self.by.clone()), self.band())
    }

    /// The limit that the band has for this level.
    pub(super) fn band(&self) -> Expr {
        let band = Selector::new(BAND)
            .label("budget", &self.budget.name)
            .label("level", self.level.as_str());
        Expr::select(self.of_part(band))
    }
}
