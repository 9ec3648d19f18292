//! Why it exists: a promise needs one declaration, which people can read and from which rules can be derived.
//!
//! A [`Budget`] limits an SLI over a window, on up to three [`Level`]s. It compiles to one rule per level, whose
//! condition is an [`Expr`] over the budget's own SLI counters, exact and born at 0.
//!
//! ```
//! use plimsoll::{Budget, Plimsoll, Select};
//! use std::time::Duration;
//!
//! let plimsoll = Plimsoll::builder()
//!     .budget(
//!         Budget::quantile("request-p95", Select::http(), 0.95)
//!             .at_most(Duration::from_millis(200))
//!             .critical(Duration::from_millis(500))
//!             .over(Duration::from_secs(60))
//!             .min_events(20),
//!     )
//!     .budget(Budget::error_ratio("request-errors", Select::http()).at_most(0.001))
//!     .build()?;
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! "p95 at most 200 ms" is judged as "the share above 200 ms is at most 5 %": the same statement, without the error
//! of a bucket. This room only does arithmetic: it knows neither clocks nor cells.

pub(crate) mod check;
mod compile;
mod condition;
mod dynamic;
mod kpi;
mod limit;
mod pattern;
mod presets;
mod schedule;
mod select;
pub mod tables;
mod tree;
mod unit;
pub(crate) mod wilson;

pub(crate) use compile::{Rule, Shown};
pub(crate) use condition::{
    BREACH_BOUNDS, BREACH_DURATIONS, SLI_BAD, SLI_LAST_GOOD, SLI_VALID, UPTIME,
};
pub(crate) use dynamic::{BAND, OBSERVED};
pub use kpi::{Kpi, KpiUnit};
pub(crate) use limit::Amount;
#[cfg(feature = "generate")]
pub(crate) use limit::tidy;
pub use limit::{Level, Limit, Multiple};
pub(crate) use pattern::Pattern;
pub use schedule::{Hours, Schedule, Times};
pub use select::Select;
pub use tree::{BudgetStage, BudgetTree, BudgetTreeError, Share};
pub(crate) use unit::{Misfit, Unit};

use std::sync::Arc;
use std::time::Duration;

use crate::band::Dynamic;
use crate::expr::{Expr, Selector};

/// The labels that a part of a budget is kept by, with their values; empty for a budget that is kept as one.
pub(crate) type Labels = Arc<[(&'static str, String)]>;

/// What is measured against the limits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sli {
    /// The `q`-quantile of the durations, in seconds.
    Quantile(Select, f64),
    /// Failed operations ÷ all.
    ErrorRatio(Select),
    /// Operations that did not fail ÷ all.
    SuccessRatio(Select),
    /// Operations per second.
    Throughput(Select),
    /// Seconds since the last operation that did not fail.
    Freshness(Select),
    /// Seconds since the newest of some Unix times.
    Age(Selector),
    /// The growth of a counter ÷ that of all.
    Ratio(Selector, Whole),
    /// Anything else.
    Value(Expr),
}

/// What a counter's growth is a share of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Whole {
    /// This counter's.
    Of(Selector),
    /// Its own and this one's.
    With(Selector),
}

/// A limit on an SLI over a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    pub(crate) name: String,
    pub(crate) sli: Sli,
    /// Keys of the labels that it is kept by.
    pub(crate) per: Vec<String>,
    pub(crate) floor: bool,
    pub(crate) limits: Vec<(Level, Limit)>,
    /// The unit that they are declared in, if that of a key figure.
    pub(crate) limits_in: Option<KpiUnit>,
    pub(crate) over: Duration,
    pub(crate) sustained: Duration,
    pub(crate) keep_firing: Duration,
    pub(crate) min_events: u64,
    pub(crate) min_bad: u64,
    pub(crate) confidence: Option<f64>,
    pub(crate) absent_after: Option<Duration>,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) dynamic: Option<Dynamic>,
    pub(crate) warm_up: Duration,
    pub(crate) when: Option<Expr>,
    /// Counts for somebody else, and is not judged itself.
    pub(crate) counted_only: bool,
}

impl Budget {
    fn new(name: impl Into<String>, sli: Sli) -> Self {
        Self {
            name: name.into(),
            sli,
            per: Vec::new(),
            floor: false,
            limits: Vec::new(),
            limits_in: None,
            over: Duration::from_secs(60),
            sustained: Duration::ZERO,
            keep_firing: Duration::ZERO,
            min_events: 1,
            min_bad: 0,
            confidence: None,
            absent_after: None,
            schedule: None,
            dynamic: None,
            warm_up: Duration::ZERO,
            when: None,
            counted_only: false,
        }
    }

    /// The `q`-quantile of durations; `q` is in `0.0..1.0`, 0.95 for "p95". Every way to end counts, cancelled too.
    pub fn quantile(name: impl Into<String>, select: Select, q: f64) -> Self {
        Self::new(name, Sli::Quantile(select, q))
    }

    /// Failed operations ÷ all operations, in `0.0..=1.0`. Cancelled ones count as valid and not as failed, those that a
    /// layer refused ([`Outcome::Shed`](crate::Outcome::Shed)) as neither.
    pub fn error_ratio(name: impl Into<String>, select: Select) -> Self {
        Self::new(name, Sli::ErrorRatio(select))
    }

    /// 1 − error ratio, in `0.0..=1.0`, for promises such as "99 % of reads succeed".
    pub fn success_ratio(name: impl Into<String>, select: Select) -> Self {
        Self::new(name, Sli::SuccessRatio(select)).higher_is_better()
    }

    /// Operations that ended, per second; those that a layer refused are not among them. At least so many, unless
    /// [`at_most`](Self::at_most) says otherwise.
    pub fn throughput(name: impl Into<String>, select: Select) -> Self {
        Self::new(name, Sli::Throughput(select)).higher_is_better()
    }

    /// How long ago the last operation ended that did not fail, at any time before; counted from the budget's beginning
    /// while there was none. The window is of no account.
    ///
    /// ```
    /// use plimsoll::{Budget, Select};
    /// use std::time::Duration;
    ///
    /// Budget::freshness("import", Select::operation("import")).at_most(Duration::from_secs(3600));
    /// ```
    pub fn freshness(name: impl Into<String>, select: Select) -> Self {
        Self {
            min_events: 0,
            ..Self::new(name, Sli::Freshness(select))
        }
    }

    /// How long ago the newest of some Unix times in seconds was: `time() - max(gauge)`, for a gauge such as
    /// `last_backup_timestamp_seconds`.
    pub fn age(name: impl Into<String>, gauge: Selector) -> Self {
        Self {
            min_events: 0,
            ..Self::new(name, Sli::Age(gauge))
        }
    }

    /// The growth of the counters `part` ÷ the growth of the counters `whole`, both of them sums, in `0.0..=1.0`; in
    /// either direction.
    pub fn ratio(name: impl Into<String>, part: Selector, whole: Selector) -> Self {
        Self::new(name, Sli::Ratio(part, Whole::Of(whole)))
    }

    /// Hits ÷ (hits + misses), of two counters, in `0.0..=1.0`: at least so many.
    ///
    /// ```
    /// use plimsoll::{Budget, Selector};
    ///
    /// Budget::hit_ratio("cache", Selector::new("cache_hits_total"), Selector::new("cache_misses_total"))
    ///     .at_least(0.95)
    ///     .warning(0.90)
    ///     .critical(0.80);
    /// ```
    pub fn hit_ratio(name: impl Into<String>, hits: Selector, misses: Selector) -> Self {
        Self::new(name, Sli::Ratio(hits, Whole::With(misses))).higher_is_better()
    }

    /// Any value: a gauge, the rate of a counter, a quantile of a histogram of the service's own, by exported names.
    pub fn value(name: impl Into<String>, value: Expr) -> Self {
        Self {
            min_events: 0,
            ..Self::new(name, Sli::Value(value))
        }
    }

    /// The name, unique within an instance; the value of the label `budget`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Promises that the value stays at or below `limit`. One in another unit than the value's ([`Limit`]) is refused at `build()`.
    pub fn at_most(mut self, limit: impl Into<Limit>) -> Self {
        self.floor = false;
        self.level(Level::Target, limit)
    }

    /// Promises that the value stays at or above `limit`. One in another unit than the value's ([`Limit`]) is refused at `build()`.
    pub fn at_least(self, limit: impl Into<Limit>) -> Self {
        self.higher_is_better().level(Level::Target, limit)
    }

    /// All limits are floors; for a budget without a target, where neither [`at_least`](Self::at_least) nor
    /// [`at_most`](Self::at_most) says so.
    pub fn higher_is_better(mut self) -> Self {
        self.floor = true;
        self
    }

    /// A further limit, in the same direction and unit, that is announced as a warning. One in another unit is refused at `build()`.
    pub fn warning(self, limit: impl Into<Limit>) -> Self {
        self.level(Level::Warning, limit)
    }

    /// A further limit, in the same direction and unit, that is announced as critical. One in another unit is refused at
    /// `build()`. While a graver level fires, a milder one is folded: it keeps its state, and nobody is told of it.
    pub fn critical(self, limit: impl Into<Limit>) -> Self {
        self.level(Level::Critical, limit)
    }

    fn level(mut self, level: Level, limit: impl Into<Limit>) -> Self {
        self.limits.push((level, limit.into()));
        self
    }

    /// The window; one minute by default. At least two ticks, in whole milliseconds.
    pub fn over(mut self, window: Duration) -> Self {
        self.over = window;
        self
    }

    /// How long the limit must be exceeded before it is a breach; zero by default.
    pub fn sustained(mut self, duration: Duration) -> Self {
        self.sustained = duration;
        self
    }

    /// How long the limit must be kept before it is a recovery; zero by default.
    pub fn keep_firing(mut self, duration: Duration) -> Self {
        self.keep_firing = duration;
        self
    }

    /// Operations that the window must hold before it is judged; 1 by default, so that a first error counts.
    /// One slow call at night is an incident then: raise it where traffic can be low.
    pub fn min_events(mut self, events: u64) -> Self {
        self.min_events = events;
        self
    }

    /// Bad operations that the window must hold before it is a breach, whatever their share; 0 by default.
    pub fn min_bad(mut self, events: u64) -> Self {
        self.min_bad = events;
        self
    }

    /// Exceeded only if that is sure: Wilson's lower bound of the bad share, at this one-sided confidence (`0.5..1.0`,
    /// say 0.95), is beyond the limit. So one error of ten is no breach of 1 %, and a hundred of a thousand are.
    ///
    /// For quantiles and ratios. Shown is the plain share.
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Fires on a level of its own, [`Level::Absent`], when there was nothing to judge for so long: no operation in the
    /// window, no series of that name. Absent data is no breach of a limit otherwise.
    pub fn absent_after(mut self, duration: Duration) -> Self {
        self.absent_after = Some(duration);
        self
    }

    /// Other limits at other times.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = Some(schedule);
        self
    }

    /// Warning and critical are learned: beyond what the value usually is at this time. A target beside it stands, and
    /// neither level is ever milder to exceed than that, nor than [`Dynamic::floor`] (a ceiling where higher is better).
    ///
    /// Learned is only what is judged: not while there are too few events, and no breach. Until it has learned enough there is
    /// no limit, and nothing is exceeded. Each process learns its own band, of up to 44 KB for each part
    /// ([`Method::Classic`](crate::band::Method::Classic): 139 KB).
    ///
    /// ```
    /// use plimsoll::band::{Dynamic, Method};
    /// use plimsoll::{Budget, Select};
    /// use std::time::Duration;
    ///
    /// Budget::quantile("api-p95", Select::http(), 0.95)
    ///     .dynamic(Dynamic::new(Method::HourOfWeek).floor(0.2))
    ///     .over(Duration::from_secs(300))
    ///     .sustained(Duration::from_secs(900));
    /// ```
    pub fn dynamic(mut self, dynamic: Dynamic) -> Self {
        self.dynamic = Some(dynamic);
        self
    }

    /// Not judged before the instance has run for so long; zero by default.
    ///
    /// A rule over several instances waits for the oldest of them: so one that restarts again and again, or that comes later,
    /// silences nobody, and a fleet that starts as a whole is given the time.
    pub fn warm_up(mut self, duration: Duration) -> Self {
        self.warm_up = duration;
        self
    }

    /// Kept by this label: the operations of each of its values are judged by themselves, with counters, levels and
    /// states of their own. May be given several times.
    ///
    /// ```
    /// use plimsoll::{Budget, Select};
    /// use std::time::Duration;
    ///
    /// // Every route below /api/ keeps its own p95, whichever routes there will be.
    /// Budget::quantile("api", Select::http().label("route", "/api/*"), 0.95)
    ///     .at_most(Duration::from_millis(200))
    ///     .per("route");
    /// ```
    ///
    /// What is judged begins at 0 when its first operation is declared or seen. What has no value of its own (`other`,
    /// requests without a route) is left to budgets that are kept as one. Cost: for each value that of a budget; there
    /// are no more of them than operations.
    pub fn per(mut self, label: impl Into<String>) -> Self {
        self.per.push(label.into());
        self
    }

    /// Judged only while `condition` holds.
    pub fn when(mut self, condition: Expr) -> Self {
        self.when = Some(condition);
        self
    }

    /// The operations it speaks of; `None` for a [`value`](Self::value).
    pub(crate) fn select(&self) -> Option<&Select> {
        match &self.sli {
            Sli::Quantile(select, _)
            | Sli::ErrorRatio(select)
            | Sli::SuccessRatio(select)
            | Sli::Throughput(select)
            | Sli::Freshness(select) => Some(select),
            Sli::Age(_) | Sli::Ratio(..) | Sli::Value(_) => None,
        }
    }

    /// The durations in seconds that must be exact bounds of its domain.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = f64> + '_ {
        let of_quantile = matches!(self.sli, Sli::Quantile(..));
        let counted = self.counted().into_iter().filter(move |_| of_quantile);
        counted.filter_map(|counted| counted.threshold)
    }

    /// Whether it is about the error ratio of all HTTP requests together.
    pub(crate) fn is_http_error_ratio(&self) -> bool {
        self.per.is_empty()
            && matches!(&self.sli, Sli::ErrorRatio(select) if *select == Select::http())
    }

    /// How values are written: `s`, `1/s`, or nothing.
    pub(crate) fn unit(&self) -> &'static str {
        match self.sli {
            Sli::Quantile(..) | Sli::Freshness(_) | Sli::Age(_) => "s",
            Sli::Throughput(_) => "1/s",
            Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..) | Sli::Value(_) => "",
        }
    }
}

#[cfg(test)]
mod tests;
