//! Why it exists: nobody can tell from a declaration whom it will wake, and when; trying it out can.
//!
//! A [`Simulation`] builds the instance that a service would build, under a [`ManualClock`](crate::ManualClock), makes up
//! operations for whatever its budgets and SLOs speak of, and notes which alerts change. Nothing is reckoned by a second
//! formula: it is the engine that judges. The same simulation gives the same result every time.
//!
//! ```
//! use plimsoll::AlertState;
//! use plimsoll::generate::Declaration;
//! use plimsoll::simulate::Simulation;
//! use std::time::Duration;
//!
//! let declaration = Declaration::parse(r#"
//!     [[budget]]
//!     name = "errors"
//!     on = "http"
//!     sli = "error_ratio"
//!     at_most = 0.01
//!     for = "30s"
//! "#)?;
//! let course = "2m good, 2m errors=20%, 5m good".parse().expect("three phases");
//! let result = Simulation::new(declaration).course(course).run()?;
//! let states: Vec<_> = result.changes.iter().map(|change| (change.at.as_secs(), change.to)).collect();
//! assert_eq!(states[0], (124, AlertState::Pending));
//! assert_eq!(states[1], (154, AlertState::Firing));
//! assert_eq!(states[2].1, AlertState::Inactive);
//! # Ok::<(), plimsoll::BuildError>(())
//! ```

mod alerts;
mod counters;
mod course;
mod gauges;
mod labels;
mod names;
mod settings;
mod stage;
mod traffic;

pub use alerts::{AlertChange, SimulatedAlert};
pub use course::{Course, CourseError, Phase};

pub(crate) use labels::{labels, pair};
pub(crate) use names::suggested;
pub(crate) use settings::all_read;
pub(crate) use stage::{NOON, Stage};
pub(crate) use traffic::Load;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use humantime::format_duration;

use crate::config::{BuildError, Problem};
use crate::expr::Selector;
use crate::generate::Declaration;
use settings::Setting;

/// No simulation begins later, in time since 1970: 2400-01-01T00:00:00Z. The engine's clock holds 584 years of nanoseconds.
pub const LATEST: Duration = Duration::from_secs(13_569_465_600);

/// What is tried out.
#[derive(Debug, Clone)]
pub struct Simulation {
    declaration: Declaration,
    course: Course,
    load: Load,
    step: Option<Duration>,
    /// Since 1970.
    begins: Duration,
    history: Duration,
    seed: Option<u64>,
    settings: Vec<Setting>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Simulated {
    /// Alerts that changed, in the order of time.
    pub changes: Vec<AlertChange>,
    /// What was recorded in each step.
    pub steps: Vec<SimulatedStep>,
    /// The error budget of each SLO, and of each of its parts.
    pub error_budgets: Vec<SimulatedErrorBudget>,
    /// The operations that were made up, as `http{method="GET", route="/example"}`.
    pub operations: Vec<String>,
    /// Budgets and SLOs that read what nobody set: see [`Simulation::set`].
    pub untouched: Vec<String>,
}

/// What was recorded in one step, of all operations together.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SimulatedStep {
    /// Its end, since the beginning.
    pub at: Duration,
    /// Operations that ended.
    pub operations: u64,
    /// Those of them that failed.
    pub errors: u64,
    /// Those of them that were slow.
    pub slow: u64,
}

/// What a simulation did to an error budget.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SimulatedErrorBudget {
    /// The SLO's name, with the labels of its part behind it.
    pub slo: String,
    /// The share that was left at the beginning: from minus infinity to 1.
    pub before: f64,
    /// The share that is left at the end.
    pub after: f64,
}

impl Simulation {
    /// Two hours of 100 operations per second of each kind, of which none fails and none is slow, judged as often as the service
    /// judges, from a Monday noon on.
    pub fn new(declaration: Declaration) -> Self {
        Self {
            declaration,
            course: Course::from(Phase::new(Duration::from_secs(7_200))),
            load: Load::good(100.0),
            step: None,
            begins: NOON,
            history: Duration::ZERO,
            seed: None,
            settings: Vec::new(),
        }
    }

    /// What happens, one phase after the other.
    pub fn course(mut self, course: Course) -> Self {
        self.course = course;
        self
    }

    /// Operations per second of each kind, where a phase does not say; 100 by default.
    pub fn traffic(mut self, per_second: f64) -> Self {
        self.load.rate = per_second;
        self
    }

    /// The share of operations that fail, in `0.0..=1.0`, where a phase does not say; 0 by default.
    pub fn errors(mut self, share: f64) -> Self {
        self.load.errors = share;
        self
    }

    /// The share of operations that take longer than every limit, in `0.0..=1.0`, where a phase does not say; 0 by default.
    pub fn slow(mut self, share: f64) -> Self {
        self.load.slow = share;
        self
    }

    /// How often is judged, instead of as often as the service does.
    pub fn step(mut self, step: Duration) -> Self {
        self.step = Some(step);
        self
    }

    /// When it begins, on which hours, schedules, maintenance and a calendar's periods depend; 2026-01-05T12:00:00Z by default, a
    /// Monday noon. No moment is before 1970, and no history either; [`run`](Self::run) refuses one after [`LATEST`].
    pub fn begins(mut self, moment: SystemTime) -> Self {
        self.begins = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        self
    }

    /// Good operations before the beginning, so that long windows and error budgets are not empty; none by default.
    pub fn history(mut self, history: Duration) -> Self {
        self.history = history;
        self
    }

    /// Draws which operations fail or are slow; without, they are spread evenly.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// A gauge of the service's own takes this value at this moment after the beginning, of [`Duration::ZERO`] already in its
    /// history. Its labels are such as the selector takes.
    pub fn set(mut self, gauge: Selector, value: f64, at: Duration) -> Self {
        self.settings.push(Setting { gauge, value, at });
        self
    }

    /// Runs it. Cost: a judgement for each step, whatever the traffic; with a [`seed`](Self::seed) two draws for each operation, too.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if it begins after [`LATEST`], a step is zero or longer than half a window, or a gauge's name belongs to
    /// something else, is read by nothing, or takes its value only when all is over.
    pub fn run(&self) -> Result<Simulated, BuildError> {
        if self.begins > LATEST {
            let message = "is later than 2400, where the clock of a simulation ends: begin earlier";
            return Err(BuildError::new(Problem::new("begins", message)));
        }
        let history = self.history.min(self.begins);
        let start = self.begins - history;
        let mut stage = Stage::new(&self.declaration, self.step, self.seed, start)
            .map_err(|error| self.without_step(error))?;
        BuildError::check(self.unnoticed(&stage))?;
        let mut settings = self.settings.clone();
        settings.sort_by_key(|setting| setting.at);
        let mut settings = settings.into_iter().peekable();
        let mut set_until = |stage: &mut Stage, now: Duration| {
            while let Some(setting) = settings.next_if(|setting| setting.at <= now) {
                stage.set(&setting.gauge, setting.value)?;
            }
            Ok::<(), BuildError>(())
        };
        set_until(&mut stage, Duration::ZERO)?;
        stage.live_through(history, self.load.rate);
        let before = stage.error_budgets();
        stage.begin();
        let (mut steps, mut changes) = (Vec::new(), stage.standing());
        for phase in self.course.phases() {
            let load = phase.load(self.load);
            let end = stage.elapsed() + phase.length();
            while stage.elapsed() < end {
                let now = stage.elapsed();
                set_until(&mut stage, now)?;
                let length = stage.tick().min(end - stage.elapsed());
                let (step, changed) = stage.step(length, |_| load);
                steps.push(step);
                changes.extend(changed);
            }
        }
        let after = stage.error_budgets();
        let error_budgets = after.into_iter().map(|(slo, after)| {
            let known = before.iter().find(|known| known.0 == slo);
            let before = known.map_or(1.0, |known| known.1);
            SimulatedErrorBudget { slo, before, after }
        });
        Ok(Simulated {
            error_budgets: error_budgets.collect(),
            operations: stage.operations(),
            untouched: stage.untouched(),
            changes,
            steps,
        })
    }

    /// What was declared fits the service's own tick, so it is the step's mistake if it does not fit that.
    fn without_step(&self, error: BuildError) -> BuildError {
        let Some(step) = self.step else {
            return error;
        };
        let problems: Vec<_> = error.problems().iter().map(ToString::to_string).collect();
        let message = format!(
            "{} does not fit: take {}, or not much more ({})",
            format_duration(step),
            format_duration(self.declaration.tick),
            problems.first().map_or("", String::as_str)
        );
        BuildError::new(Problem::new("step", message))
    }

    /// Settings that change nothing.
    fn unnoticed(&self, stage: &Stage) -> Vec<Problem> {
        let mut read = settings::all_read(&self.declaration);
        read.retain(|selector| !stage.drives(selector.name()));
        let length = self.course.length();
        let settings = self.settings.iter();
        // Names that are taken are told of when they are set.
        let own = settings.filter(|setting| !stage.drives(setting.gauge.name()));
        own.filter_map(|setting| setting.problem(&read, length))
            .collect()
    }
}

#[cfg(test)]
mod tests;
