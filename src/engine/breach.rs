//! How long breaches last.

use std::sync::Arc;
use std::time::Duration;

use crate::budget::{BREACH_BOUNDS, BREACH_DURATIONS, Level};
use crate::expr::Expr;
use crate::histogram::{Buckets, Histogram, Layout};
use crate::registry::{InstrumentKind, InstrumentValue, Registry};

/// A day and a half is the longest that is told apart.
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
        let buckets = Buckets::new(layout, &BREACH_BOUNDS).ok()?;
        let help = "From the breach of a budget to its recovery.";
        let labels = [("budget", budget), ("level", level.as_str())];
        let kind = InstrumentKind::Histogram(buckets);
        match registry
            .instruments
            .register(BREACH_DURATIONS, help, kind, &labels)
        {
            Ok(InstrumentValue::Histogram(durations)) => Some(Self {
                since_ns,
                durations,
            }),
            _ => None,
        }
    }

    /// Whether a condition is about how long breaches last: its own ones are none of them, since each would lead to the next.
    pub(super) fn is_judged_by(condition: &Expr) -> bool {
        let mut found = false;
        condition.visit(&mut |selector, _| {
            found |= selector.name().starts_with(BREACH_DURATIONS);
        });
        found
    }

    pub(super) fn end(self, now_ns: u64) {
        let lasted_ns = (now_ns as i64).saturating_sub(self.since_ns);
        self.durations.record(lasted_ns.max(0) as u64);
    }
}
