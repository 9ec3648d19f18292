//! The instance that is tried out, and what is seen of it.

use std::collections::HashSet;
use std::time::Duration;

use super::alerts::{AlertChange, Alerts, named};
use super::counters::Ratio;
use super::gauges::{self, Gauges};
use super::traffic::{Stream, streams};
use super::{Load, SimulatedStep};
use crate::budget::Budget;
use crate::clock::{Clock, ManualClock};
use crate::config::BuildError;
use crate::expr::Selector;
use crate::generate::Declaration;
use crate::instance::Plimsoll;
use crate::naming::{Spec, sample_names};
use crate::slo::{Slo, SloReading};

/// A Monday noon, 2026-01-05T12:00:00Z: in business hours, where there are any.
pub(crate) const NOON: Duration = Duration::from_secs(1_767_614_400);

/// History is judged in so many parts of what is left of it, so that it ends with the service's own ticks.
const PARTS: u32 = 300;

/// An instance whose time is made.
#[derive(Debug)]
pub(crate) struct Stage {
    clock: ManualClock,
    plimsoll: Plimsoll,
    tick: Duration,
    elapsed: Duration,
    streams: Vec<Stream>,
    ratios: Vec<Ratio>,
    /// Budgets and SLOs whose counters could not be made up.
    uncounted: Vec<String>,
    gauges: Gauges,
    alerts: Alerts,
}

impl Stage {
    /// It starts so long after 1970.
    pub(crate) fn new(
        declaration: &Declaration,
        tick: Option<Duration>,
        seed: Option<u64>,
        start: Duration,
    ) -> Result<Self, BuildError> {
        let clock = ManualClock::new();
        clock.advance(start);
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
        let of_slos = declaration.slos.iter();
        let of_slos = of_slos.filter_map(|slo| Ratio::of_slo(&plimsoll, slo));
        let (mut ratios, mut uncounted) = (Vec::new(), Vec::new());
        for ratio in of_budgets.chain(of_slos) {
            match ratio {
                Ok(ratio) => ratios.push(ratio),
                Err(name) => uncounted.push(name),
            }
        }
        Ok(Self {
            streams: streams(&plimsoll, &budgets, seed),
            ratios,
            uncounted,
            gauges: Gauges::new(declaration),
            alerts: Alerts::default(),
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

    /// Since 1970.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.now_ns())
    }

    /// Whether a family follows from the operations that are made up, so that nobody sets it.
    pub(crate) fn drives(&self, name: &str) -> bool {
        self.measures(name) || self.ratios.iter().any(|ratio| ratio.counts(name))
    }

    /// Whether a family is the instance's own.
    pub(crate) fn measures(&self, name: &str) -> bool {
        gauges::is_measured(&self.plimsoll, name)
    }

    /// Whether the counters of a budget or SLO count what is made up.
    pub(crate) fn counts(&self, name: &str) -> bool {
        !self.uncounted.iter().any(|uncounted| uncounted == name)
    }

    /// Sets a gauge of the service's own.
    pub(crate) fn set(&mut self, gauge: &Selector, value: f64) -> Result<(), BuildError> {
        self.gauges.set(&self.plimsoll, gauge, |_| Some(value))
    }

    /// Lets it grow by so much, from 0 on.
    pub(crate) fn grow(&mut self, gauge: &Selector, by: f64) -> Result<(), BuildError> {
        let grown = |value: Option<f64>| Some(value.unwrap_or_default() + by);
        self.gauges.set(&self.plimsoll, gauge, grown)
    }

    /// Lets it show nothing until it is set again.
    pub(crate) fn unset(&mut self, gauge: &Selector) -> Result<(), BuildError> {
        self.gauges.set(&self.plimsoll, gauge, |_| None)
    }

    /// Good operations for so long, in steps that become shorter.
    pub(crate) fn live_through(&mut self, history: Duration, rate: f64) {
        let mut left = history;
        while !left.is_zero() {
            let length = self.tick.max(left / PARTS).min(left);
            self.step(length, |_| Load::good(rate));
            left -= length;
        }
    }

    /// Time passes without anything, as one tick.
    pub(crate) fn rest(&mut self, length: Duration) {
        self.step(length, |_| Load::good(0.0));
    }

    /// What happened so far is history.
    pub(crate) fn begin(&mut self) {
        self.elapsed = Duration::ZERO;
    }

    /// Time passes, operations end, the engine judges; what was recorded, and which alerts changed. `load` is that of what
    /// these budgets and SLOs speak of.
    pub(crate) fn step(
        &mut self,
        length: Duration,
        load: impl Fn(&[String]) -> Load,
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
            .for_each(|stream| stream.record(length, &load, &mut step));
        self.ratios
            .iter_mut()
            .for_each(|ratio| ratio.record(length, &load));
        self.clock.advance(length);
        self.plimsoll.tick();
        let changes = self.alerts.changes(&self.plimsoll, self.elapsed);
        (step, changes)
    }

    /// Alerts that are pending or firing already.
    pub(super) fn standing(&self) -> Vec<AlertChange> {
        self.alerts.standing(self.elapsed)
    }

    /// The share of each error budget that is left.
    pub(super) fn error_budgets(&self) -> Vec<(String, f64)> {
        let left = |slo: SloReading| {
            let of = [slo.slo, named(&slo.labels)].join(" ");
            (of.trim_end().to_owned(), slo.error_budget.remaining)
        };
        self.plimsoll.slos().into_iter().map(left).collect()
    }

    pub(super) fn operations(&self) -> Vec<String> {
        self.streams.iter().map(Stream::name).collect()
    }

    /// Budgets and SLOs that read what is not there, or what nobody can make up.
    pub(super) fn untouched(&self) -> Vec<String> {
        let shown = self.shown();
        let counts = |name: &str| self.ratios.iter().any(|ratio| ratio.counts(name));
        let follows = |name: &str| shown.contains(name) || counts(name);
        let mut untouched = self.gauges.untouched(follows);
        untouched.extend(self.uncounted.iter().cloned());
        untouched
    }

    /// Names of samples that show the operations that are made up.
    fn shown(&self) -> HashSet<String> {
        let specs = self.plimsoll.inner().naming.specs();
        let is_made_up = |spec: &Spec| {
            let mut domains = self.streams.iter().map(Stream::domain);
            domains.any(|domain| domain == spec.source)
        };
        let made_up = specs.iter().filter(|spec| is_made_up(spec));
        made_up
            .flat_map(|spec| sample_names(&spec.name, spec.take.is_histogram()))
            .collect()
    }
}
