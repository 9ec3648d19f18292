//! From a configuration to an instance.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::checks::{facade_problems, find_problems, query_problems, slow_log_problem};
use super::{Inner, Plimsoll};
use crate::alert::{Callback, Event, EventKind, Hub, QUEUE_CAPACITY, Warning};
use crate::budget::Budget;
use crate::clock::{Clock, SharedClock};
use crate::config::{BuildError, Problem, Settings, Thresholds, Vars, apply_vars};
use crate::engine::{Engine, Ticker, Watch};
use crate::family::{Foreign, Format, Offer, Shelf};
use crate::histogram::{Buckets, DEFAULT_LIMIT, Layout, Memory};
use crate::naming::Naming;
use crate::registry::{
    Domain, Findings, Label, Late, QueryFinding, Registry, Running, RunningQuery, SlowLog,
    SlowOperation, keys, label_problems,
};
use crate::scope::QueryLimits;

/// Label sets per kind of work before the rest is counted under `other`.
const MAX_SERIES: usize = 1_000;

/// How many lines the slow log has for each kind of work, and how often.
const SLOW_LOG: (usize, Duration) = (5, Duration::from_secs(10));

/// How often a request may run one statement, and how many queries it may make.
const N_PLUS_ONE: u64 = 10;
const MAX_QUERIES: u64 = 100;

/// A configuration in the making. Every mistake surfaces at [`build`](Self::build), all at once.
///
/// Precedence: defaults, then these setters, then TOML, then the environment; the order of the calls does not matter.
#[derive(Default)]
pub struct Builder {
    code: Settings,
    file: Settings,
    vars: Option<Vars>,
    clock: Option<SharedClock>,
    manual: bool,
    queue_capacity: Option<usize>,
    shard_memory: Option<usize>,
    watches: Vec<Watch>,
    offer: Offer,
    callbacks: Vec<(String, Callback)>,
    on_slow: Vec<Callback<Arc<SlowOperation>>>,
    on_warning: Vec<Callback<Warning>>,
    on_running: Option<Callback<Arc<RunningQuery>>>,
    on_finding: Vec<Callback<Arc<QueryFinding>>>,
    foreign: Foreign,
    labels: Vec<Label>,
    problems: Vec<Problem>,
}

impl Builder {
    /// The name of the service; `service` by default.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.code.service = Some(name.into());
        self
    }

    /// How exported families are named; OpenTelemetry's names by default.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.code.naming = Some(naming);
        self
    }

    /// Adds a promise.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.code.budgets.push(budget);
        self
    }

    /// One more label of HTTP requests, beside method and route; at most four. Each multiplies the series, within the
    /// cap of [`max_series`](Self::max_series).
    ///
    /// It is a label of every family that tells routes apart, of [`Plimsoll::stats`], and, where it is read from the
    /// request, of [`Select::http`](crate::Select::http); one that is read from the response only where ends are told
    /// apart, as the status is.
    ///
    /// ```
    /// use plimsoll::{Budget, Plimsoll, Select, http::Label};
    ///
    /// let tier = Label::request("tier", |head| head.headers().get("x-tier")?.to_str().ok());
    /// let cache = Label::response("cache", |head| head.headers().get("x-cache")?.to_str().ok());
    /// let paid = Select::http().label("tier", "paid");
    /// let plimsoll = Plimsoll::builder()
    ///     .http_label(Label::version())
    ///     .http_label(tier.values(["free", "paid"]))
    ///     .http_label(cache.at_most(3))
    ///     .budget(Budget::error_ratio("paid-errors", paid).at_most(0.001))
    ///     .build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn http_label(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// Names windows that [`Plimsoll::window`] can read.
    pub fn watch(mut self, watch: Watch) -> Self {
        self.watches.push(watch);
        self
    }

    /// Above it a request is slow; 100 ms by default. At most an hour.
    pub fn slow_request(mut self, threshold: Duration) -> Self {
        self.code.slow_request = Some(threshold);
        self
    }

    /// Above it a query is slow; 50 ms by default. At most an hour.
    pub fn slow_query(mut self, threshold: Duration) -> Self {
        self.code.slow_query = Some(threshold);
        self
    }

    /// How many of the slowest requests, and of the slowest queries, are told of after each `period`: 5 every 10 s by
    /// default. 0 turns the slow log off.
    ///
    /// They go to [`on_slow`](Self::on_slow), to [`Plimsoll::slowest`], and with the feature `tracing` to the target
    /// `plimsoll::slow`. The others are counted in `plimsoll_slow_dropped_total`. A period ends with a tick. At most 1000;
    /// memory: some 500 bytes for each. Cost: a comparison for each operation; for slow ones that get in, a lock that nobody
    /// waits for, and a copy of the labels.
    pub fn slow_log(mut self, count: usize, period: Duration) -> Self {
        self.code.slow_log = (Some(count), Some(period));
        self
    }

    /// Calls `callback` for every line of the slow log, the slowest of a period first, on a thread of its own.
    ///
    /// It may block or panic: nobody else notices.
    ///
    /// ```
    /// use plimsoll::Plimsoll;
    ///
    /// let plimsoll = Plimsoll::builder()
    ///     .on_slow(|slow| eprintln!("{} {:?} took {:?}", slow.kind, slow.labels, slow.duration))
    ///     .build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn on_slow(mut self, callback: impl Fn(&SlowOperation) + Send + Sync + 'static) -> Self {
        self.on_slow.push(Box::new(move |slow| callback(slow)));
        self
    }

    /// Calls `callback` for every query that is still running past `limit`, once and while it runs, on a thread of its own.
    /// Asked twice, the latter holds.
    ///
    /// It may block or panic: nobody else notices. Queries are looked at by the tick, so a query is told of up to a tick
    /// late, and one that ends before is not. With the feature `tracing` they go to the target `plimsoll::watchdog` as
    /// well. 1024 are watched at the same time; what is above is counted in `plimsoll_queries_unwatched_total`. Cost while
    /// it is on: a further reading of the clock and two exchanges for each query; no lock and no allocation.
    ///
    /// ```
    /// use plimsoll::Plimsoll;
    /// use std::time::Duration;
    ///
    /// let plimsoll = Plimsoll::builder()
    ///     .query_watchdog(Duration::from_secs(5), |query| {
    ///         eprintln!("{} is running for {:?}, trace {:?}", query.name(), query.age, query.trace_id)
    ///     })
    ///     .build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    #[cfg(feature = "db")]
    pub fn query_watchdog(
        mut self,
        limit: Duration,
        callback: impl Fn(&RunningQuery) + Send + Sync + 'static,
    ) -> Self {
        self.code.query_watchdog = Some(limit);
        self.on_running = Some(Box::new(move |query| callback(query)));
        self
    }

    /// How often a request may run one statement before that is a finding, 10 by default; 0 for ever so often.
    ///
    /// Looked for where a layer keeps a record of the request: under [anatomy], [trace ids] (of requests that have a
    /// trace), or [asked to][n_plus_one]. Statements are those of [`Database`](crate::db::Database) and the sqlx wrapper,
    /// by their text without values or their name; of [`Db`](crate::db::Db) operation and model are the statement. What
    /// came above the cap on statements or label sets is not told apart, so it is no finding. 16 are told apart at a time;
    /// of more than that, each run in turn, repetitions may be missed.
    ///
    /// Findings are counted by method and route (`http_server_n_plus_one_requests_total`), stand in the request's
    /// [`Anatomy`](crate::Anatomy), and go to [`on_query_finding`](Self::on_query_finding). Cost: per query some
    /// comparisons, no allocation; two allocations in a request that has a finding.
    ///
    /// [anatomy]: crate::http::MeasureLayer::anatomy
    /// [trace ids]: crate::http::MeasureLayer::trace_ids
    /// [n_plus_one]: crate::http::MeasureLayer::n_plus_one
    #[cfg(all(feature = "db", feature = "http"))]
    pub fn n_plus_one(mut self, times: u64) -> Self {
        self.code.n_plus_one = Some(times);
        self
    }

    /// How many queries a request may make in all before that is a finding, 100 by default; 0 for ever so many. As for
    /// [`n_plus_one`](Self::n_plus_one), counted in `http_server_max_queries_requests_total`.
    #[cfg(all(feature = "db", feature = "http"))]
    pub fn max_queries(mut self, queries: u64) -> Self {
        self.code.max_queries = Some(queries);
        self
    }

    /// Calls `callback` for requests that query too much, on a thread of its own. It may block or panic: nobody else notices.
    ///
    /// Every ten seconds it is told of 20 findings at most that differ in kind, method, route or statement: of those alike,
    /// the one with the most queries, and how many others there were. What is above 20 is counted in
    /// `plimsoll_query_findings_dropped_total`. With the feature `tracing` they go to the target `plimsoll::queries` as
    /// well.
    ///
    /// ```
    /// use plimsoll::Plimsoll;
    ///
    /// let plimsoll = Plimsoll::builder()
    ///     .n_plus_one(10)
    ///     .max_queries(100)
    ///     .on_query_finding(|found| {
    ///         let (route, query) = (found.label("route"), &found.query);
    ///         eprintln!("{}: {route} ran {query} {} times in {:?}", found.kind, found.count, found.duration)
    ///     })
    ///     .build()?;
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    #[cfg(all(feature = "db", feature = "http"))]
    pub fn on_query_finding(
        mut self,
        callback: impl Fn(&QueryFinding) + Send + Sync + 'static,
    ) -> Self {
        self.on_finding.push(Box::new(move |found| callback(found)));
        self
    }

    /// Calls `callback` for every [`Warning`], each once, on a thread of its own: a layer that is outside the router, a
    /// budget that matches nothing, a label that loses values. [`Plimsoll::warnings`] lists the same, and with the
    /// feature `tracing` they go to the target `plimsoll::setup`.
    pub fn on_warning(mut self, callback: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        self.on_warning.push(Box::new(callback));
        self
    }

    /// Label sets per kind of work (and instruments per name) before the rest is counted under `other`; 1000 by default.
    pub fn max_series(mut self, count: usize) -> Self {
        self.code.max_series = Some(count);
        self
    }

    /// Bytes of counters that threads may own, each for itself; 64 MiB by default. Whatever comes after shares one block
    /// per series, which costs an atomic addition instead of a plain one and loses nothing. Exported as
    /// `plimsoll_shard_bytes`; what nobody owns is not under the limit, for it grows with the series only.
    pub fn shard_memory(mut self, bytes: usize) -> Self {
        self.shard_memory = Some(bytes);
        self
    }

    /// How often promises are judged; every second by default.
    pub fn tick(mut self, interval: Duration) -> Self {
        self.code.tick = Some(interval);
        self
    }

    /// No thread of our own: the caller calls [`Plimsoll::tick`].
    pub fn manual_tick(mut self) -> Self {
        self.manual = true;
        self
    }

    /// The clock that everything is timed by. By default the time-stamp counter where it is safe (feature `tsc`), else
    /// [`MonotonicClock`](crate::MonotonicClock); `plimsoll_clock_info` tells which.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(SharedClock::of(clock));
        self
    }

    /// Calls `callback` for every breach, on a thread of its own.
    pub fn on_breach(self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on(EventKind::Breach, "on_breach", callback)
    }

    /// Calls `callback` for every recovery, on a thread of its own.
    pub fn on_recovery(self, callback: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.on(EventKind::Recovery, "on_recovery", callback)
    }

    /// Calls `callback` for every breach and recovery, in their order, on a thread of its own.
    ///
    /// `name` is the value of the label `subscriber` in our own metrics. The callback may block or panic: nobody else
    /// notices. It must not hold the instance itself, or that never ends.
    pub fn on_event(
        mut self,
        name: impl Into<String>,
        callback: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        self.callbacks.push((name.into(), Box::new(callback)));
        self
    }

    fn on(
        self,
        kind: EventKind,
        name: &str,
        callback: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        self.on_event(name, move |event| {
            if event.kind == kind {
                callback(event);
            }
        })
    }

    /// Events a subscriber's queue holds before it drops stale ones; [`QUEUE_CAPACITY`] by default.
    pub fn queue_capacity(mut self, events: usize) -> Self {
        self.queue_capacity = Some(events);
        self
    }

    /// The exact bounds of the `metrics` facade's histograms whose name is or ends in `suffix`, in their own unit.
    ///
    /// Of two that fit the later one holds. A bound outside the range of such a histogram, or between two of its steps,
    /// is left out there, and its name counted in `plimsoll_families_dropped_total`.
    #[cfg(feature = "metrics")]
    pub fn facade_bounds(mut self, suffix: impl Into<String>, bounds: &[f64]) -> Self {
        self.foreign.bounds.push((suffix.into(), bounds.to_vec()));
        self
    }

    /// Which variant of a format is served to those whose `Accept` header asks for that format.
    ///
    /// By default OpenMetrics is served without `_created` samples: they are a line more per series, which most
    /// servers store as a series of its own. Native histograms are served in schema 6.
    pub fn format(mut self, format: Format) -> Self {
        self.offer.replace(format);
        self
    }

    /// Settings from TOML text; they win over the setters.
    #[cfg(feature = "config")]
    pub fn toml(mut self, text: &str) -> Self {
        self.file = crate::config::parse_toml(text, &mut self.problems);
        self
    }

    /// Settings from a TOML file; they win over the setters.
    #[cfg(feature = "config")]
    pub fn toml_file(mut self, path: impl AsRef<std::path::Path>) -> Self {
        let path = path.as_ref();
        match std::fs::read_to_string(path) {
            Ok(text) => self.toml(&text),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                self.problems.push(Problem::new(
                    format!("toml file {}", path.display()),
                    message,
                ));
                self
            }
        }
    }

    /// Reads the three `PERF_*` variables of the process; they win over everything. See the `config` table in the
    /// README.
    pub fn from_env(self) -> Self {
        self.from_vars(|name| {
            std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    /// [`from_env`](Self::from_env) with another place to look variables up.
    pub fn from_vars(
        mut self,
        look_up: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.vars = Some(Vars(Box::new(look_up)));
        self
    }

    /// Checks everything, and starts.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake, each naming its field and how to mend it.
    pub fn build(self) -> Result<Plimsoll, BuildError> {
        let mut problems = self.problems;
        let mut settings = self.code.under(self.file, &mut problems);
        if let Some(vars) = &self.vars {
            apply_vars(&mut settings, vars, &mut problems);
        }
        let tick = settings.tick.unwrap_or(Duration::from_secs(1));
        let mut naming = settings.naming.clone().unwrap_or_else(Naming::otel);
        naming.add_labels(&self.labels);
        let thresholds = thresholds(&settings);
        let found = label_problems(&self.labels).into_iter();
        problems.extend(found.map(|(field, message)| Problem::new(field, message)));
        problems.extend(find_problems(
            &settings,
            tick,
            &naming,
            &thresholds,
            &self.labels,
        ));
        for watch in &self.watches {
            let found = watch
                .problems(tick, &keys(watch.select.domain, &self.labels))
                .into_iter();
            problems.extend(found.map(|(field, message)| Problem::new(field, message)));
        }
        problems.extend(facade_problems(&self.foreign));
        let slow_log = (
            settings.slow_log.0.unwrap_or(SLOW_LOG.0),
            settings.slow_log.1.unwrap_or(SLOW_LOG.1),
        );
        problems.extend(slow_log_problem(slow_log));
        problems.extend(query_problems(&settings));
        BuildError::check(problems)?;

        let clock = self.clock.unwrap_or_else(SharedClock::choose);
        let mut buckets = Vec::with_capacity(Domain::ALL.len());
        for domain in Domain::ALL {
            let watched = of_watches(domain, &self.watches);
            let bounds = bounds(domain, &naming, &settings.budgets, &thresholds, watched);
            buckets.push(Buckets::new(Layout::durations(), &bounds).map_err(|error| {
                BuildError::new(Problem::new(
                    format!("bounds of {}", domain.as_str()),
                    error.to_string(),
                ))
            })?);
        }
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
            .map(|budget| budget.limits.len())
            .sum();
        let capacity = self.queue_capacity.unwrap_or(QUEUE_CAPACITY);
        let hub = Hub::new(clock, capacity, rules);
        #[cfg(feature = "tracing")]
        hub.add("tracing", Some(crate::alert::tracing_subscriber()));
        #[cfg(feature = "tracing")]
        hub.add_warned("warnings", crate::alert::tracing_warnings());
        for callback in self.on_warning {
            hub.add_warned("on_warning", callback);
        }
        for (name, callback) in self.callbacks {
            hub.add(&name, Some(callback));
        }
        if registry.running.is_some() {
            #[cfg(feature = "tracing")]
            hub.add_watchdog("watchdog", crate::alert::tracing_watchdog());
            if let Some(callback) = self.on_running {
                hub.add_watchdog("query_watchdog", callback);
            }
        }
        if limits.any() {
            #[cfg(feature = "tracing")]
            hub.add_found("queries", crate::alert::tracing_findings());
            for callback in self.on_finding {
                hub.add_found("on_query_finding", callback);
            }
        }
        if registry.slow.is_on() {
            #[cfg(feature = "tracing")]
            hub.add_slow("slow_log", crate::alert::tracing_slow_log());
            for callback in self.on_slow {
                hub.add_slow("on_slow", callback);
            }
        }
        let engine = Arc::new(Engine::new(
            registry.clone(),
            hub,
            &settings.budgets,
            &self.watches,
        ));
        let ticker = if self.manual {
            None
        } else {
            Some(start(&engine, tick)?)
        };
        let service = settings.service.unwrap_or_else(|| "service".to_owned());
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
            foreign: self.foreign,
            created,
            offer: self.offer,
            engine,
            tick,
            shelf: Shelf::default(),
            _ticker: ticker,
        };
        Ok(Plimsoll {
            inner: Arc::new(inner),
        })
    }
}

fn start(engine: &Arc<Engine>, tick: Duration) -> Result<Ticker, BuildError> {
    Ticker::start(engine, tick).map_err(|error| {
        BuildError::new(Problem::new(
            "tick",
            format!("has no thread: {error}; or use manual_tick"),
        ))
    })
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("code", &self.code)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
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
            .and_then(|budget| budget.limits.first())
            .map_or(0.001, |limit| limit.1),
    }
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
