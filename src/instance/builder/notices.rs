//! What is told of as it happens: to whom, and above which limits.

use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::alert::{AlertEvent, Callback, Event, EventKind, Hub, Warning};
use crate::registry::{QueryFinding, Registry, RunningQuery, SlowOperation};

/// Who is told.
#[derive(Default)]
pub(super) struct Notices {
    edges: Vec<(String, Callback)>,
    alerts: Vec<Callback<Arc<AlertEvent>>>,
    slow: Vec<Callback<Arc<SlowOperation>>>,
    warnings: Vec<Callback<Warning>>,
    running: Option<Callback<Arc<RunningQuery>>>,
    findings: Vec<Callback<Arc<QueryFinding>>>,
}

impl Notices {
    /// Subscribes everybody, and `tracing` where it is there, to what the registry looks out for.
    pub(super) fn subscribe(self, hub: &Hub, registry: &Registry) {
        #[cfg(feature = "tracing")]
        hub.add("tracing", Some(crate::alert::tracing_subscriber()));
        #[cfg(feature = "tracing")]
        hub.add_warned("warnings", crate::alert::tracing_warnings());
        for callback in self.warnings {
            hub.add_warned("on_warning", callback);
        }
        for (name, callback) in self.edges {
            hub.add(&name, Some(callback));
        }
        for callback in self.alerts {
            hub.add_alerted("on_alert", callback);
        }
        if registry.running.is_some() {
            #[cfg(feature = "tracing")]
            hub.add_watchdog("watchdog", crate::alert::tracing_watchdog());
            if let Some(callback) = self.running {
                hub.add_watchdog("query_watchdog", callback);
            }
        }
        if registry.findings.limits.any() {
            #[cfg(feature = "tracing")]
            hub.add_found("queries", crate::alert::tracing_findings());
            for callback in self.findings {
                hub.add_found("on_query_finding", callback);
            }
        }
        if registry.slow.is_on() {
            #[cfg(feature = "tracing")]
            hub.add_slow("slow_log", crate::alert::tracing_slow_log());
            for callback in self.slow {
                hub.add_slow("on_slow", callback);
            }
        }
    }
}

impl Builder {
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
    /// They go to [`on_slow`](Self::on_slow), to [`Plimsoll::slowest`](crate::Plimsoll::slowest), and with the feature
    /// `tracing` to the target `plimsoll::slow`. The others are counted in `plimsoll_slow_dropped_total`. A period ends with a tick. At most 1000;
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
        self.notices.slow.push(Box::new(move |slow| callback(slow)));
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
        self.notices.running = Some(Box::new(move |query| callback(query)));
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
        self.notices
            .findings
            .push(Box::new(move |found| callback(found)));
        self
    }

    /// Calls `callback` for every [`Warning`], each once, on a thread of its own: a layer that is outside the router, a
    /// budget that matches nothing, a label that loses values. [`Plimsoll::warnings`](crate::Plimsoll::warnings) lists the
    /// same, and with the feature `tracing` they go to the target `plimsoll::setup`.
    pub fn on_warning(mut self, callback: impl Fn(&Warning) + Send + Sync + 'static) -> Self {
        self.notices.warnings.push(Box::new(callback));
        self
    }

    /// Calls `callback` whenever an alert of the [`rules`](Self::rules) begins to be pending, fires, or is over, on a thread
    /// of its own. It may block or panic: nobody else notices; whoever falls behind is told the last of each alert at least.
    pub fn on_alert(mut self, callback: impl Fn(&AlertEvent) + Send + Sync + 'static) -> Self {
        let callback = move |alert: &Arc<AlertEvent>| callback(alert);
        self.notices.alerts.push(Box::new(callback));
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
        self.notices.edges.push((name.into(), Box::new(callback)));
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

    /// Events a subscriber's queue holds before it drops stale ones; [`QUEUE_CAPACITY`](crate::QUEUE_CAPACITY) by default.
    pub fn queue_capacity(mut self, events: usize) -> Self {
        self.queue_capacity = Some(events);
        self
    }
}
