//! Why it exists: operators must be able to change a promise without a new build, and must win over the code.
//!
//! Settings come from four places, each over the one before: defaults, [`Builder`](crate::Builder), TOML
//! (feature `config`), environment. Every mistake is found at `build()`, all at once ([`BuildError`]).
//!
//! Three variables are read, and only when [`Builder::from_env`](crate::Builder::from_env) asks for it:
//!
//! | variable | default | what it sets |
//! |---|---|---|
//! | `PERF_API_LATENCY_MS` | 100 | above it a request is slow; p95 of all HTTP requests |
//! | `PERF_DB_QUERY_MS` | 50 | above it a query is slow; p95 of all queries |
//! | `PERF_ERROR_RATE` | 0.001 | error ratio of all HTTP requests, `0.0..=1.0` |
//!
//! A variable replaces the target of every budget of that kind over all HTTP requests (or queries); where there is
//! none, one named `http-p95`, `db-p95` or `http-error-ratio` is added.

#[cfg(feature = "config")]
mod budgets;
mod env;
#[cfg(all(feature = "config", feature = "generate"))]
mod extras;
#[cfg(not(all(feature = "config", feature = "generate")))]
#[path = "config/no_extras.rs"]
mod extras;
#[cfg(feature = "config")]
mod fields;
#[cfg(feature = "config")]
mod file;
#[cfg(feature = "config")]
mod lines;
mod problem;
#[cfg(all(feature = "config", feature = "promql"))]
mod rules;
#[cfg(all(feature = "config", not(feature = "promql")))]
#[path = "config/no_rules.rs"]
mod rules;
#[cfg(feature = "config")]
mod slos;
#[cfg(feature = "config")]
mod subject;

pub(crate) use env::{Vars, apply as apply_vars};
#[cfg(feature = "config")]
pub(crate) use file::parse as parse_toml;
#[cfg(feature = "config")]
pub(crate) use lines::locate;
#[cfg(feature = "config")]
pub(crate) use problem::Reader;
pub(crate) use problem::{Advice, Mend};
pub use problem::{BuildError, Problem};

use std::path::PathBuf;
use std::time::Duration;

use crate::band::Dynamic;
use crate::budget::{Amount, Budget, Level, Limit, Schedule};
use crate::expr::Expr;
use crate::naming::Naming;
use crate::rule::RuleFile;
use crate::slo::Slo;

/// The thresholds in force.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Thresholds {
    /// A request above it is slow.
    pub slow_request: Duration,
    /// A query above it is slow.
    pub slow_query: Duration,
    /// The promised HTTP error ratio, in `0.0..=1.0`.
    pub error_ratio: f64,
}

/// What a service is called that was given no name.
pub(crate) const UNNAMED: &str = "service";

/// Everything that can be set, as far as one source sets it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) service: Option<String>,
    pub(crate) naming: Option<Naming>,
    pub(crate) tick: Option<Duration>,
    pub(crate) max_series: Option<usize>,
    pub(crate) slow_request: Option<Duration>,
    pub(crate) slow_query: Option<Duration>,
    /// How many lines the slow log has for each kind of work, and how often.
    pub(crate) slow_log: (Option<usize>, Option<Duration>),
    pub(crate) query_watchdog: Option<Duration>,
    pub(crate) n_plus_one: Option<u64>,
    pub(crate) max_queries: Option<u64>,
    pub(crate) databases: Vec<DatabaseSettings>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) rules: Vec<RuleFile>,
    /// Families whose instruments come later.
    pub(crate) expected: Vec<String>,
    pub(crate) slos: Vec<Slo>,
    /// What only generated files need.
    pub(crate) extras: extras::Extras,
    /// Where it is kept what the next process is to remember, and how often.
    pub(crate) state: (Option<PathBuf>, Option<Duration>),
    /// Changes to budgets that a weaker source declares.
    pub(crate) adjustments: Vec<Adjustment>,
}

/// What is set of one database.
#[derive(Debug, Clone, Default)]
#[cfg_attr(
    not(feature = "db"),
    allow(dead_code, reason = "only this probe has databases")
)]
pub(crate) struct DatabaseSettings {
    pub(crate) name: String,
    pub(crate) max_statements: Option<usize>,
    /// Whether double quotes stand around literals.
    pub(crate) quoted_literals: Option<bool>,
    pub(crate) queries: Vec<String>,
}

/// What a stronger source changes in a budget that it does not declare itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Adjustment {
    pub(crate) budget: String,
    pub(crate) limits: Vec<(Level, Limit)>,
    pub(crate) over: Option<Duration>,
    pub(crate) sustained: Option<Duration>,
    pub(crate) keep_firing: Option<Duration>,
    pub(crate) min_events: Option<u64>,
    pub(crate) min_bad: Option<u64>,
    pub(crate) confidence: Option<f64>,
    pub(crate) absent_after: Option<Duration>,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) dynamic: Option<Dynamic>,
    /// The floor of what is learned, as it is written.
    pub(crate) floor: Option<Amount>,
    pub(crate) warm_up: Option<Duration>,
    pub(crate) when: Option<Expr>,
}

impl Settings {
    /// These settings with those of a stronger source over them.
    pub(crate) fn under(mut self, stronger: Self, problems: &mut Vec<Problem>) -> Self {
        self.service = stronger.service.or(self.service);
        self.naming = stronger.naming.or(self.naming);
        self.tick = stronger.tick.or(self.tick);
        self.max_series = stronger.max_series.or(self.max_series);
        self.slow_request = stronger.slow_request.or(self.slow_request);
        self.slow_query = stronger.slow_query.or(self.slow_query);
        let ((count, period), code) = (stronger.slow_log, self.slow_log);
        self.slow_log = (count.or(code.0), period.or(code.1));
        self.query_watchdog = stronger.query_watchdog.or(self.query_watchdog);
        self.n_plus_one = stronger.n_plus_one.or(self.n_plus_one);
        self.max_queries = stronger.max_queries.or(self.max_queries);
        let ((path, every), code) = (stronger.state, self.state);
        self.state = (path.or(code.0), every.or(code.1));
        self.databases.extend(stronger.databases);
        self.extras = stronger.extras;
        for adjustment in stronger.adjustments {
            match self.budgets.iter_mut().find(|budget| budget.name == adjustment.budget) {
                Some(budget) => adjustment.apply(budget, problems),
                None => problems.push(Problem::new(
                    format!("budget {:?}: on", adjustment.budget),
                    "is missing: say what it is about (on = \"http\"), or use the name of a budget that exists",
                )),
            }
        }
        self.budgets.extend(stronger.budgets);
        self.rules.extend(stronger.rules);
        self.expected.extend(stronger.expected);
        for slo in stronger.slos {
            match self.slos.iter_mut().find(|known| known.name == slo.name) {
                Some(known) => *known = slo,
                None => self.slos.push(slo),
            }
        }
        Slo::resolve(&mut self.slos);
        self
    }
}

impl Adjustment {
    fn apply(self, budget: &mut Budget, problems: &mut Vec<Problem>) {
        let misfit = self
            .floor
            .and_then(|floor| budget.misfit("dynamic: floor", floor));
        problems.extend(misfit.map(|misfit| Problem::misfit(budget, misfit)));
        for (level, limit) in self.limits {
            set_limit(budget, level, limit);
        }
        budget.over = self.over.unwrap_or(budget.over);
        budget.sustained = self.sustained.unwrap_or(budget.sustained);
        budget.keep_firing = self.keep_firing.unwrap_or(budget.keep_firing);
        budget.min_events = self.min_events.unwrap_or(budget.min_events);
        budget.min_bad = self.min_bad.unwrap_or(budget.min_bad);
        budget.confidence = self.confidence.or(budget.confidence);
        budget.absent_after = self.absent_after.or(budget.absent_after);
        budget.schedule = self.schedule.or(budget.schedule.take());
        budget.dynamic = self.dynamic.or(budget.dynamic.take());
        budget.warm_up = self.warm_up.unwrap_or(budget.warm_up);
        budget.when = self.when.or(budget.when.take());
    }

    /// Lets a budget that stands for one that could not be read have what can be wrong whatever that is about.
    #[cfg(feature = "config")]
    fn check(mut self, mut stand_in: Budget) -> Budget {
        let is_given = !self.limits.is_empty() || self.dynamic.is_some();
        if is_given {
            stand_in.limits = vec![(Level::Target, 1.0.into())];
        }
        (self.limits, self.dynamic, self.floor) = (Vec::new(), None, None);
        (self.min_bad, self.confidence) = (None, None);
        self.apply(&mut stand_in, &mut Vec::new());
        stand_in
    }
}

/// Replaces a level's limit, or adds it.
pub(crate) fn set_limit(budget: &mut Budget, level: Level, limit: Limit) {
    match budget.limits.iter_mut().find(|known| known.0 == level) {
        Some(known) => known.1 = known.1.under(limit),
        None => budget.limits.push((level, limit)),
    }
}
