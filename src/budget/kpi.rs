//! Key figures as tables of requirements have them: in the units of people, with a direction.

use std::fmt::Write;

use super::limit::tidy;
use super::{Amount, Budget, Level, Limit, Unit};

/// A key figure: what is measured, its levels, and the bounds that it must stay within.
///
/// Numbers are in its [`KpiUnit`]. It compiles to [`budgets`](Self::budgets) and renders as a row of a
/// [`table`](Self::table).
///
/// ```
/// use plimsoll::{Budget, Kpi, KpiUnit, Select};
///
/// let uptime = Kpi::new(Budget::success_ratio("uptime", Select::http()))
///     .unit(KpiUnit::Percent)
///     .target(99.99)
///     .warning(99.9)
///     .critical(99.0);
/// assert_eq!(
///     Kpi::table(&[uptime]),
///     "| KPI | | target | warning | critical | min | max |\n\
///      |---|---|---|---|---|---|---|\n\
///      | uptime | at least | 99.99 % | 99.9 % | 99 % | – | – |\n",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Kpi {
    measure: Budget,
    unit: KpiUnit,
    levels: Vec<(Level, f64)>,
    min: Option<f64>,
    max: Option<f64>,
}

/// The unit of a key figure, which has to be one of what is measured: milliseconds or seconds of durations; percent or none of
/// ratios; per second or none of throughput; any of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KpiUnit {
    /// A number without a unit.
    Plain,
    /// Thousandths of a second, of what is measured in seconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Hundredths, of what is measured as a ratio.
    Percent,
    /// A percentage whose gauge counts in percent as well, from 0 to 100.
    PercentGauge,
    /// Operations per second.
    PerSecond,
    /// Millions of bytes per second, of what is measured in bytes per second.
    MegabytesPerSecond,
}

impl KpiUnit {
    /// All that have a configuration word, with that.
    const WORDS: [(&str, Self); 6] = [
        ("ms", Self::Milliseconds),
        ("s", Self::Seconds),
        ("%", Self::Percent),
        ("%gauge", Self::PercentGauge),
        ("/s", Self::PerSecond),
        ("MB/s", Self::MegabytesPerSecond),
    ];

    /// The unit with this configuration word.
    #[cfg(feature = "config")]
    pub(crate) fn named(word: &str) -> Option<Self> {
        let mut known = Self::WORDS.iter();
        known.find_map(|(of, unit)| (*of == word).then_some(*unit))
    }

    /// Its configuration word; `None` for none.
    pub(super) fn word(self) -> Option<&'static str> {
        let mut known = Self::WORDS.iter();
        known.find_map(|(word, unit)| (*unit == self).then_some(*word))
    }

    /// Whether limits of an SLI can be in it.
    pub(super) fn fits(self, unit: Unit) -> bool {
        match unit {
            Unit::Duration => matches!(self, Self::Milliseconds | Self::Seconds),
            Unit::Share => matches!(self, Self::Percent | Self::Plain),
            Unit::PerSecond => matches!(self, Self::PerSecond | Self::Plain),
        }
    }

    /// A limit of an SLI as it is written in this unit.
    pub(super) fn show(self, limit: f64) -> String {
        format!("{}{}", tidy(limit / self.scale()), self.as_str())
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Milliseconds => " ms",
            Self::Seconds => " s",
            Self::Percent | Self::PercentGauge => " %",
            Self::PerSecond => " /s",
            Self::MegabytesPerSecond => " MB/s",
        }
    }

    fn scale(self) -> f64 {
        match self {
            Self::Milliseconds => 1e-3,
            Self::Percent => 1e-2,
            Self::MegabytesPerSecond => 1e6,
            Self::Plain | Self::Seconds | Self::PercentGauge | Self::PerSecond => 1.0,
        }
    }
}

impl Kpi {
    /// Of a budget that says what is measured and in which window, its limits left out. Higher is better where that is
    /// the promise of the SLI, or [`Budget::higher_is_better`] says so.
    pub fn new(measure: Budget) -> Self {
        Self {
            measure,
            unit: KpiUnit::Plain,
            levels: Vec::new(),
            min: None,
            max: None,
        }
    }

    /// The unit of all numbers; none by default. One that does not fit what is measured is refused at `build()`.
    pub fn unit(mut self, unit: KpiUnit) -> Self {
        self.unit = unit;
        self
    }

    /// What is promised.
    pub fn target(self, limit: f64) -> Self {
        self.level(Level::Target, limit)
    }

    /// Beyond it somebody should look.
    pub fn warning(self, limit: f64) -> Self {
        self.level(Level::Warning, limit)
    }

    /// Beyond it somebody must act.
    pub fn critical(self, limit: f64) -> Self {
        self.level(Level::Critical, limit)
    }

    fn level(mut self, level: Level, limit: f64) -> Self {
        self.levels.push((level, limit));
        self
    }

    /// It must never be less; as grave as critical.
    pub fn min(mut self, limit: f64) -> Self {
        self.min = Some(limit);
        self
    }

    /// It must never be more; as grave as critical.
    pub fn max(mut self, limit: f64) -> Self {
        self.max = Some(limit);
        self
    }

    /// The budget of its levels, and `{name}-min` and `{name}-max` for the bounds.
    pub fn budgets(&self) -> Vec<Budget> {
        let mut budgets = Vec::new();
        let learned = self.measure.dynamic.is_some();
        let levels = !self.levels.is_empty() || learned || (self.min, self.max) == (None, None);
        if levels {
            let mut budget = self.measure.clone();
            let levels = self.levels.iter();
            budget.limits = levels
                .map(|&(level, limit)| (level, self.limit(limit)))
                .collect();
            budget.limits_in = Some(self.unit);
            budgets.push(budget);
        }
        for (suffix, bound, floor) in [("min", self.min, true), ("max", self.max, false)] {
            budgets.extend(bound.map(|bound| {
                let mut budget = self.measure.clone().critical(self.limit(bound));
                budget.name = format!("{}-{suffix}", budget.name);
                budget.floor = floor;
                budget.limits_in = Some(self.unit);
                // A bound is not learned, and that there are no data is said of the levels.
                budget.dynamic = None;
                budget.absent_after = budget.absent_after.filter(|_| !levels);
                budget
            }));
        }
        budgets
    }

    fn limit(&self, limit: f64) -> Limit {
        let limit = tidy(limit * self.unit.scale());
        Limit::new(match self.unit {
            KpiUnit::Milliseconds | KpiUnit::Seconds => Amount::Seconds(limit),
            _ => Amount::Number(limit),
        })
    }

    /// Key figures as a table in Markdown.
    pub fn table(kpis: &[Self]) -> String {
        let mut table =
            "| KPI | | target | warning | critical | min | max |\n|---|---|---|---|---|---|---|\n"
                .to_owned();
        for kpi in kpis {
            kpi.row(&mut table);
        }
        table
    }

    fn row(&self, table: &mut String) {
        let direction = if self.measure.floor {
            "at least"
        } else {
            "at most"
        };
        let level = |of| {
            let found = self.levels.iter().find(|level| level.0 == of);
            found.map(|level| level.1)
        };
        let cells = [
            level(Level::Target),
            level(Level::Warning),
            level(Level::Critical),
            self.min,
            self.max,
        ];
        let name = self.measure.name.replace('|', "\\|");
        let _ = write!(table, "| {name} | {direction} |");
        for cell in cells {
            let cell = cell.map(|cell| format!("{cell}{}", self.unit.as_str()));
            let _ = write!(table, " {} |", cell.as_deref().unwrap_or("–"));
        }
        table.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Select;
    use crate::expr::{Expr, Selector};

    #[test]
    fn percent_and_milliseconds_become_ratios_and_seconds() {
        let p95 = Kpi::new(Budget::quantile("p95", Select::http(), 0.95))
            .unit(KpiUnit::Milliseconds)
            .target(200.0)
            .critical(1000.0);
        let of = |kpi: &Kpi, level| kpi.budgets()[0].limit(level);
        assert_eq!(of(&p95, Level::Target), Some(0.2));
        assert_eq!(of(&p95, Level::Critical), Some(1.0));
        let uptime = Kpi::new(Budget::success_ratio("uptime", Select::http()))
            .unit(KpiUnit::Percent)
            .target(99.99);
        assert_eq!(of(&uptime, Level::Target), Some(0.9999));
        assert!(uptime.budgets()[0].floor, "higher is better");
    }

    #[test]
    fn bounds_are_budgets_of_their_own() {
        let users = Expr::select(Selector::new("users")).sum();
        let users = Kpi::new(Budget::value("users", users))
            .max(10_000.0)
            .min(10.0);
        let budgets = users.budgets();
        let seen: Vec<_> = budgets
            .iter()
            .map(|budget| (budget.name(), budget.floor, budget.limit(Level::Critical)))
            .collect();
        let expected = [
            ("users-min", true, Some(10.0)),
            ("users-max", false, Some(10_000.0)),
        ];
        assert_eq!(seen, expected);
        let rps = Kpi::new(Budget::throughput("rps", Select::http()))
            .target(5000.0)
            .min(1000.0);
        let conditions: Vec<String> = rps
            .budgets()
            .iter()
            .map(|budget| budget.rule_group().rules[0].expr.to_string())
            .collect();
        assert!(conditions[0].ends_with("< 5000") && conditions[1].ends_with("< 1000"));
    }
}
