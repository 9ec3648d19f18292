//! Where budgets stand.

use std::sync::Arc;
use std::time::SystemTime;

use crate::budget::Level;
use crate::rule::AlertState;

/// Where one level of one budget stood at the latest tick.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BudgetReading {
    /// The budget's name.
    pub budget: String,
    /// The labels that it is kept by ([`Budget::per`](crate::Budget::per)), with their values; empty for one that is
    /// kept as one.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serialise::labels"))]
    pub labels: Arc<[(&'static str, String)]>,
    /// The level.
    pub level: Level,
    /// Whether it is breached.
    pub state: AlertState,
    /// Whether a graver level of the same part fires, so that nobody is told of this one.
    pub folded: bool,
    /// The measured value in `unit`; `None` if the window held nothing.
    pub value: Option<f64>,
    /// The limit in `unit`; with a schedule or a band the one in force. NaN until a band has learned one.
    pub limit: f64,
    /// `s`, `1/s`, or empty for ratios and plain values.
    pub unit: &'static str,
    /// Since when the limit is exceeded.
    #[cfg_attr(
        feature = "serde",
        serde(serialize_with = "crate::serialise::maybe_time")
    )]
    pub since: Option<SystemTime>,
}
