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

mod compile;
mod pattern;
mod presets;

pub(crate) use compile::{Rule, SLI_BAD, SLI_VALID, Shown, UPTIME};
pub(crate) use pattern::Pattern;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::expr::Expr;
use crate::registry::Domain;

/// The labels that a part of a budget is kept by, with their values; empty for a budget that is kept as one.
pub(crate) type Labels = Arc<[(&'static str, String)]>;

/// How grave a breach is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Level {
    /// The promise itself.
    Target,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

impl Level {
    /// `target`, `warning` or `critical`: the value of the label `level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which operations a budget speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    pub(crate) domain: Domain,
    pub(crate) labels: Vec<(String, String)>,
    /// What it leaves out.
    pub(crate) except: Vec<(String, String)>,
}

impl Select {
    pub(crate) fn all(domain: Domain) -> Self {
        Self {
            domain,
            labels: Vec::new(),
            except: Vec::new(),
        }
    }

    /// All measured HTTP requests; labels `method`, `route`, and those of requests that the builder was told of.
    pub fn http() -> Self {
        Self::all(Domain::Http)
    }

    /// All calls of measured tower services; label `operation`.
    pub fn service() -> Self {
        Self::all(Domain::Service)
    }

    /// All queries; labels `operation`, `model`, `query` (the summary of the statement, `SELECT orders`, or its name).
    pub fn db() -> Self {
        Self::all(Domain::Db)
    }

    /// All Modbus transactions; labels `device`, `operation`.
    pub fn modbus() -> Self {
        Self::all(Domain::Modbus)
    }

    /// All attempts to connect to a device; labels `protocol`, `device`.
    pub fn connect() -> Self {
        Self::all(Domain::Connect)
    }

    /// All rounds of polling cycles; labels `device`, `cycle`. A round fails when it is not over before the next is due.
    pub fn cycle() -> Self {
        Self::all(Domain::Cycle)
    }

    /// Looks at each device, one of each kind per tick; labels `device`, `check`: `connected` fails while the device is
    /// down, `fresh` while its last good reply is too long ago. So a ratio of them is a share of time.
    pub fn device_check() -> Self {
        Self::all(Domain::Check)
    }

    /// All values of devices that were checked by rules; label `device`. One fails when a rule refuses it.
    pub fn data_points() -> Self {
        Self::all(Domain::Point)
    }

    /// All waits for a pooled connection; label `pool`.
    pub fn acquire() -> Self {
        Self::all(Domain::Acquire)
    }

    /// All openings of connections for a pool; label `pool`.
    pub fn create() -> Self {
        Self::all(Domain::Create)
    }

    /// One of the service's own operations.
    pub fn operation(name: impl Into<String>) -> Self {
        Self::all(Domain::Operation).label("operation", name)
    }

    /// The kind with this configuration word, with all its operations.
    #[cfg(feature = "config")]
    pub(crate) fn named(kind: &str) -> Option<Self> {
        Domain::ALL
            .into_iter()
            .find(|domain| domain.as_str() == kind)
            .map(Self::all)
    }

    /// Only operations in which the label `key` has this value. A `*` in it stands for any run of characters:
    /// `/api/*` are all routes below `/api/`. The star of a template such as `/files/{*path}` stands for itself.
    ///
    /// Cost: none for the operations; values are compared when an operation is first seen.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// Without the operations in which the label `key` has this value, or one that fits if there is a `*` in it: health checks
    /// (`route`, `/health*`) are no part of what is promised. Those that are left out are neither valid nor bad.
    pub fn except(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.except.push((key.into(), value.into()));
        self
    }

    /// Labels that are none of `keys`, which the kind of work has; each with what it has.
    pub(crate) fn unknown_labels(&self, keys: &[&str]) -> Vec<(&str, String)> {
        let labels = self.labels.iter().chain(&self.except);
        let labels = labels.map(|label| label.0.as_str());
        let unknown = labels.filter_map(|label| Some((label, self.no_label(label, keys)?)));
        unknown.collect()
    }

    /// What is wrong with a label's key, if it is none of `keys`.
    pub(crate) fn no_label(&self, key: &str, keys: &[&str]) -> Option<String> {
        let message = || {
            format!(
                "is not a label of {}: it has {}",
                self.domain.as_str(),
                keys.join(", ")
            )
        };
        (!keys.contains(&key)).then(message)
    }
}

/// A limit: a [`Duration`] for quantiles, a number for everything else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit(pub(crate) f64);

impl From<Duration> for Limit {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

impl From<f64> for Limit {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

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
    /// Anything else.
    Value(Expr),
}

/// A limit on an SLI over a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    pub(crate) name: String,
    pub(crate) sli: Sli,
    /// Keys of the labels that it is kept by.
    pub(crate) per: Vec<String>,
    pub(crate) floor: bool,
    pub(crate) limits: Vec<(Level, f64)>,
    pub(crate) over: Duration,
    pub(crate) sustained: Duration,
    pub(crate) keep_firing: Duration,
    pub(crate) min_events: u64,
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
            over: Duration::from_secs(60),
            sustained: Duration::ZERO,
            keep_firing: Duration::ZERO,
            min_events: 1,
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
        Self::new(name, Sli::SuccessRatio(select))
    }

    /// Operations that ended, per second; those that a layer refused are not among them.
    pub fn throughput(name: impl Into<String>, select: Select) -> Self {
        Self::new(name, Sli::Throughput(select))
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

    /// Promises that the value stays at or below `limit`.
    pub fn at_most(mut self, limit: impl Into<Limit>) -> Self {
        self.floor = false;
        self.limits.push((Level::Target, limit.into().0));
        self
    }

    /// Promises that the value stays at or above `limit`.
    pub fn at_least(mut self, limit: impl Into<Limit>) -> Self {
        self.floor = true;
        self.limits.push((Level::Target, limit.into().0));
        self
    }

    /// A further limit, in the same direction, that is announced as a warning.
    pub fn warning(mut self, limit: impl Into<Limit>) -> Self {
        self.limits.push((Level::Warning, limit.into().0));
        self
    }

    /// A further limit, in the same direction, that is announced as critical.
    pub fn critical(mut self, limit: impl Into<Limit>) -> Self {
        self.limits.push((Level::Critical, limit.into().0));
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

    /// Not judged before the instance has run for so long; zero by default.
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
            | Sli::Throughput(select) => Some(select),
            Sli::Value(_) => None,
        }
    }

    /// The durations in seconds that must be exact bounds of its domain.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = f64> + '_ {
        let of_quantile = matches!(self.sli, Sli::Quantile(..));
        self.limits
            .iter()
            .filter(move |_| of_quantile)
            .map(|limit| limit.1)
    }

    /// Whether it is about the error ratio of all HTTP requests together.
    pub(crate) fn is_http_error_ratio(&self) -> bool {
        self.per.is_empty()
            && matches!(&self.sli, Sli::ErrorRatio(select) if *select == Select::http())
    }

    /// How values are written: `s`, `1/s`, or nothing.
    pub(crate) fn unit(&self) -> &'static str {
        match self.sli {
            Sli::Quantile(..) => "s",
            Sli::Throughput(_) => "1/s",
            Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Value(_) => "",
        }
    }
}

#[cfg(test)]
mod tests;
