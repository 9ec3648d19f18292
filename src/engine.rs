//! Why it exists: somebody must look at the counters once a second and say whether the promises still hold.
//!
//! A tick looks at what grew since the one before, appends it to the windows, evaluates every rule and moves its
//! [`AlertState`]; edges go to the subscribers. It runs on a thread of its own, or by hand
//! ([`Plimsoll::tick`](crate::Plimsoll::tick)) under a [`ManualClock`](crate::ManualClock).
//!
//! The hot path never comes here. This room does no I/O and calls no user code but observed gauges.

mod followed;
mod samples;
mod selection;
mod sli;
mod source;
mod state;
mod ticker;
mod watch;

pub(crate) use sli::SliCount;
pub use state::{AlertState, BudgetReading};
pub(crate) use ticker::Ticker;
pub use watch::{Watch, WindowReading};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use crate::alert::{Event, EventKind, Hub};
use crate::budget::{Budget, Rule, Shown};
use crate::registry::Registry;
use samples::Sampled;
use sli::{Place, Slis};
use state::Machine;

/// Everything that judges.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    hub: Hub,
    started_ns: u64,
    /// By name.
    watches: HashMap<String, Watched>,
    judge: Mutex<Judge>,
}

/// The windows of a watch.
#[derive(Debug)]
struct Watched {
    windows: Vec<(Duration, Place)>,
    threshold: Option<Duration>,
}

/// What only a tick changes, but for the SLI counters, which whoever reads them brings up to date.
#[derive(Debug)]
struct Judge {
    rules: Vec<Judged>,
    slis: Slis,
    sampled: Sampled,
    ticks: u64,
    /// When the latest tick was: windows never see time run backwards, even if a custom clock does.
    latest_ns: u64,
}

/// A rule and where it stands.
#[derive(Debug)]
struct Judged {
    rule: Rule,
    machine: Machine,
    /// The window that its quantile is read from.
    window: Option<Place>,
    reading: BudgetReading,
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
        for budget in budgets {
            let window = slis.add_budget(&registry, budget);
            let of_budget = budget.rules().into_iter();
            rules.extend(of_budget.map(|rule| Judged::new(rule, window)));
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
        let sampled = Sampled::new(rules.iter().map(|judged| &judged.rule), &slis);
        let engine = Self {
            registry,
            hub,
            started_ns,
            watches,
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

    /// The SLI counters as they stand now. Cost: a look at each series that budgets speak of.
    pub(crate) fn sli_counts(&self) -> Vec<SliCount> {
        let mut counts = Vec::new();
        self.each_sli(|count| counts.push(count.clone()));
        counts
    }

    /// Shows [`sli_counts`](Self::sli_counts) one by one; `show` must not come back to the engine.
    pub(crate) fn each_sli(&self, show: impl FnMut(&SliCount)) {
        let mut judge = self.judge.lock();
        // What is new stays for the windows of the next tick.
        judge.slis.advance(&self.registry);
        judge.slis.counts().for_each(show);
    }

    /// How many ticks there have been.
    pub(crate) fn ticks(&self) -> u64 {
        self.judge.lock().ticks
    }

    /// Samples, evaluates, and announces what changed.
    pub(crate) fn tick(&self) {
        let events = {
            let mut judge = self.judge.lock();
            judge.ticks += 1;
            let now_ns = judge.latest_ns.max(self.registry.clock().now_ns());
            judge.latest_ns = now_ns;
            self.sample(&mut judge, now_ns);
            judge.evaluate(now_ns, self.registry.clock().system_time())
        };
        events.iter().for_each(|event| self.hub.publish(event));
        self.hub.look_for_stuck();
    }

    /// Where every rule stands.
    pub(crate) fn readings(&self) -> Vec<BudgetReading> {
        let mut readings = Vec::new();
        self.each_reading(|reading| readings.push(reading.clone()));
        readings
    }

    /// Shows [`readings`](Self::readings) one by one; `show` must not come back to the engine.
    pub(crate) fn each_reading(&self, show: impl FnMut(&BudgetReading)) {
        let judge = self.judge.lock();
        judge.rules.iter().map(|rule| &rule.reading).for_each(show);
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

impl Judge {
    fn evaluate(&mut self, now_ns: u64, now: SystemTime) -> Vec<Event> {
        let (sampled, slis) = (&self.sampled, &self.slis);
        self.rules
            .iter_mut()
            .filter_map(|judged| judged.step(sampled, slis, now_ns, now))
            .collect()
    }
}

impl Judged {
    fn new(rule: Rule, window: Option<Place>) -> Self {
        let machine = Machine::new(rule.sustained, rule.keep_firing);
        let reading = BudgetReading {
            budget: rule.budget.to_string(),
            level: rule.level,
            state: machine.state(),
            value: None,
            limit: rule.limit,
            unit: rule.unit,
            since: None,
        };
        Self {
            rule,
            machine,
            window,
            reading,
        }
    }

    fn step(
        &mut self,
        sampled: &Sampled,
        slis: &Slis,
        now_ns: u64,
        now: SystemTime,
    ) -> Option<Event> {
        let holds = self.rule.condition.eval(sampled).is_some();
        self.reading.value = match &self.rule.shown {
            Shown::Quantile(q) => self
                .window
                .and_then(|place| slis.window(place).counts().quantile(*q)),
            Shown::Value(value) => value.eval(sampled).filter(|value| !value.is_nan()),
        };
        let before = self.machine.state();
        self.machine.step(holds, now_ns);
        let after = self.machine.state();
        self.reading.state = after;
        if before == AlertState::Inactive && after != AlertState::Inactive {
            self.reading.since = Some(now);
        }
        let kind = match (before == AlertState::Firing, after == AlertState::Firing) {
            (false, true) => Some(EventKind::Breach),
            (true, false) => Some(EventKind::Recovery),
            _ => None,
        };
        let event = kind.map(|kind| self.event(kind, now));
        if after == AlertState::Inactive {
            self.reading.since = None;
        }
        event
    }

    fn event(&self, kind: EventKind, now: SystemTime) -> Event {
        Event {
            kind,
            budget: self.rule.budget.clone(),
            level: self.rule.level,
            value: self.reading.value,
            limit: self.rule.limit,
            unit: self.rule.unit,
            since: self.reading.since.unwrap_or(now),
            at: now,
        }
    }
}

#[cfg(test)]
mod tests;
