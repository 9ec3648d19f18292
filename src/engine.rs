//! Why it exists: somebody must look at the counters once a second and say whether the promises still hold.
//!
//! A tick looks at what grew since the one before, appends it to the windows, evaluates every rule and moves its
//! [`AlertState`]; edges go to the subscribers. It runs on a thread of its own, or by hand
//! ([`Plimsoll::tick`](crate::Plimsoll::tick)) under a [`ManualClock`](crate::ManualClock).
//!
//! The hot path never comes here. This room does no I/O and calls no user code but observed gauges.

mod cell;
mod followed;
mod growth;
mod judged;
mod samples;
mod selection;
mod sli;
mod source;
mod state;
mod ticker;
mod watch;

pub(crate) use cell::BudgetCells;
#[cfg(feature = "act")]
pub(crate) use cell::Standing;
pub use cell::StateCell;
pub(crate) use sli::SliCount;
pub use state::{AlertState, BudgetReading};
pub(crate) use ticker::Ticker;
pub use watch::{Watch, WindowReading};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::alert::{Event, Hub};
use crate::budget::Budget;
use crate::registry::Registry;
use judged::Judged;
use samples::Sampled;
use sli::{Place, Slis};

/// Everything that judges.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    hub: Hub,
    started_ns: u64,
    /// By name.
    watches: HashMap<String, Watched>,
    /// In the order of the budgets.
    cells: Vec<BudgetCells>,
    judge: Mutex<Judge>,
}

/// The windows of a watch.
#[derive(Debug)]
struct Watched {
    windows: Vec<(Duration, Place)>,
    threshold: Option<Duration>,
}

/// What a tick changes. Whoever reads the SLI counters moves those on as well.
#[derive(Debug)]
pub(crate) struct Judge {
    rules: Vec<Judged>,
    slis: Slis,
    sampled: Sampled,
    ticks: u64,
    /// When the latest tick was: windows never see time run backwards, even if a custom clock does.
    latest_ns: u64,
}

impl Engine {
    pub(crate) fn new(
        registry: Arc<Registry>,
        hub: Hub,
        budgets: &[Budget],
        watches: &[Watch],
    ) -> Self {
        let started_ns = registry.clock().now_ns();
        let (mut slis, mut rules) = (Slis::default(), Vec::new());
        let cells: Vec<_> = budgets.iter().map(BudgetCells::new).collect();
        for (budget, cells) in budgets.iter().zip(&cells) {
            let window = slis.add_budget(&registry, budget);
            let of_budget = budget.rules().into_iter().zip(&cells.levels);
            rules.extend(of_budget.map(|(rule, level)| Judged::new(rule, window, level.1.clone())));
        }
        let watched = |watch: &Watch| {
            let windows = watch.windows.iter();
            let place = |&over| (over, slis.add_window(&registry, &watch.select, over));
            Watched {
                windows: windows.map(place).collect(),
                threshold: watch.threshold,
            }
        };
        let named = |watch: &Watch| watch.name.clone();
        let watches = watches.iter().map(named).zip(watches.iter().map(watched));
        let watches = watches.collect();
        let sampled = Sampled::new(rules.iter().map(Judged::rule), &slis);
        let engine = Self {
            registry,
            hub,
            started_ns,
            watches,
            cells,
            judge: Mutex::new(Judge {
                rules,
                slis,
                sampled,
                ticks: 0,
                latest_ns: started_ns,
            }),
        };
        // The first sample of every window, so that what comes right after is a growth.
        engine.sample(&mut engine.judge.lock(), started_ns);
        engine
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Seconds since the engine was made.
    pub(crate) fn uptime(&self) -> f64 {
        self.registry
            .clock()
            .now_ns()
            .saturating_sub(self.started_ns) as f64
            / 1e9
    }

    /// Shows where everything stands, the SLI counters as they are now; `show` must not come back to the engine.
    ///
    /// Cost: a look at each series that budgets speak of.
    pub(crate) fn look(&self, show: impl FnOnce(&Judge)) {
        let mut judge = self.judge.lock();
        // What is new stays for the windows of the next tick.
        judge.slis.advance(&self.registry);
        show(&judge);
    }

    /// Samples, evaluates, and announces what changed.
    pub(crate) fn tick(&self) {
        let (events, slow) = {
            let mut judge = self.judge.lock();
            judge.ticks += 1;
            let now_ns = judge.latest_ns.max(self.registry.clock().now_ns());
            judge.latest_ns = now_ns;
            self.sample(&mut judge, now_ns);
            let events = judge.evaluate(now_ns, self.registry.clock().system_time());
            self.cells.iter().for_each(BudgetCells::settle);
            (events, self.registry.slow.turn(now_ns))
        };
        events.iter().for_each(|event| self.hub.publish(event));
        slow.iter().for_each(|slow| self.hub.publish_slow(slow));
        self.hub.look_for_stuck();
    }

    /// Where every rule stood at the latest tick.
    pub(crate) fn readings(&self) -> Vec<BudgetReading> {
        self.judge.lock().readings().cloned().collect()
    }

    /// Where every budget stands, for whoever acts on it.
    pub(crate) fn cells(&self) -> &[BudgetCells] {
        &self.cells
    }

    /// What a window of a watch held at the latest tick.
    pub(crate) fn window(&self, watch: &str, over: Duration) -> Option<WindowReading> {
        let watched = self.watches.get(watch)?;
        let named = watched.windows.iter().find(|window| window.0 == over)?;
        let judge = self.judge.lock();
        let window = judge.slis.window(named.1);
        Some(WindowReading::new(window, watched.threshold))
    }

    fn sample(&self, judge: &mut Judge, now_ns: u64) {
        judge.slis.tick(&self.registry, now_ns);
        let uptime = now_ns.saturating_sub(self.started_ns) as f64 / 1e9;
        let instruments = &self.registry.instruments;
        judge.sampled.take(now_ns, &judge.slis, uptime, instruments);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.cells.iter().for_each(BudgetCells::retire);
        // Its period will not end any more.
        let slow = self.registry.slow.take();
        slow.iter().for_each(|slow| self.hub.publish_slow(slow));
    }
}

impl Judge {
    /// The SLI counters.
    pub(crate) fn sli_counts(&self) -> impl Iterator<Item = &SliCount> {
        self.slis.counts()
    }

    /// Where every rule stood at the latest tick.
    pub(crate) fn readings(&self) -> impl Iterator<Item = &BudgetReading> {
        self.rules.iter().map(Judged::reading)
    }

    /// How many ticks there have been.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    fn evaluate(&mut self, now_ns: u64, now: SystemTime) -> Vec<Event> {
        let (sampled, slis) = (&self.sampled, &self.slis);
        self.rules
            .iter_mut()
            .filter_map(|judged| judged.step(sampled, slis, now_ns, now))
            .collect()
    }
}

#[cfg(test)]
mod tests;
