//! Checks what was configured, and starts.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;

use super::{Builder, Locate};
use crate::alert::{Hub, QUEUE_CAPACITY};
use crate::budget::Budget;
use crate::clock::SharedClock;
use crate::config::{BuildError, Problem, Settings, Thresholds, UNNAMED, apply_vars};
use crate::engine::{Engine, Sampled, Ticker, Watch};
use crate::export::Sampler;
use crate::family::Shelf;
use crate::histogram::{Buckets, DEFAULT_LIMIT, Layout, Memory};
use crate::instance::budgets::unreadable;
use crate::instance::checks::{
    facade_problems, find_problems, query_problems, slo_problems, slow_log_problem,
};
use crate::instance::keeper::Keeper;
use crate::instance::readable::Readable;
use crate::instance::rules::{self, recorded};
use crate::instance::{Inner, Plimsoll};
use crate::naming::Naming;
use crate::registry::{Domain, Findings, Late, Registry, Running, SlowLog, keys, label_problems};
use crate::scope::QueryLimits;
use crate::slo::Slo;

/// Label sets per kind of work before the rest is counted under `other`.
const MAX_SERIES: usize = 1_000;

/// How many lines the slow log has for each kind of work, and how often.
const SLOW_LOG: (usize, Duration) = (5, Duration::from_secs(10));

/// How often a request may run one statement, and how many queries it may make.
const N_PLUS_ONE: u64 = 10;
const MAX_QUERIES: u64 = 100;

/// What is in force once every source has been heard.
pub(super) struct Checked {
    pub(super) settings: Settings,
    pub(super) tick: Duration,
    pub(super) naming: Naming,
    thresholds: Thresholds,
    slow_log: (usize, Duration),
}

impl Builder {
    /// Checks everything, and starts.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake, each naming its field and how to mend it.
    pub fn build(mut self) -> Result<Plimsoll, BuildError> {
        let Checked {
            settings,
            tick,
            naming,
            thresholds,
            slow_log,
        } = self.check()?;

        let clock = self.clock.unwrap_or_else(SharedClock::choose);
        let carriers = settings.slos.iter().map(Slo::carrier);
        let promised: Vec<Budget> = settings.budgets.iter().cloned().chain(carriers).collect();
        let buckets = buckets(&naming, &promised, &thresholds, &self.watches)?;
        let sizes = Buckets::new(Layout::bytes(), naming.size_bounds())
            .map_err(|error| BuildError::new(Problem::new("bounds of sizes", error.to_string())))?;
        let created = clock.system_time();
        let cap = settings.max_series.unwrap_or(MAX_SERIES);
        let memory = Arc::new(Memory::new(self.shard_memory.unwrap_or(DEFAULT_LIMIT)));
        let slow = [
            (Domain::Http, thresholds.slow_request),
            (Domain::Db, thresholds.slow_query),
        ];
        let slow = SlowLog::new(slow_log.0, slow_log.1, &slow, clock.now_ns());
        let limit = settings.query_watchdog;
        let running = limit.map(|limit| Running::new(clock.clone(), limit));
        let limits = QueryLimits {
            n_plus_one: settings.n_plus_one.unwrap_or(N_PLUS_ONE),
            queries: settings.max_queries.unwrap_or(MAX_QUERIES),
        };
        let findings = Findings::new(limits, clock.now_ns());
        let registry = Arc::new(Registry::new(
            clock.clone(),
            self.labels,
            |domain| buckets[domain as usize].clone(),
            &sizes,
            cap,
            memory,
            Late {
                slow,
                running,
                findings,
            },
        ));
        let rules = settings
            .budgets
            .iter()
            .map(|budget| budget.levels().count())
            .sum();
        let capacity = self.queue_capacity.unwrap_or(QUEUE_CAPACITY);
        let hub = Hub::new(clock, capacity, rules);
        self.notices.subscribe(&hub, &registry);
        let (keeper, memory) = Keeper::open(&settings, created);
        let engine = Arc::new(Engine::new(
            registry.clone(),
            hub,
            Sampled {
                sampling: self.sampling,
                tick,
                target: self.target.clone(),
            },
            &settings.budgets,
            settings.slos,
            &self.watches,
            memory,
        ));
        let service = settings.service.unwrap_or_else(|| UNNAMED.to_owned());
        let inner = Inner {
            service,
            #[cfg(feature = "http")]
            anchors: crate::registry::Anchors::new(&registry),
            registry,
            taken: naming.names(),
            naming,
            #[cfg(feature = "db")]
            databases: crate::db::Databases::new(settings.databases),
            #[cfg(feature = "modbus")]
            devices: crate::modbus::Devices::default(),
            thresholds,
            expected: settings.expected,
            recorded: settings
                .rules
                .iter()
                .flat_map(recorded)
                .collect::<Vec<_>>()
                .into(),
            target: self.target,
            foreign: self.foreign,
            created,
            offer: self.offer,
            engine,
            tick,
            not_ready: self.not_ready,
            shelf: Shelf::default(),
            ticker: OnceCell::new(),
            kept: OnceCell::new(),
        };
        let readable = Readable::of(&inner);
        let budgets = settings.budgets.iter();
        let of_budgets = budgets.flat_map(|budget| unreadable(budget, &readable));
        let files = settings.rules.iter();
        let of_rules = files.flat_map(|file| rules::problems(file, &readable));
        refuse(
            Vec::new(),
            of_budgets.chain(of_rules).collect(),
            self.locate.as_ref(),
        )?;
        let inner = Arc::new(inner);
        inner.engine.attach(Box::new(Sampler::new(&inner)));
        for file in settings.rules {
            inner.engine.add_rules(file.into_groups());
        }
        if let Some(keeper) = keeper {
            let kept = keeper.start(&inner.engine, self.manual);
            let _ = inner
                .kept
                .set(kept.map_err(|error| no_thread("state_file", &error))?);
        }
        if !self.manual {
            let _ = inner.ticker.set(start(&inner.engine, tick)?);
        }
        Ok(Plimsoll { inner })
    }

    /// What is in force, if it has no mistakes.
    pub(super) fn check(&mut self) -> Result<Checked, BuildError> {
        let mut read = mem::take(&mut self.problems);
        let (code, file) = (mem::take(&mut self.code), mem::take(&mut self.file));
        let mut settings = code.under(file, &mut read);
        if let Some(vars) = &self.vars {
            apply_vars(&mut settings, vars, &mut read);
        }
        let tick = settings.tick.unwrap_or(Duration::from_secs(1));
        let mut naming = settings.naming.clone().unwrap_or_else(Naming::otel);
        naming.add_labels(&self.labels);
        let thresholds = thresholds(&settings);
        let found = label_problems(&self.labels).into_iter();
        let mut problems: Vec<_> = found
            .map(|(field, message)| Problem::new(field, message))
            .collect();
        let readable = Readable::new(&naming, &settings.expected, self.target.as_ref())
            .recorded(settings.rules.iter().flat_map(recorded));
        problems.extend(find_problems(
            &settings,
            tick,
            &naming,
            &readable,
            &thresholds,
            &self.labels,
        ));
        for watch in &self.watches {
            let found = watch
                .problems(tick, &keys(watch.select.domain, &self.labels))
                .into_iter();
            problems.extend(found.map(|(field, message)| Problem::new(field, message)));
        }
        problems.extend(slo_problems(
            &settings,
            tick,
            &readable,
            &self.labels,
            &self.not_ready,
        ));
        problems.extend(facade_problems(&self.foreign));
        let slow_log = (
            settings.slow_log.0.unwrap_or(SLOW_LOG.0),
            settings.slow_log.1.unwrap_or(SLOW_LOG.1),
        );
        problems.extend(slow_log_problem(slow_log));
        problems.extend(query_problems(&settings));
        problems.extend(Keeper::problems(&settings));
        let service = settings.service.as_deref().unwrap_or(UNNAMED);
        let (budgets, slos) = (&settings.budgets, &settings.slos);
        problems.extend(settings.extras.problems(service, budgets, slos));
        refuse(read, problems, self.locate.as_ref())?;
        Ok(Checked {
            settings,
            tick,
            naming,
            thresholds,
            slow_log,
        })
    }
}

/// `Ok` without problems; otherwise these, with their lines. What was `found` in what had been read with mistakes may only
/// follow from them.
pub(super) fn refuse(
    mut read: Vec<Problem>,
    mut found: Vec<Problem>,
    locate: Option<&Locate>,
) -> Result<(), BuildError> {
    if let Some(locate) = locate {
        locate(&mut read);
        locate(&mut found);
    }
    found.retain(|problem| !problem.follows_from(&read));
    for problem in found {
        // The budgets of one key figure are declared once.
        if !read.contains(&problem) {
            read.push(problem);
        }
    }
    BuildError::check(read)
}

fn start(engine: &Arc<Engine>, tick: Duration) -> Result<Ticker, BuildError> {
    Ticker::start(engine, tick).map_err(|error| no_thread("tick", &error))
}

fn no_thread(field: &str, error: &std::io::Error) -> BuildError {
    let message = format!("has no thread: {error}; or use manual_tick");
    BuildError::new(Problem::new(field, message))
}

/// The thresholds in force: the targets of the budgets over everything, or the defaults.
fn thresholds(settings: &Settings) -> Thresholds {
    let ratio = settings
        .budgets
        .iter()
        .find(|budget| budget.is_http_error_ratio());
    Thresholds {
        slow_request: settings.slow_request.unwrap_or(Duration::from_millis(100)),
        slow_query: settings.slow_query.unwrap_or(Duration::from_millis(50)),
        error_ratio: ratio
            .and_then(|budget| budget.limit(budget.levels().next()?))
            .unwrap_or(0.001),
    }
}

/// Those of each domain.
fn buckets(
    naming: &Naming,
    budgets: &[Budget],
    thresholds: &Thresholds,
    watches: &[Watch],
) -> Result<Vec<Arc<Buckets>>, BuildError> {
    let of = |domain: Domain| {
        let watched = of_watches(domain, watches);
        let bounds = bounds(domain, naming, budgets, thresholds, watched);
        Buckets::new(Layout::durations(), &bounds).map_err(|error| {
            let field = format!("bounds of {}", domain.as_str());
            BuildError::new(Problem::new(field, error.to_string()))
        })
    };
    Domain::ALL.into_iter().map(of).collect()
}

/// The exact bounds of a domain in seconds: the profile's, every threshold, and a finite one above the highest.
fn bounds(
    domain: Domain,
    naming: &Naming,
    budgets: &[Budget],
    thresholds: &Thresholds,
    watched: impl Iterator<Item = f64>,
) -> Vec<f64> {
    let of_domain = budgets.iter().filter(|budget| {
        budget
            .select()
            .is_some_and(|select| select.domain == domain)
    });
    let mut limits: Vec<f64> = of_domain
        .flat_map(Budget::thresholds)
        .chain(watched)
        .collect();
    match domain {
        Domain::Http => limits.push(thresholds.slow_request.as_secs_f64()),
        Domain::Db => limits.push(thresholds.slow_query.as_secs_f64()),
        _ => {}
    }
    let mut bounds = naming.bounds(domain);
    let highest = bounds.iter().copied().fold(0.0, f64::max);
    let threshold = limits.iter().copied().fold(0.0, f64::max);
    if threshold >= highest {
        // Prometheus' quantile saturates at the highest finite bound: without one above it no rule could fire.
        bounds.push((threshold * 2.0).min(3600.0));
    }
    bounds.extend(limits);
    bounds
}

/// The thresholds of watches over a domain, in seconds.
fn of_watches(domain: Domain, watches: &[Watch]) -> impl Iterator<Item = f64> + '_ {
    let of_domain = watches
        .iter()
        .filter(move |watch| watch.select.domain == domain);
    of_domain
        .filter_map(|watch| watch.threshold)
        .map(|threshold| threshold.as_secs_f64())
}
