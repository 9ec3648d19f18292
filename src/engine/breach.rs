//! How long breaches last.

use std::sync::Arc;
use std::time::Duration;

use crate::budget::Level;
use crate::histogram::{Buckets, Histogram, Layout};
use crate::registry::{InstrumentKind, InstrumentValue, Registry};

/// From breach to recovery; labels `budget` and `level`.
pub(super) const DURATIONS: &str = "plimsoll_budget_breach_duration_seconds";

/// In seconds; a day and a half is the longest that is told apart.
const BOUNDS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];
const LONGEST: Duration = Duration::from_secs(36 * 3_600);

/// A breach that goes on; it may have begun before the clock did.
#[derive(Debug)]
pub(super) struct Breach {
    pub(super) since_ns: i64,
    durations: Arc<Histogram>,
}

impl Breach {
    /// The histogram is there from the first breach on, so that Prometheus sees its 0. `None` if its name is taken by an
    /// instrument of the service's own.
    pub(super) fn begin(
        registry: &Registry,
        budget: &str,
        level: Level,
        since_ns: i64,
    ) -> Option<Self> {
        let layout = Layout::durations().range(1_000_000, LONGEST.as_nanos() as u64);
        let buckets = Buckets::new(layout, &BOUNDS).ok()?;
        let help = "From the breach of a budget to its recovery.";
        let labels = [("budget", budget), ("level", level.as_str())];
        let kind = InstrumentKind::Histogram(buckets);
        match registry
            .instruments
            .register(DURATIONS, help, kind, &labels)
        {
            Ok(InstrumentValue::Histogram(durations)) => Some(Self {
                since_ns,
                durations,
            }),
            _ => None,
        }
    }

    pub(super) fn end(self, now_ns: u64) {
        let lasted_ns = (now_ns as i64).saturating_sub(self.since_ns);
        self.durations.record(lasted_ns.max(0) as u64);
    }
}
