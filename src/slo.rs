//! Why it exists: users do not ask for "no errors" but for "few enough", and few enough is a number over a period.
//!
//! An [`Slo`] is an objective for the share of good events, or of good time, over a [`Period`]. What it allows to go wrong is
//! its error budget; how fast that is spent is its burn rate. It compiles to alerts over the counters
//! `plimsoll_sli_bad_total` and `plimsoll_sli_valid_total`, in this process and, as [`Slo::rule_groups`], in Prometheus.
//!
//! ```
//! use plimsoll::{Plimsoll, Select, Slo, SloState};
//! use std::time::Duration;
//!
//! let plimsoll = Plimsoll::builder()
//!     .slo(Slo::availability("api", Select::http()).objective(0.999))
//!     .slo(Slo::latency("api-fast", Select::http(), Duration::from_millis(200)).objective(0.99).rolling(30))
//!     .build()?;
//! let api = &plimsoll.slos()[0];
//! assert_eq!((&*api.slo, api.state), ("api", SloState::InsufficientData));
//! assert_eq!(api.error_budget.minutes, 40.32); // 0.1 % of 28 days
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! This room only does arithmetic: it knows neither clocks nor cells.

mod announce;
mod arithmetic;
mod burn;
mod compile;
mod composite;
mod condition;
mod ledger;
mod maintenance;
mod period;
mod presets;
mod problems;
mod reading;

pub use arithmetic::{Band, SloState};
pub use burn::{BurnAlert, Severity};
pub use maintenance::Maintenance;
pub use period::{Calendar, Period};
pub use reading::{
    AlertReading, BurnRateReading, ErrorBudgetReading, MaintenanceReading, PeriodReading,
    SloReading,
};

pub(crate) use arithmetic::error_budget;
pub(crate) use burn::window as window_name;
pub(crate) use compile::Alerting;
pub(crate) use condition::Condition;
#[cfg(feature = "state")]
pub(crate) use ledger::SavedLedger;
pub(crate) use ledger::{Ledger, Tally};
#[cfg(feature = "state")]
pub(crate) use maintenance::SavedMaintenance;
#[cfg(feature = "state")]
pub(crate) use period::Stretch;
pub(crate) use period::millis_since_1970;
pub(crate) use reading::Standing;

use std::time::Duration;

use crate::budget::{Budget, Select};
use crate::expr::{Expr, Offset, Selector};

/// The share of a slice's events is counted in so many parts, since counters count whole ones.
pub(crate) const SLICE_PARTS: u64 = 1_000_000_000;

/// What is counted as valid and as bad.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sli {
    /// Operations; those that failed are bad.
    Availability(Select),
    /// Operations; those above the threshold are bad.
    Latency(Select, Duration),
    /// What counters of the service's own count.
    Ratio {
        part: Selector,
        valid: Selector,
        /// Whether the part is what was good, or what was bad.
        part_is_good: bool,
    },
    /// Ticks; those at which the condition does not hold are bad.
    Time(Expr),
    /// Slices of time; those at whose end the condition does not hold are bad.
    TimeSlice(Expr, Duration),
    /// Slices of time; each is as bad as the error ratio at its end.
    RatioSlices(Expr, Duration),
    /// Other SLOs by their names, with their weights.
    Weighted(Vec<(String, f64)>),
    /// Ticks at which each of these, with its error budget, holds.
    AllOf(Vec<(String, f64)>),
}

/// An objective for an SLI over a period.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    pub(crate) name: String,
    pub(crate) sli: Sli,
    pub(crate) objective: Option<f64>,
    pub(crate) period: Period,
    /// Keys of the labels that it is kept by.
    pub(crate) per: Vec<String>,
    pub(crate) maintenance: Vec<Maintenance>,
    /// `None` stands for the usual ones.
    pub(crate) burn_alerts: Option<Vec<BurnAlert>>,
    pub(crate) reachable_only: bool,
    pub(crate) half_window: bool,
    pub(crate) min_events: u64,
    pub(crate) confidence: Option<f64>,
    pub(crate) absent_after: Option<Duration>,
}

impl Slo {
    fn new(name: impl Into<String>, sli: Sli) -> Self {
        Self {
            name: name.into(),
            sli,
            objective: None,
            period: Period::Rolling(Duration::from_secs(28 * 86_400)),
            per: Vec::new(),
            maintenance: Vec::new(),
            burn_alerts: None,
            reachable_only: false,
            half_window: false,
            min_events: 0,
            confidence: None,
            absent_after: None,
        }
    }

    /// The share of operations that do not fail. Cancelled ones count as valid and not as failed, those that a layer refused
    /// ([`Outcome::Shed`](crate::Outcome::Shed)) as neither; what else is not valid is left out by
    /// [`Select::except`](crate::Select::except).
    ///
    /// A process that is down counts nothing: pair it with a rule over `up` in Prometheus.
    pub fn availability(name: impl Into<String>, select: Select) -> Self {
        Self::new(name, Sli::Availability(select))
    }

    /// The share of operations that take no longer than `threshold`, which becomes an exact bound. Every way to end counts.
    pub fn latency(name: impl Into<String>, select: Select, threshold: Duration) -> Self {
        Self::new(name, Sli::Latency(select, threshold))
    }

    /// What counters of the service's own count: `good` of `valid`, each summed over all series that it selects.
    ///
    /// Counted from 0 on, at each tick. A `valid` one must have been counted before or with its `good` one.
    pub fn good_ratio(name: impl Into<String>, good: Selector, valid: Selector) -> Self {
        let (part, part_is_good) = (good, true);
        Self::new(
            name,
            Sli::Ratio {
                part,
                valid,
                part_is_good,
            },
        )
    }

    /// The same by what was bad: data points that were refused, of all that were checked.
    pub fn bad_ratio(name: impl Into<String>, bad: Selector, valid: Selector) -> Self {
        let (part, part_is_good) = (bad, false);
        Self::new(
            name,
            Sli::Ratio {
                part,
                valid,
                part_is_good,
            },
        )
    }

    /// The share of time in which a condition holds, counted in ticks: a state that is 0 or 1, a comparison, or several with
    /// `and`, `or`, `unless`. It holds if it holds for every element.
    ///
    /// A tick at which it cannot be told, because there are no data, does not count; it is missing in the coverage. So do ticks
    /// that were missed.
    pub fn time_based(name: impl Into<String>, condition: Expr) -> Self {
        Self::new(name, Sli::Time(condition))
    }

    /// The share of slices of time, such as five minutes, at whose end a condition over the slice holds. Slices lie on a grid
    /// from 1970 on. OpenSLO calls it `Timeslices`.
    pub fn time_slice(name: impl Into<String>, condition: Expr, slice: Duration) -> Self {
        Self::new(name, Sli::TimeSlice(condition, slice))
    }

    /// One less the mean of the error ratios of slices of time, so that a quiet hour weighs as much as a busy one. OpenSLO calls it
    /// `RatioTimeslices`. The counters count billionths of a slice.
    ///
    /// `error_ratio` is evaluated at the end of each slice and should be about the slice; one without a value does not count, nor
    /// does one outside of `0.0..=1.0`.
    pub fn ratio_time_slices(name: impl Into<String>, error_ratio: Expr, slice: Duration) -> Self {
        Self::new(name, Sli::RatioSlices(error_ratio, slice))
    }

    /// The weighted mean of other SLOs' SLIs, over the same period. It has a value while each of them has events.
    pub fn weighted<'a>(
        name: impl Into<String>,
        of: impl IntoIterator<Item = (&'a Self, f64)>,
    ) -> Self {
        let named = |(slo, weight): (&Self, f64)| (slo.name.clone(), weight);
        Self::new(name, Sli::Weighted(of.into_iter().map(named).collect()))
    }

    /// The share of time, counted in ticks, in which the error ratio of each of these SLOs over the latest five minutes is within
    /// its error budget. A tick counts as good while each has events and keeps it, as bad when one does not.
    pub fn all_of<'a>(name: impl Into<String>, of: impl IntoIterator<Item = &'a Self>) -> Self {
        let kept = |slo: &Self| (slo.name.clone(), slo.error_budget());
        Self::new(name, Sli::AllOf(of.into_iter().map(kept).collect()))
    }

    /// The share that is promised to be good, in `0.0..1.0`: 0.999 for 99.9 %. Every SLO needs one.
    pub fn objective(mut self, share: f64) -> Self {
        self.objective = Some(share);
        self
    }

    /// Over the latest so many days; 28 by default, which always hold four weekends. At least 1 and at most 366.
    pub fn rolling(mut self, days: u16) -> Self {
        self.period = Period::Rolling(Duration::from_secs(u64::from(days) * 86_400));
        self
    }

    /// Over the calendar's period at hand, at a fixed offset from UTC.
    pub fn calendar(mut self, calendar: Calendar, offset: Offset) -> Self {
        self.period = Period::Calendar(calendar, offset);
        self
    }

    /// Kept by this label: the operations of each of its values have an error budget and alerts of their own, as with
    /// [`Budget::per`]. May be given several times.
    pub fn per(mut self, label: impl Into<String>) -> Self {
        self.per.push(label.into());
        self
    }

    /// A time whose events are excluded. May be given several times.
    pub fn maintenance(mut self, maintenance: Maintenance) -> Self {
        self.maintenance.push(maintenance);
        self
    }

    /// Other burn alerts than the usual four, none included.
    pub fn burn_alerts(mut self, alerts: impl IntoIterator<Item = BurnAlert>) -> Self {
        self.burn_alerts = Some(alerts.into_iter().collect());
        self
    }

    /// Does without the usual burn alerts that can never fire for this objective, instead of refusing it: below 93.06 % over
    /// 30 days that is the fastest one.
    pub fn reachable_burn_alerts(mut self) -> Self {
        self.reachable_only = true;
        self
    }

    /// Burn alerts fire only once they have held for half of their short window, as pyrra's do; at once by default.
    pub fn sustained_half_window(mut self) -> Self {
        self.half_window = true;
        self
    }

    /// Events that the long window must hold before its alert is judged; 0 by default.
    ///
    /// With 99.9 % and a burn rate of 14.4, one error among 69 requests of an hour is a page: where traffic can be so low, raise
    /// it, or ask for [`confidence`](Self::confidence).
    pub fn min_events(mut self, events: u64) -> Self {
        self.min_events = events;
        self
    }

    /// Judges the lower bound of the long window's error ratio (Wilson's score interval, at this one-sided confidence in `0.5..1.0`, say 0.95) instead of the
    /// ratio itself: few events prove little, many prove as much as ever.
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// A ticket when there has been no event for so long, or, for Prometheus, nobody who counts them.
    pub fn absent_after(mut self, silence: Duration) -> Self {
        self.absent_after = Some(silence);
        self
    }

    /// The name, unique among the SLOs and budgets of an instance; the value of the labels `slo`, and `budget` of its counters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The share that may be bad.
    pub(crate) fn error_budget(&self) -> f64 {
        error_budget(self.objective.unwrap_or(0.0))
    }

    /// Whether it is made of others.
    pub fn is_composite(&self) -> bool {
        matches!(self.sli, Sli::Weighted(_) | Sli::AllOf(_))
    }

    /// The operations it speaks of, if it speaks of any.
    pub(crate) fn select(&self) -> Option<&Select> {
        match &self.sli {
            Sli::Availability(select) | Sli::Latency(select, _) => Some(select),
            _ => None,
        }
    }

    /// Lets composites know the error budgets of their parts, as they are declared in the end.
    pub(crate) fn resolve(all: &mut [Self]) {
        let budgets: Vec<_> = all
            .iter()
            .map(|slo| (slo.name.clone(), slo.error_budget()))
            .collect();
        for slo in all {
            let Sli::AllOf(of) = &mut slo.sli else {
                continue;
            };
            for (part, budget) in of {
                let found = budgets.iter().find(|known| known.0 == *part);
                *budget = found.map_or(*budget, |known| known.1);
            }
        }
    }

    /// Counts its operations as a budget does, without levels of its own to judge.
    pub(crate) fn carrier(&self) -> Budget {
        let name = &*self.name;
        let mut carrier = match &self.sli {
            Sli::Availability(select) => {
                Budget::error_ratio(name, select.clone()).at_most(self.error_budget())
            }
            Sli::Latency(select, threshold) => {
                let objective = self.objective.unwrap_or(0.0);
                Budget::quantile(name, select.clone(), objective).at_most(*threshold)
            }
            _ => Budget::value(name, self.read()).at_most(0.0),
        };
        carrier.per = self.per.clone();
        carrier.counted_only = true;
        carrier
    }

    /// What it reads to count by itself.
    pub(crate) fn read(&self) -> Expr {
        match &self.sli {
            Sli::Ratio { part, valid, .. } => {
                Expr::select(part.clone()) / Expr::select(valid.clone())
            }
            Sli::Time(read) | Sli::TimeSlice(read, _) | Sli::RatioSlices(read, _) => read.clone(),
            _ => Expr::Number(0.0),
        }
    }

    /// What the user gave it to read, each with the field that says so.
    pub(crate) fn sources(&self) -> Vec<(&'static str, Expr)> {
        match &self.sli {
            Sli::Ratio {
                part,
                valid,
                part_is_good,
            } => {
                let of_part = if *part_is_good { "good" } else { "bad" };
                let select = |series: &Selector| Expr::select(series.clone());
                vec![(of_part, select(part)), ("valid", select(valid))]
            }
            Sli::Time(condition) | Sli::TimeSlice(condition, _) => {
                vec![("condition", condition.clone())]
            }
            Sli::RatioSlices(ratio, _) => vec![("error_ratio", ratio.clone())],
            Sli::Availability(_) | Sli::Latency(..) | Sli::Weighted(_) | Sli::AllOf(_) => {
                Vec::new()
            }
        }
    }

    /// What one of its events is: `events`, `ticks` or `slices`; empty for a weighted one, which has none.
    pub(crate) fn unit(&self) -> &'static str {
        match self.sli {
            Sli::Availability(_) | Sli::Latency(..) | Sli::Ratio { .. } => "events",
            Sli::Time(_) | Sli::AllOf(_) => "ticks",
            Sli::TimeSlice(..) | Sli::RatioSlices(..) => "slices",
            Sli::Weighted(_) => "",
        }
    }

    /// How much the counters count for one event.
    pub(crate) fn scale(&self) -> u64 {
        match self.sli {
            Sli::RatioSlices(..) => SLICE_PARTS,
            _ => 1,
        }
    }
}
