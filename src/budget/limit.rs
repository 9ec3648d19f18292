//! Limits, and how grave it is to exceed them.

use std::fmt;
use std::time::Duration;

/// How grave a breach is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Level {
    /// There is nothing to judge ([`Budget::absent_after`](crate::Budget::absent_after)).
    Absent,
    /// The promise itself.
    Target,
    /// Somebody should look.
    Warning,
    /// Somebody must act.
    Critical,
}

impl Level {
    /// `absent`, `target`, `warning` or `critical`: the value of the label `level`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Target => "target",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// `info` for the target, `critical`, or `warning`: the label `severity` of its alerts.
    pub fn severity(self) -> &'static str {
        match self {
            Self::Target => "info",
            Self::Absent | Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A limit: a [`Duration`] for quantiles, freshness and ages, a number for ratios and throughput, either for any other value; or
/// a [`Multiple`] of the target. With what is otherwise on this level than in the rest of the budget.
///
/// ```
/// use plimsoll::{Budget, Limit, Select};
/// use std::time::Duration;
///
/// // Promised is 99.9 % of an hour; below 99.5 % of five minutes somebody must act, until it is 99.7 % again.
/// Budget::success_ratio("hooks", Select::http())
///     .at_least(0.999)
///     .over(Duration::from_secs(3600))
///     .critical(Limit::from(0.995).over(Duration::from_secs(300)).clear(0.997));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub(crate) amount: Amount,
    pub(crate) clear: Option<Amount>,
    pub(crate) over: Option<Duration>,
    pub(crate) sustained: Option<Duration>,
    pub(crate) keep_firing: Option<Duration>,
}

/// How much a limit is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// In the unit of the SLI, which is none of time.
    Number(f64),
    /// A duration in seconds.
    Seconds(f64),
    /// So many times the target.
    Multiple(f64),
}

/// A limit that is so many times the target: it moves when the target does.
///
/// Above 1 for what is promised with `at_most`, below 1 for what is promised with `at_least`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Multiple(pub f64);

impl Limit {
    pub(crate) fn new(amount: Amount) -> Self {
        Self {
            amount,
            clear: None,
            over: None,
            sustained: None,
            keep_firing: None,
        }
    }

    /// Hysteresis: once it fires, this level fires on until the value is back at `limit`, which is milder.
    pub fn clear(mut self, limit: impl Into<Self>) -> Self {
        self.clear = Some(limit.into().amount);
        self
    }

    /// The window of this level, instead of [`Budget::over`](crate::Budget::over).
    pub fn over(mut self, window: Duration) -> Self {
        self.over = Some(window);
        self
    }

    /// How long this level must be exceeded, instead of [`Budget::sustained`](crate::Budget::sustained).
    pub fn sustained(mut self, duration: Duration) -> Self {
        self.sustained = Some(duration);
        self
    }

    /// How long this level must be kept, instead of [`Budget::keep_firing`](crate::Budget::keep_firing).
    pub fn keep_firing(mut self, duration: Duration) -> Self {
        self.keep_firing = Some(duration);
        self
    }

    /// This limit with what a stronger source says of it.
    pub(crate) fn under(self, stronger: Self) -> Self {
        Self {
            amount: stronger.amount,
            clear: stronger.clear.or(self.clear),
            over: stronger.over.or(self.over),
            sustained: stronger.sustained.or(self.sustained),
            keep_firing: stronger.keep_firing.or(self.keep_firing),
        }
    }
}

impl Amount {
    /// In the unit of the SLI; `None` for a multiple without a target.
    pub(crate) fn of(self, target: Option<f64>) -> Option<f64> {
        match self {
            Self::Number(amount) | Self::Seconds(amount) => Some(amount),
            Self::Multiple(times) => Some(tidy(times * target?)),
        }
    }
}

/// Without the noise of a calculation with decimal numbers: 0.05 for 1 - 0.95, not 0.050000000000000044.
pub(crate) fn tidy(number: f64) -> f64 {
    let places = 1e12;
    if number.abs() < 1e3 {
        (number * places).round() / places
    } else {
        number
    }
}

impl From<Duration> for Limit {
    fn from(duration: Duration) -> Self {
        Self::new(Amount::Seconds(duration.as_secs_f64()))
    }
}

impl From<f64> for Limit {
    fn from(number: f64) -> Self {
        Self::new(Amount::Number(number))
    }
}

impl From<Multiple> for Limit {
    fn from(multiple: Multiple) -> Self {
        Self::new(Amount::Multiple(multiple.0))
    }
}
