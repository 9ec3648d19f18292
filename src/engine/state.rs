//! The alert state machine of Prometheus.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::budget::Level;
use crate::histogram::nanos;

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AlertState {
    /// The limit is kept.
    Inactive,
    /// It is exceeded, but not yet for long enough.
    Pending,
    /// It is breached.
    Firing,
}

impl AlertState {
    /// 0 inactive, 1 pending, 2 firing: the value of `plimsoll_budget_state`.
    pub fn as_number(self) -> u8 {
        match self {
            Self::Inactive => 0,
            Self::Pending => 1,
            Self::Firing => 2,
        }
    }
}

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
    /// The measured value in `unit`; `None` if the window held nothing.
    pub value: Option<f64>,
    /// The limit in `unit`.
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

/// A rule's memory between ticks.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    sustained_ns: u64,
    keep_ns: u64,
    at: At,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Inactive,
    Pending {
        since_ns: u64,
    },
    /// `kept_since_ns`: since when the condition no longer holds.
    Firing {
        kept_since_ns: Option<u64>,
    },
}

impl Machine {
    pub(super) fn new(sustained: Duration, keep: Duration) -> Self {
        Self {
            sustained_ns: nanos(sustained),
            keep_ns: nanos(keep),
            at: At::Inactive,
        }
    }

    pub(super) fn state(&self) -> AlertState {
        match self.at {
            At::Inactive => AlertState::Inactive,
            At::Pending { .. } => AlertState::Pending,
            At::Firing { .. } => AlertState::Firing,
        }
    }

    /// One evaluation.
    pub(super) fn step(&mut self, holds: bool, now_ns: u64) {
        self.at = match (self.at, holds) {
            (At::Inactive, true) => self.exceeded(now_ns, now_ns),
            (At::Pending { since_ns }, true) => self.exceeded(since_ns, now_ns),
            (At::Inactive | At::Pending { .. }, false) => At::Inactive,
            (At::Firing { .. }, true) => At::Firing {
                kept_since_ns: None,
            },
            (At::Firing { kept_since_ns }, false) => {
                let kept_since_ns = kept_since_ns.unwrap_or(now_ns);
                if now_ns - kept_since_ns < self.keep_ns {
                    At::Firing {
                        kept_since_ns: Some(kept_since_ns),
                    }
                } else {
                    At::Inactive
                }
            }
        };
    }

    fn exceeded(&self, since_ns: u64, now_ns: u64) -> At {
        if now_ns - since_ns >= self.sustained_ns {
            At::Firing {
                kept_since_ns: None,
            }
        } else {
            At::Pending { since_ns }
        }
    }
}
