//! What was done about breaches, by budget: what layers refused in place of the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// The mark of a layer's own refusal: an extension of the response, by which an outer
/// [`http::MeasureLayer`](crate::http::MeasureLayer) counts it with an [`Outcome`](super::Outcome) of its own, outside
/// every SLI.
///
/// The layers of `act` put it there. A service that refuses by its own judgement may do so too:
///
/// ```
/// use plimsoll::http::Acted;
///
/// let mut response = http::Response::new("come back later");
/// *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
/// response.extensions_mut().insert(Acted::Shed);
/// ```
#[cfg(feature = "http")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Acted {
    /// The service has too much to do.
    Shed,
    /// The service is given a rest.
    Broken,
}

#[cfg(feature = "http")]
impl Acted {
    /// How such a request is counted: as `shed` or `broken`.
    pub fn outcome(self) -> super::Outcome {
        match self {
            Self::Shed => super::Outcome::Shed,
            Self::Broken => super::Outcome::Broken,
        }
    }
}

/// What is kept for a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActCount {
    /// Requests that were shed.
    Shed,
    /// Calls that a breaker refused.
    Broken,
    /// 0 closed, 1 half-open, 2 open.
    BreakerState,
}

/// Everything that was done about breaches.
#[derive(Debug, Default)]
pub(crate) struct Acts(Mutex<Vec<Act>>);

#[derive(Debug)]
struct Act {
    budget: String,
    count: ActCount,
    /// Relaxed: an independent number.
    value: Arc<AtomicU64>,
}

impl Acts {
    /// The number of a budget: made at 0, and from then on exported.
    #[cfg(feature = "act")]
    pub(crate) fn of(&self, budget: &str, count: ActCount) -> Arc<AtomicU64> {
        let mut acts = self.0.lock();
        let is = |act: &&Act| act.budget == budget && act.count == count;
        if let Some(known) = acts.iter().find(is) {
            return known.value.clone();
        }
        let value = Arc::new(AtomicU64::new(0));
        acts.push(Act {
            budget: budget.to_owned(),
            count,
            value: value.clone(),
        });
        value
    }

    /// Shows (budget, number) of each that is kept.
    pub(crate) fn each(&self, count: ActCount, mut show: impl FnMut(&str, u64)) {
        let acts = self.0.lock();
        for act in acts.iter().filter(|act| act.count == count) {
            show(&act.budget, act.value.load(Ordering::Relaxed));
        }
    }
}
