//! Why it exists: everything hangs off one value, so that two instances never see each other.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, MonotonicClock, SharedClock};
use crate::export::Foreign;
use crate::histogram::{Buckets, Layout};
use crate::naming::Naming;
use crate::registry::Registry;
use crate::stats::Thresholds;

/// One instance: what it counts, promises and announces. Cheap to clone; everything stops when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Plimsoll {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) service: String,
    pub(crate) registry: Arc<Registry>,
    pub(crate) naming: Naming,
    pub(crate) thresholds: Thresholds,
    pub(crate) started_ns: u64,
    pub(crate) foreign: Foreign,
}

impl Plimsoll {
    /// Starts a configuration.
    pub fn builder() -> Builder {
        Builder {
            clock: SharedClock::Monotonic(MonotonicClock::new()),
            service: "service".into(),
            naming: Naming::otel(),
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }
}

/// A configuration in the making.
#[derive(Debug)]
pub struct Builder {
    clock: SharedClock,
    service: String,
    naming: Naming,
}

impl Builder {
    /// The clock that everything is timed by.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SharedClock::Custom(Arc::new(clock));
        self
    }

    /// How exported families are named.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Builds.
    pub fn build(self) -> Result<Plimsoll, std::convert::Infallible> {
        let naming = self.naming;
        let buckets =
            |domain| Buckets::new(Layout::durations(), &naming.bounds(domain)).expect("bounds");
        let started_ns = self.clock.now_ns();
        let registry = Arc::new(Registry::new(self.clock, buckets, 1_000));
        let thresholds = Thresholds {
            slow_request: Duration::from_millis(100),
            slow_query: Duration::from_millis(50),
            error_ratio: 0.001,
        };
        Ok(Plimsoll {
            inner: Arc::new(Inner {
                service: self.service,
                registry,
                naming,
                thresholds,
                started_ns,
                foreign: Foreign::default(),
            }),
        })
    }
}
