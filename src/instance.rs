//! Why it exists: everything hangs off one value, so that two instances never see each other.

mod budgets;
mod builder;
mod checks;
mod health;
#[cfg(not(feature = "state"))]
#[path = "instance/no_keeper.rs"]
mod keeper;
#[cfg(feature = "state")]
mod keeper;
mod readable;
mod rules;
mod slos;

pub use builder::Builder;
pub use health::{Breached, Health, HealthStatus, NotReady};

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use crate::alert::{Subscription, Warning};
use crate::budget::Level;
use crate::config::Thresholds;
use crate::engine::{BudgetReading, Engine, StateCell, Ticker, WindowReading};
use crate::family::{Foreign, Offer, Shelf};
use crate::naming::Naming;
#[cfg(feature = "http")]
use crate::registry::Anchors;
use crate::registry::{Registry, SlowOperation};
use crate::slo::SloReading;
use keeper::Kept;

/// One instance: what it counts, promises and announces.
///
/// Cheap to clone. When the last clone and the last layer, device and handle made from it are gone, its thread ends
/// and its subscribers get what is still waiting for them. An HTTP `MeasureLayer` alone does not keep it there.
#[derive(Debug, Clone)]
pub struct Plimsoll {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) service: String,
    pub(crate) registry: Arc<Registry>,
    #[cfg(feature = "http")]
    pub(crate) anchors: Anchors,
    pub(crate) naming: Naming,
    #[cfg(feature = "db")]
    pub(crate) databases: crate::db::Databases,
    #[cfg(feature = "modbus")]
    pub(crate) devices: crate::modbus::Devices,
    /// [`Naming::names`], which nobody else may take.
    pub(crate) taken: HashSet<String>,
    pub(crate) thresholds: Thresholds,
    /// Names of instruments that come later.
    expected: Vec<String>,
    /// What rules record.
    recorded: Mutex<Vec<String>>,
    /// What Prometheus calls it: `job` and `instance`.
    target: Option<[String; 2]>,
    /// What the `metrics` facade brings along.
    pub(crate) foreign: Foreign,
    /// When it was built: nothing was counted before.
    pub(crate) created: SystemTime,
    /// The formats it is served in.
    pub(crate) offer: Offer,
    pub(crate) engine: Arc<Engine>,
    /// How often promises are judged.
    tick: Duration,
    /// What makes the service not ready.
    not_ready: Vec<NotReady>,
    /// What the latest pages were made of.
    pub(crate) shelf: Shelf,
    /// Ends the tick's thread with the instance.
    ticker: OnceCell<Ticker>,
    /// Keeps what the next process is to remember.
    kept: OnceCell<Kept>,
}

static GLOBAL: OnceCell<Plimsoll> = OnceCell::new();

impl Plimsoll {
    /// Starts a configuration.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The process-wide instance, built by `init` at the first call: a convenience for binaries.
    ///
    /// # Errors
    ///
    /// What `init` returns; the next call tries again.
    pub fn global<E>(init: impl FnOnce() -> Result<Self, E>) -> Result<&'static Self, E> {
        GLOBAL.get_or_try_init(init)
    }

    /// The name of the service, as set in the configuration.
    pub fn service(&self) -> &str {
        &self.inner.service
    }

    /// Samples, evaluates every budget and announces what changed: what the tick's thread does once a second.
    ///
    /// Call it by hand under [`Builder::manual_tick`].
    pub fn tick(&self) {
        self.inner.engine.tick();
    }

    /// Where every level of every budget stood at the latest tick.
    pub fn budgets(&self) -> Vec<BudgetReading> {
        self.inner.engine.readings()
    }

    /// Where every SLO stood at the latest tick: its error budget, burn rates, alerts, and what maintenance left out.
    ///
    /// Cost: a lock, and an evaluation of each burn rate; not for a hot path.
    pub fn slos(&self) -> Vec<SloReading> {
        self.inner.engine.slo_readings()
    }

    /// Where a budget stands, for code that acts on it at every call: the gravest state of its levels, and of all that
    /// it is kept by. Of an SLO it is the gravest of the alerts that are pages. `None` if there is no such budget or SLO.
    pub fn budget_state(&self, budget: &str) -> Option<StateCell> {
        Some(self.inner.engine.cells(budget)?.any)
    }

    /// The same for one of its levels.
    pub fn level_state(&self, budget: &str, level: Level) -> Option<StateCell> {
        self.inner.engine.cells(budget)?.level(level).cloned()
    }

    /// What a window of a [`Watch`](crate::Watch) held at the latest tick; `None` if nobody named it.
    ///
    /// Cost: a short lock and a copy of the distribution (some 5 KiB).
    pub fn window(&self, watch: &str, over: Duration) -> Option<WindowReading> {
        self.inner.engine.window(watch, over)
    }

    /// A stream of breaches and recoveries from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription::new(self.inner.engine.hub().add("subscription", None))
    }

    /// Everything about the set-up that somebody should mend, as of the latest tick, the first one first; each kind and
    /// subject once.
    pub fn warnings(&self) -> Vec<Warning> {
        self.inner.engine.warnings()
    }

    /// The slowest requests and queries of the latest period of the [slow log](Builder::slow_log) that is over: requests
    /// first, each kind the slowest first.
    pub fn slowest(&self) -> Vec<SlowOperation> {
        self.registry().slow.latest()
    }

    /// Waits until every callback has got what was announced; `false` if that takes longer than `timeout`.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.inner.engine.hub().flush(timeout)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.inner.registry
    }
}
