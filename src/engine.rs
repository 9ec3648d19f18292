//! Why it exists: somebody must look at the counters once a second and say whether the promises still hold.
//!
//! A tick reads the cumulative cells, appends samples to the windows, evaluates every rule and moves its
//! [`AlertState`]; edges go to the subscribers. It runs on a thread of its own, or by hand
//! ([`Plimsoll::tick`](crate::Plimsoll::tick)) under a [`ManualClock`](crate::ManualClock).
//!
//! The hot path never comes here. This room does no I/O and calls no user code but observed gauges.

mod samples;
mod sli;
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
use crate::window::HistogramWindow;
use samples::Sampled;
use sli::{Asker, Slis};
use state::Machine;

/// Everything that judges.
#[derive(Debug)]
pub(crate) struct Engine {
    registry: Arc<Registry>,
    hub: Hub,
    started_ns: u64,
    slis: Slis,
    /// By the name of the watch.
    thresholds: HashMap<String, Option<Duration>>,
    judge: Mutex<Judge>,
}

/// What only a tick changes.
#[derive(Debug)]
struct Judge {
    rules: Vec<Judged>,
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
    /// Since when the condition holds, as wall-clock time.
    since: Option<SystemTime>,
    value: Option<f64>,
}

impl Engine {
    pub(crate) fn new(
        registry: Arc<Registry>,
        hub: Hub,
        budgets: &[Budget],
        watches: &[Watch],
    ) -> Self {
        let rules: Vec<Rule> = budgets.iter().flat_map(Budget::rules).collect();
        let slis = Slis::new(&registry, budgets, watches);
        let sampled = Sampled::new(&rules, budgets, watches);
        let judged = |rule: Rule| {
            let machine = Machine::new(rule.sustained, rule.keep_firing);
            Judged {
                rule,
                machine,
                since: None,
                value: None,
            }
        };
        let rules = rules.into_iter().map(judged).collect();
        let started_ns = registry.clock().now_ns();
        let engine = Self {
            registry,
            hub,
            started_ns,
            slis,
            thresholds: watches
                .iter()
                .map(|watch| (watch.name.clone(), watch.threshold))
                .collect(),
            judge: Mutex::new(Judge {
                rules,
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

    /// The SLI counters as they stand now. Cost: one pass over the cells that budgets speak of.
    pub(crate) fn sli_counts(&self) -> Vec<SliCount> {
        self.slis.count(&self.registry).counts
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
        self.judge
            .lock()
            .rules
            .iter()
            .map(Judged::reading)
            .collect()
    }

    /// What a window of a watch held at the latest tick.
    pub(crate) fn window(&self, watch: &str, over: Duration) -> Option<WindowReading> {
        let threshold = self.thresholds.get(watch).copied().flatten();
        let judge = self.judge.lock();
        let window = judge
            .sampled
            .window(&Asker::Watch(watch.to_owned()), Some(over))?;
        Some(WindowReading::new(window, threshold))
    }

    fn sample(&self, judge: &mut Judge, now_ns: u64) {
        let counted = self.slis.count(&self.registry);
        let uptime = now_ns.saturating_sub(self.started_ns) as f64 / 1e9;
        judge
            .sampled
            .take(now_ns, &counted, uptime, &self.registry.instruments);
    }
}

impl Judge {
    fn evaluate(&mut self, now_ns: u64, now: SystemTime) -> Vec<Event> {
        let sampled = &self.sampled;
        self.rules
            .iter_mut()
            .filter_map(|judged| judged.step(sampled, now_ns, now))
            .collect()
    }
}

impl Judged {
    fn step(&mut self, sampled: &Sampled, now_ns: u64, now: SystemTime) -> Option<Event> {
        let holds = self.rule.condition.eval(sampled).is_some();
        self.value = match &self.rule.shown {
            Shown::Quantile(q) => self
                .window(sampled)
                .and_then(|window| window.counts().quantile(*q)),
            Shown::Value(value) => value.eval(sampled).filter(|value| !value.is_nan()),
        };
        let before = self.machine.state();
        self.machine.step(holds, now_ns);
        let after = self.machine.state();
        if before == AlertState::Inactive && after != AlertState::Inactive {
            self.since = Some(now);
        }
        let kind = match (before == AlertState::Firing, after == AlertState::Firing) {
            (false, true) => Some(EventKind::Breach),
            (true, false) => Some(EventKind::Recovery),
            _ => None,
        };
        let event = kind.map(|kind| self.event(kind, now));
        if after == AlertState::Inactive {
            self.since = None;
        }
        event
    }

    fn window<'a>(&self, sampled: &'a Sampled) -> Option<&'a HistogramWindow> {
        sampled.window(&Asker::Budget(self.rule.budget.to_string()), None)
    }

    fn event(&self, kind: EventKind, now: SystemTime) -> Event {
        Event {
            kind,
            budget: self.rule.budget.clone(),
            level: self.rule.level,
            value: self.value,
            limit: self.rule.limit,
            unit: self.rule.unit,
            since: self.since.unwrap_or(now),
            at: now,
        }
    }

    fn reading(&self) -> BudgetReading {
        BudgetReading {
            budget: self.rule.budget.to_string(),
            level: self.rule.level,
            state: self.machine.state(),
            value: self.value,
            limit: self.rule.limit,
            unit: self.rule.unit,
            since: self.since,
        }
    }
}
