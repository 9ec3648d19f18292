//! What can be wrong with a layer, and with a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::budget::Level;

/// Why a layer cannot be made.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ActError {
    /// The instance has no budget of this name.
    Budget {
        /// The name.
        budget: String,
        /// The budgets that there are.
        known: Vec<String>,
    },
    /// The budget has no such level.
    Level {
        /// The budget.
        budget: String,
        /// The level.
        level: Level,
        /// The levels that it has.
        known: Vec<Level>,
    },
    /// A share is not a ratio.
    Share {
        /// The share.
        share: f64,
    },
    /// Something must be more than 0.
    Zero {
        /// The setter.
        field: &'static str,
    },
}

impl fmt::Display for ActError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { budget, known } if known.is_empty() => write!(
                f,
                "budget {budget:?} is unknown and so is any other: declare it with Builder::budget"
            ),
            Self::Budget { budget, known } => {
                let known = known.join(", ");
                write!(f, "budget {budget:?} is unknown: take one of {known}")
            }
            Self::Level {
                budget,
                level,
                known,
            } => {
                let known: Vec<_> = known.iter().map(|level| level.as_str()).collect();
                let known = known.join(", ");
                write!(
                    f,
                    "level {level} is none of budget {budget:?}: it has {known}"
                )
            }
            Self::Share { share } => write!(f, "share {share} is not a ratio between 0 and 1"),
            Self::Zero { field } => write!(f, "{field} is 0: it takes something greater"),
        }
    }
}

impl std::error::Error for ActError {}

/// The error of a service behind a [`BreakerLayer`](super::BreakerLayer).
///
/// It is an error whenever `E` can be shown, so that boxed errors pass too. What the service itself returned is shown as
/// such; its own `source` is found by taking it out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerError<E> {
    /// The service was not called.
    Open {
        /// The budget that is, or was, in breach.
        budget: Arc<str>,
        /// After how long to try again: what is left of the pause, or a whole one while trials are under way.
        retry_after: Duration,
    },
    /// What the service returned.
    Inner(E),
}

impl<E: fmt::Display> fmt::Display for BreakerError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open {
                budget,
                retry_after,
            } => write!(
                f,
                "the breaker of budget {budget:?} is open: try again in {retry_after:?}"
            ),
            Self::Inner(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> std::error::Error for BreakerError<E> {}
