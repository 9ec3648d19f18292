//! The instance that is tried out, and what is seen of it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::counters::{Ratio, labels};
use super::readers::readers;
use super::traffic::{Stream, streams};
use super::{Load, SimulatedStep};
use crate::budget::Budget;
use crate::clock::ManualClock;
use crate::config::{BuildError, Problem};
use crate::engine::AlertState;
use crate::expr::Selector;
use crate::generate::Declaration;
use crate::instance::Plimsoll;
use crate::registry::{InstrumentKind, InstrumentValue};
use crate::slo::{AlertReading, Slo};

/// A Monday noon, 2026-01-05T12:00:00Z: in business hours, where there are any.
const NOON: Duration = Duration::from_secs(1_767_614_400);

/// History is judged in so many parts of what is left of it, so that it ends with the service's own ticks.
const PARTS: u32 = 300;

/// Which alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct SimulatedAlert {
    /// The name of the budget, the SLO or the rule.
    pub name: String,
    /// The labels of its part; of a rule, all labels.
    pub labels: String,
    /// The level of a budget, the severity of an SLO's alert, `rule`.
    pub level: String,
    /// The windows of an SLO's alert, as `1h/5m`; `absent` for the one on silence; empty elsewhere.
    pub windows: String,
}

impl fmt::Display for SimulatedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let rest = [&self.labels, &self.level, &self.windows].into_iter();
        rest.filter(|text| !text.is_empty())
            .try_for_each(|text| write!(f, " {text}"))
    }
}

/// An alert that went from one state to another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertChange {
    /// When, since the beginning.
    pub at: Duration,
    /// Which.
    pub alert: SimulatedAlert,
    /// Where it stood.
    pub from: AlertState,
    /// Where it stands.
    pub to: AlertState,
}

/// An instance whose time is made.
#[derive(Debug)]
pub(crate) struct Stage {
    clock: ManualClock,
    plimsoll: Plimsoll,
    tick: Duration,
    elapsed: Duration,
    streams: Vec<Stream>,
    ratios: Vec<Ratio>,
    gauges: Vec<String>,
    /// Budgets and SLOs that read something else than operations and pairs of counters, with what they read.
    reading: Vec<(String, String)>,
    states: BTreeMap<SimulatedAlert, AlertState>,
}

impl Stage {
    pub(crate) fn new(
        declaration: &Declaration,
        tick: Option<Duration>,
        seed: Option<u64>,
    ) -> Result<Self, BuildError> {
        let clock = ManualClock::new();
        clock.advance(NOON);
        let tick = tick.unwrap_or(declaration.tick);
        let plimsoll = declaration.start(clock.clone(), tick)?;
        let carriers = declaration.slos.iter().map(Slo::carrier);
        let budgets: Vec<Budget> = declaration
            .budgets
            .iter()
            .cloned()
            .chain(carriers)
            .collect();
        let of_budgets = declaration.budgets.iter();
        let of_budgets = of_budgets.filter_map(|budget| Ratio::of_budget(&plimsoll, budget));
        let of_slos = declaration
            .slos
            .iter()
            .filter_map(|slo| Ratio::of_slo(&plimsoll, slo));
        Ok(Self {
            streams: streams(&plimsoll, &budgets, seed),
            ratios: of_budgets.chain(of_slos).collect(),
            reading: readers(declaration),
            gauges: Vec::new(),
            states: BTreeMap::new(),
            elapsed: Duration::ZERO,
            plimsoll,
            clock,
            tick,
        })
    }

    pub(crate) fn tick(&self) -> Duration {
        self.tick
    }

    /// Since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Sets a gauge of the service's own.
    pub(super) fn set(&mut self, gauge: &Selector, value: f64) -> Result<(), BuildError> {
        let labels = labels(gauge);
        let labels: Vec<(&str, &str)> = labels
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        let instruments = &self.plimsoll.registry().instruments;
        let refused =
            |message| BuildError::new(Problem::new(format!("set {:?}", gauge.name()), message));
        if gauge.name().starts_with("plimsoll_")
            || self.plimsoll.inner().taken.contains(gauge.name())
        {
            let message = "is a family that is measured: name a gauge of the service's own";
            return Err(refused(message.to_owned()));
        }
        let registered =
            instruments.register(gauge.name(), "Made up.", InstrumentKind::Gauge, &labels);
        match registered.map_err(|error| refused(error.to_string()))? {
            InstrumentValue::Gauge(cell) => cell.set(value),
            _ => return Err(refused("is not a gauge of the service's own".to_owned())),
        }
        self.gauges.push(gauge.name().to_owned());
        Ok(())
    }

    /// Good operations for so long, in steps that become shorter.
    pub(crate) fn live_through(&mut self, history: Duration, rate: f64) {
        let load = Load {
            rate,
            errors: 0.0,
            slow: 0.0,
        };
        let mut left = history;
        while !left.is_zero() {
            let length = self.tick.max(left / PARTS).min(left);
            self.step(length, load);
            left -= length;
        }
    }

    /// What happened so far is history.
    pub(crate) fn begin(&mut self) {
        self.elapsed = Duration::ZERO;
    }

    /// Time passes, operations end, the engine judges; what was recorded, and which alerts changed.
    pub(crate) fn step(
        &mut self,
        length: Duration,
        load: Load,
    ) -> (SimulatedStep, Vec<AlertChange>) {
        self.elapsed += length;
        let mut step = SimulatedStep {
            at: self.elapsed,
            operations: 0,
            errors: 0,
            slow: 0,
        };
        self.streams
            .iter_mut()
            .for_each(|stream| stream.record(length, load, &mut step));
        self.ratios
            .iter_mut()
            .for_each(|ratio| ratio.record(length, load));
        self.clock.advance(length);
        self.plimsoll.tick();
        (step, self.changes())
    }

    fn changes(&mut self) -> Vec<AlertChange> {
        let now = self.alerts();
        let mut changes = Vec::new();
        for (alert, &to) in &now {
            let from = self
                .states
                .get(alert)
                .copied()
                .unwrap_or(AlertState::Inactive);
            changes.push((alert.clone(), from, to));
        }
        // Alerts of rules are not there when they are over.
        let gone = self
            .states
            .iter()
            .filter(|(alert, _)| !now.contains_key(alert));
        changes.extend(gone.map(|(alert, &from)| (alert.clone(), from, AlertState::Inactive)));
        changes.retain(|(_, from, to)| from != to);
        self.states = now;
        let at = self.elapsed;
        let change = |(alert, from, to)| AlertChange {
            at,
            alert,
            from,
            to,
        };
        changes.into_iter().map(change).collect()
    }

    /// Alerts that are pending or firing already.
    pub(super) fn standing(&self) -> Vec<AlertChange> {
        let standing = self
            .states
            .iter()
            .filter(|(_, state)| **state != AlertState::Inactive);
        let change = |(alert, &to): (&SimulatedAlert, &AlertState)| AlertChange {
            at: self.elapsed,
            alert: alert.clone(),
            from: AlertState::Inactive,
            to,
        };
        standing.map(change).collect()
    }

    fn alerts(&self) -> BTreeMap<SimulatedAlert, AlertState> {
        let mut all = BTreeMap::new();
        for reading in self.plimsoll.budgets() {
            let alert = SimulatedAlert {
                name: reading.budget,
                labels: named(&reading.labels),
                level: reading.level.as_str().to_owned(),
                windows: String::new(),
            };
            all.insert(alert, reading.state);
        }
        for slo in self.plimsoll.slos() {
            let labels = named(&slo.labels);
            for alert in &slo.alerts {
                all.insert(of_slo(&slo.slo, &labels, alert), alert.state);
            }
        }
        for alert in self.plimsoll.alerts() {
            let key = SimulatedAlert {
                name: alert.labels().get("alertname").to_owned(),
                labels: alert.labels().to_string(),
                level: "rule".to_owned(),
                windows: String::new(),
            };
            all.insert(key, alert.state());
        }
        all
    }

    /// The share of each error budget that is left.
    pub(super) fn error_budgets(&self) -> Vec<(String, f64)> {
        let left = |slo: crate::slo::SloReading| {
            let of = [slo.slo, named(&slo.labels)].join(" ");
            (of.trim_end().to_owned(), slo.error_budget.remaining)
        };
        self.plimsoll.slos().into_iter().map(left).collect()
    }

    pub(super) fn operations(&self) -> Vec<String> {
        self.streams.iter().map(Stream::name).collect()
    }

    /// Budgets and SLOs that read what is not there.
    pub(super) fn untouched(&self) -> Vec<String> {
        let is_set = |text: &String| {
            self.gauges
                .iter()
                .any(|gauge| text.contains(gauge.as_str()))
        };
        let unset = self.reading.iter().filter(|(_, read)| !is_set(read));
        unset.map(|(name, _)| name.clone()).collect()
    }
}

fn of_slo(slo: &str, labels: &str, alert: &AlertReading) -> SimulatedAlert {
    let windows = match (&alert.long, &alert.short) {
        (Some(long), Some(short)) => format!("{long}/{short}"),
        _ => "absent".to_owned(),
    };
    SimulatedAlert {
        name: slo.to_owned(),
        labels: labels.to_owned(),
        level: alert.severity.as_str().to_owned(),
        windows,
    }
}

fn named(labels: &[(&'static str, String)]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    labels.join(",")
}
