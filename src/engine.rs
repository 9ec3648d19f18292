//! Why it exists: somebody must look at the counters once a second and say whether the promises still hold.
//!
//! A tick looks at what grew since the one before, appends it to the windows, evaluates every rule and moves its
//! [`AlertState`]; edges go to the subscribers. It runs on a thread of its own, or by hand
//! ([`Plimsoll::tick`](crate::Plimsoll::tick)) under a [`ManualClock`](crate::ManualClock).
//!
//! The hot path never comes here. This room does no I/O and calls no user code but observed gauges.

mod bands;
mod book;
mod breach;
mod cell;
mod coverage;
mod exports;
mod files;
mod followed;
mod growth;
mod judge;
mod judged;
mod keep;
mod matcher;
#[cfg(not(feature = "state"))]
#[path = "engine/no_memory.rs"]
mod memory;
#[cfg(feature = "state")]
mod memory;
mod moment;
mod promise;
mod reader;
mod selection;
mod sli;
mod slos;
mod state;
mod store;
mod ticker;
mod warnings;
mod watch;

pub use crate::rule::AlertState;
pub(crate) use bands::BandReading;
pub(crate) use cell::BudgetCells;
#[cfg(feature = "act")]
pub(crate) use cell::Standing;
pub use cell::StateCell;
pub use coverage::Uncovered;
pub use exports::Sampling;
pub(crate) use exports::{Exports, Families, Wanted};
pub(crate) use judge::Judge;
pub(crate) use keep::Keep;
pub(crate) use memory::Memory;
#[cfg(feature = "state")]
pub(crate) use memory::Sections;
pub(crate) use promise::Reach;
pub use promise::UNMATCHED_AFTER;
pub(crate) use sli::SliCount;
pub use state::BudgetReading;
pub(crate) use ticker::Ticker;
pub use watch::{Watch, WindowReading};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use once_cell::sync::OnceCell;
use parking_lot::{Mutex, MutexGuard};

use crate::alert::{Hub, Warning};
use crate::budget::Budget;
use crate::registry::Registry;
use crate::rule::{Alert, RuleGroup};
use crate::slo::{Slo, SloReading};
use moment::Moment;
use promise::Promise;
use sli::Place;
use warnings::{Troubles, Warnings};

/// Everything that judges.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    hub: Hub,
    begun: Moment,
    /// By name.
    watches: HashMap<String, Watched>,
    sampling: Sampling,
    /// Who shows the page.
    exports: OnceCell<Box<dyn Exports>>,
    /// Whose turn it is to sample: a page never comes behind one that was begun later. Taken before `judge`.
    turn: Mutex<()>,
    judge: Mutex<Judge>,
    warnings: Warnings,
    /// Who keeps what the next process is to remember.
    keep: OnceCell<Box<dyn Keep>>,
}

/// How rules get their samples.
#[derive(Debug, Default)]
pub(crate) struct Sampled {
    pub(crate) sampling: Sampling,
    pub(crate) tick: Duration,
    /// `job` and `instance`.
    pub(crate) target: Option<[String; 2]>,
}

/// A page in the making whose values are samples.
pub(crate) struct Scrape<'a> {
    engine: &'a Engine,
    begun: Moment,
    _turn: MutexGuard<'a, ()>,
}

/// The windows of a watch.
#[derive(Debug)]
struct Watched {
    windows: Vec<(Duration, Place)>,
    threshold: Option<Duration>,
}

impl Engine {
    pub(crate) fn new(
        registry: Arc<Registry>,
        hub: Hub,
        sampled: Sampled,
        budgets: &[Budget],
        mut slos: Vec<Slo>,
        watches: &[Watch],
        memory: Memory,
    ) -> Self {
        let started_ns = registry.clock().now_ns();
        let clock = registry.clock();
        let wall = clock.system_time();
        let since_1970 = wall.duration_since(SystemTime::UNIX_EPOCH);
        let started_ms = since_1970.map_or(0, |since| since.as_millis() as i64);
        let begun = Moment {
            at_ns: started_ns,
            at_ms: started_ms,
            uptime: 0.0,
        };
        let sampling = sampled.sampling;
        // Ticks come a little late, each by another little: what lasts so many of them would now and then last one more.
        let slack_ns = (sampled.tick / 10).as_nanos() as u64;
        let mut judge = Judge::new(begun, wall, sampled, slack_ns, memory);
        for budget in budgets {
            judge.add_budget(&registry, budget.clone(), Reach::Selected);
        }
        // Counters of parts are there before a composite reads them.
        slos.sort_by_key(Slo::is_composite);
        for slo in slos {
            judge.add_slo(&registry, slo);
        }
        hub.make_room(judge.rules());
        let watched = |watch: &Watch| {
            let windows = watch.windows.iter();
            let place = |&over| (over, judge.add_window(&registry, &watch.select, over));
            Watched {
                windows: windows.map(place).collect(),
                threshold: watch.threshold,
            }
        };
        let named = |watch: &Watch| watch.name.clone();
        let watches = watches.iter().map(named).zip(watches.iter().map(watched));
        let watches = watches.collect();
        Self {
            registry,
            hub,
            begun,
            watches,
            sampling,
            exports: OnceCell::new(),
            turn: Mutex::default(),
            judge: Mutex::new(judge),
            warnings: Warnings::default(),
            keep: OnceCell::new(),
        }
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Seconds since the engine was made.
    pub(crate) fn uptime(&self) -> f64 {
        self.uptime_at(self.registry.clock().now_ns())
    }

    fn uptime_at(&self, now_ns: u64) -> f64 {
        now_ns.saturating_sub(self.begun.at_ns) as f64 / 1e9
    }

    /// Who shows the page that rules read, from now on; the first one stays.
    pub(crate) fn attach(&self, exports: Box<dyn Exports>) {
        let _turn = self.turn.lock();
        if self.exports.set(exports).is_ok() {
            drop(self.sample());
        }
    }

    /// Samples what rules read of the page, if that is done now; in its turn.
    fn sample(&self) -> (MutexGuard<'_, Judge>, Moment) {
        let now = || self.moment(self.registry.clock().now_ns());
        let wanted = self.judge.lock().wanted().clone();
        let exports = self.exports.get();
        let exports = exports.filter(|_| self.sampling == Sampling::Tick && !wanted.is_empty());
        let mut sampled = None;
        if let Some(exports) = exports {
            // Not under the lock: whoever shows the page asks where budgets stand.
            exports.read(&wanted, &mut |families| {
                let (mut judge, moment) = (self.judge.lock(), now());
                let bound = |bound| exports.bound(bound);
                judge.take_page(&self.registry, moment, families, &bound);
                sampled = Some((judge, moment));
            });
        }
        sampled.unwrap_or_else(|| {
            let judge = self.judge.lock();
            (judge, now())
        })
    }

    /// Begins a page, if its values are to be samples.
    pub(crate) fn scrape(&self) -> Option<Scrape<'_>> {
        let scraped = self.sampling == Sampling::Scrape;
        scraped.then(|| {
            let turn = self.turn.lock();
            Scrape {
                engine: self,
                begun: self.moment(self.registry.clock().now_ns()),
                _turn: turn,
            }
        })
    }

    fn moment(&self, now_ns: u64) -> Moment {
        let since_ns = now_ns.saturating_sub(self.begun.at_ns);
        Moment {
            at_ns: now_ns,
            at_ms: self.begun.at_ms + (since_ns / 1_000_000) as i64,
            uptime: self.uptime_at(now_ns),
        }
    }

    /// Shows where everything stands, the SLI counters as they are now; `show` must not come back to the engine.
    ///
    /// Cost: a look at each series that budgets speak of.
    pub(crate) fn look<T>(&self, show: impl FnOnce(&Judge) -> T) -> T {
        let mut judge = self.judge.lock();
        // What is new stays for the windows of the next tick.
        judge.advance(&self.registry);
        judge.survey(&self.registry);
        self.hub.make_room(judge.rules());
        show(&judge)
    }

    /// Samples, evaluates, and announces what changed.
    pub(crate) fn tick(&self) {
        // What they count now belongs to this tick.
        self.registry.pulses.tick(self.registry.clock().now_ns());
        let (events, alerts, slow, findings, troubles) = {
            let _turn = self.turn.lock();
            let (mut judge, moment) = self.sample();
            let (now_ns, clock) = (moment.at_ns, self.registry.clock());
            let (events, alerts) = judge.tick(&self.registry, moment, clock.system_time());
            self.hub.make_room(judge.rules());
            let slow = self.registry.slow.turn(now_ns);
            let findings = self.registry.findings.turn(now_ns);
            let troubles = Troubles {
                unmatched: judge.search(),
                failed: judge.failed(),
                dropped: judge.dropped(),
            };
            (events, alerts, slow, findings, troubles)
        };
        events.iter().for_each(|event| self.hub.publish(event));
        alerts
            .iter()
            .for_each(|alert| self.hub.publish_alert(alert));
        slow.iter().for_each(|slow| self.hub.publish_slow(slow));
        findings
            .iter()
            .for_each(|finding| self.hub.publish_finding(finding));
        let overdue = self.registry.overdue();
        overdue
            .iter()
            .for_each(|query| self.hub.publish_running(query));
        self.hub.look_for_stuck();
        let warnings = self.warnings.look(&self.registry, troubles);
        warnings
            .iter()
            .for_each(|warning| self.hub.publish_warning(warning));
        if let Some(keep) = self.keep.get() {
            keep.ticked(self);
        }
    }

    /// Judges a further budget from now on; returns its index. `None` if its name belongs to another declaration.
    ///
    /// One that is to be bound may be added several times.
    pub(crate) fn add_budget(&self, budget: Budget, reach: Reach) -> Option<usize> {
        let _turn = self.turn.lock();
        let judge = self.judge.lock();
        let mut promises = judge.promises().iter();
        if let Some(index) = promises.position(|known| known.budget.name == budget.name) {
            let same = reach == Reach::Bound && judge.promises()[index].is(&budget, reach);
            return same.then_some(index);
        }
        let add = |judge: &mut Judge| judge.add_budget(&self.registry, budget, reach);
        Some(self.grow(judge, add))
    }

    /// Keeps a further SLO from now on; `false` if its name belongs to another declaration.
    pub(crate) fn add_slo(&self, slo: Slo) -> bool {
        let _turn = self.turn.lock();
        let judge = self.judge.lock();
        if judge
            .promises()
            .iter()
            .any(|known| known.budget.name == slo.name())
        {
            return false;
        }
        self.grow(judge, |judge| judge.add_slo(&self.registry, slo));
        let (mut judge, _) = self.sample();
        judge.begin_slo(self.sampling == Sampling::Tick);
        true
    }

    /// Changes the maintenance of an SLO from now on, in milliseconds since 1970; `None` if there is no such SLO.
    pub(crate) fn maintain<T>(
        &self,
        slo: &str,
        change: impl FnOnce(&mut Slo, i64) -> T,
    ) -> Option<T> {
        let mut judge = self.judge.lock();
        self.come_to_now(&mut judge);
        judge.slos.maintain(slo, change)
    }

    /// All SLOs, as they are declared.
    pub(crate) fn slos(&self) -> Vec<Slo> {
        self.judge.lock().slos.declared().cloned().collect()
    }

    /// Whether a budget or an SLO has this name.
    pub(crate) fn has_promise(&self, name: &str) -> bool {
        named(&self.judge.lock(), name).is_some()
    }

    /// Adds to what is judged, and samples what that reads; in its turn.
    fn grow<T>(&self, mut judge: MutexGuard<'_, Judge>, add: impl FnOnce(&mut Judge) -> T) -> T {
        self.come_to_now(&mut judge);
        let before = judge.wanted().clone();
        let added = add(&mut judge);
        self.hub.make_room(judge.rules());
        let more = !Arc::ptr_eq(&before, judge.wanted());
        drop(judge);
        if more {
            drop(self.sample());
        }
        added
    }

    /// Judges further groups of rules from now on.
    pub(crate) fn add_rules(&self, groups: Vec<RuleGroup>) {
        let _turn = self.turn.lock();
        let mut judge = self.judge.lock();
        self.come_to_now(&mut judge);
        judge.add_rules(groups);
        drop(judge);
        self.hub.write_alerts();
        drop(self.sample());
    }

    /// The alerts of groups of rules that are pending or firing.
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        self.judge.lock().alerts().cloned().collect()
    }

    /// Judges a budget on a route as well, from now on.
    #[cfg(feature = "http")]
    pub(crate) fn bind(&self, budget: usize, route: &str) {
        let mut judge = self.judge.lock();
        self.come_to_now(&mut judge);
        judge.bind(&self.registry, budget, route);
        self.hub.make_room(judge.rules());
    }

    /// What was recorded before is not for those that come now.
    fn come_to_now(&self, judge: &mut Judge) {
        let now_ns = self.registry.clock().now_ns();
        judge.advance_to(&self.registry, self.moment(now_ns));
    }

    /// Everything that was warned of.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.warnings.all()
    }

    /// Shows how many warnings of each kind there were.
    pub(crate) fn each_warning_count(&self, show: impl FnMut(&'static str, u64)) {
        self.warnings.each_count(show);
    }

    /// Where every rule stood at the latest tick.
    pub(crate) fn readings(&self) -> Vec<BudgetReading> {
        self.judge.lock().readings().cloned().collect()
    }

    /// Where every SLO stood at the latest tick.
    pub(crate) fn slo_readings(&self) -> Vec<SloReading> {
        self.judge.lock().slo_readings()
    }

    /// Where a budget stands, for whoever acts on it.
    pub(crate) fn cells(&self, budget: &str) -> Option<BudgetCells> {
        let judge = self.judge.lock();
        Some(named(&judge, budget)?.cells.clone())
    }

    /// Where the part of a budget stands that is kept by these labels.
    pub(crate) fn part_cells(&self, budget: &str, labels: &[(&str, &str)]) -> Option<BudgetCells> {
        let judge = self.judge.lock();
        let mut parts = named(&judge, budget)?.parts.iter();
        let has = |kept_by: &[(&str, String)], label: &(&str, &str)| {
            kept_by.iter().any(|known| (known.0, &*known.1) == *label)
        };
        let is =
            |kept_by: &[_]| kept_by.len() == labels.len() && labels.iter().all(|l| has(kept_by, l));
        let found = parts.find(|(kept_by, _)| is(kept_by))?;
        Some(found.1.cells.clone())
    }

    /// The names of all budgets.
    #[cfg(feature = "act")]
    pub(crate) fn budget_names(&self) -> Vec<String> {
        let judge = self.judge.lock();
        let names = judge.promises().iter().map(|promise| &promise.budget.name);
        names.cloned().collect()
    }

    /// The operations that no budget speaks of.
    pub(crate) fn uncovered(&self) -> Vec<Uncovered> {
        self.look(Judge::uncovered)
    }

    /// What a window of a watch held at the latest tick.
    pub(crate) fn window(&self, watch: &str, over: Duration) -> Option<WindowReading> {
        let watched = self.watches.get(watch)?;
        let named = watched.windows.iter().find(|window| window.0 == over)?;
        let judge = self.judge.lock();
        Some(WindowReading::new(judge.window(named.1), watched.threshold))
    }
}

impl Scrape<'_> {
    /// Samples what the page shows.
    pub(crate) fn take(self, families: &mut Families<'_>) {
        let Some(exports) = self.engine.exports.get() else {
            return;
        };
        let bound = |bound| exports.bound(bound);
        let mut judge = self.engine.judge.lock();
        judge.take_page(&self.engine.registry, self.begun, families, &bound);
    }
}

fn named<'a>(judge: &'a Judge, budget: &str) -> Option<&'a Promise> {
    let mut promises = judge.promises().iter();
    promises.find(|promise| promise.budget.name == budget)
}

impl Drop for Engine {
    fn drop(&mut self) {
        let judge = self.judge.get_mut();
        judge.promises().iter().for_each(Promise::retire);
        // Its period will not end any more.
        let slow = self.registry.slow.take();
        slow.iter().for_each(|slow| self.hub.publish_slow(slow));
        let findings = self.registry.findings.take();
        findings
            .iter()
            .for_each(|finding| self.hub.publish_finding(finding));
    }
}

#[cfg(test)]
mod tests;
