//! Requirement tables that many services are held to, ready to be promised.
//!
//! Each function is a table as teams write them down, with its numbers; what it speaks of is given by [`Select`], and
//! gauges of the service's own by their exported names. All are budgets and key figures like any others: change what
//! does not fit.
//!
//! ```
//! use plimsoll::{Plimsoll, Select, tables};
//!
//! let promises = tables::gateway_alerts(Select::http());
//! Plimsoll::builder().budgets(promises).build()?;
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! Every number of them, as they are promised (`over` a window, `for` so long):
//!
#![doc = include_str!("tables/tables.md")]
//!
//! What is one line has no table:
//!
//! | requirement | is |
//! |---|---|
//! | a service available for 99.9 % of a month (43.2 min), 99.95 % (21.6 min), 99.99 % (4.32 min) | [`Slo::availability(..).objective(0.999).rolling(30)`](crate::Slo::availability) |
//! | devices connected for 99.5 % (3.6 h) | [`Slo::device_availability`](crate::Slo::device_availability), by the hour [`Budget::device_availability`] |
//! | recovery within 5 min | [`Budget::recovery`], in [`gateway`] |
//! | DB p50 10/25/50, p95 50/75/100, p99 100/150/250 ms of each statement | [`Budget::db_latency`] |
//! | off-peak 20 % slower | [`off_peak`] as [`Budget::schedule`] |
//! | PERF_API_LATENCY_MS, PERF_DB_QUERY_MS, PERF_ERROR_RATE | [`Builder::from_env`](crate::Builder::from_env) |
//!
//! ```
//! use plimsoll::{Plimsoll, Select, Slo};
//!
//! let slo = |name, objective| Slo::availability(name, Select::http()).objective(objective).rolling(30);
//! let plimsoll = Plimsoll::builder()
//!     .slo(slo("gateway", 0.999))
//!     .slo(slo("api", 0.9995))
//!     .slo(slo("router", 0.9999))
//!     .slo(Slo::device_availability("devices"))
//!     .build()?;
//! let minutes: Vec<f64> = plimsoll.slos().iter().map(|slo| slo.error_budget.minutes).collect();
//! assert_eq!(minutes, [43.2, 21.6, 4.32]);
//! # Ok::<(), plimsoll::BuildError>(())
//! ```

mod platform;
mod services;

pub use platform::{Gauges, platform_alerts, platform_benchmarks, platform_kpis};
pub use services::{
    ServiceTable, cache, database, hook_receiver, messaging, model_metrics, relative, workflow,
};

use std::time::Duration;

use super::{Budget, Hours, Kpi, KpiUnit, Limit, Schedule, Select};
use crate::expr::{Aggregation, Expr, Grouping, Offset, Selector};

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The slowest of so few decide nothing.
const MIN_EVENTS: u64 = 100;

/// A quantile by the minute, as a table has it: `p95` in milliseconds.
fn latency(name: &str, select: &Select, q: f64) -> Budget {
    Budget::quantile(name, select.clone(), q).min_events(MIN_EVENTS)
}

/// An amount that instances have together.
fn gauge(name: &str, family: &str) -> Budget {
    Budget::value(name, Expr::select(Selector::new(family)).sum())
}

/// A share or a delay that each instance has of its own: a sum of them is none.
fn highest(name: &str, family: &str) -> Budget {
    let highest = Expr::select(Selector::new(family));
    Budget::value(
        name,
        highest.aggregate(Aggregation::Max, Grouping::default()),
    )
}

/// The same where less is worse.
fn lowest(name: &str, family: &str) -> Budget {
    let lowest = Expr::select(Selector::new(family));
    let lowest = lowest.aggregate(Aggregation::Min, Grouping::default());
    Budget::value(name, lowest).higher_is_better()
}

/// A latency table: a key figure in milliseconds for each quantile, `{name}-p95` and so on, of target, warning, critical.
fn latencies(name: &str, select: &Select, rows: &[(&str, f64, [f64; 3])]) -> Vec<Kpi> {
    let row = |&(of, q, limits): &(&str, f64, [f64; 3])| {
        let measure = latency(&format!("{name}-{of}"), select, q);
        levels(Kpi::new(measure).unit(KpiUnit::Milliseconds), limits)
    };
    rows.iter().map(row).collect()
}

fn levels(kpi: Kpi, [target, warning, critical]: [f64; 3]) -> Kpi {
    kpi.target(target).warning(warning).critical(critical)
}

/// What a gateway promises: p95 of responses below 500 ms and of API calls below 200 ms, 10,000 requests per second at
/// the peak (while the gauge `peak` is above 0), connecting to a device within 2 s, errors below 0.1 %, 99.99 % of
/// the values of devices accurate, and recovery from a breach within 5 min.
pub fn gateway(responses: Select, api: Select, peak: &str) -> Vec<Budget> {
    let at_peak = Expr::select(Selector::new(peak)).sum().greater(0.0);
    vec![
        latency("response-p95", &responses, 0.95).at_most(500 * MS),
        latency("api-p95", &api, 0.95).at_most(200 * MS),
        Budget::throughput("throughput", responses.clone())
            .at_least(10_000.0)
            .when(at_peak),
        Budget::device_connect("device-connect"),
        Budget::error_ratio("errors", responses).at_most(0.001),
        Budget::device_accuracy("data-accuracy"),
        Budget::recovery("recovery", 5 * MINUTE),
    ]
}

/// A gateway's alerts: `HighResponseTime` (p95 above 500 ms for 2 min), `LowThroughput` (below 100 requests per second for 5
/// min), both warnings, and `HighErrorRate` (above 1 % for 1 min), critical.
pub fn gateway_alerts(requests: Select) -> Vec<Budget> {
    vec![
        Budget::quantile("HighResponseTime", requests.clone(), 0.95)
            .warning(500 * MS)
            .sustained(2 * MINUTE),
        Budget::throughput("LowThroughput", requests.clone())
            .warning(100.0)
            .sustained(5 * MINUTE),
        Budget::error_ratio("HighErrorRate", requests)
            .critical(0.01)
            .sustained(MINUTE),
    ]
}

/// The alerts of an API with a database: `HighAPILatency` and `CriticalAPILatency` (p95 above 100 ms for 5 min, 200 ms for 2
/// min), `SlowDatabaseQueries` and `CriticalDatabaseQueries` (50 ms, 100 ms), `HighErrorRate` and `CriticalErrorRate`
/// (0.1 %, 1 %).
pub fn api_alerts(requests: Select, queries: Select) -> Vec<Budget> {
    let slow = |name: &str, select: &Select| Budget::quantile(name, select.clone(), 0.95);
    let errors = |name: &str| Budget::error_ratio(name, requests.clone());
    let (later, sooner) = (5 * MINUTE, 2 * MINUTE);
    vec![
        slow("HighAPILatency", &requests)
            .warning(100 * MS)
            .sustained(later),
        slow("CriticalAPILatency", &requests)
            .critical(200 * MS)
            .sustained(sooner),
        slow("SlowDatabaseQueries", &queries)
            .warning(50 * MS)
            .sustained(later),
        slow("CriticalDatabaseQueries", &queries)
            .critical(100 * MS)
            .sustained(sooner),
        errors("HighErrorRate").warning(0.001).sustained(later),
        errors("CriticalErrorRate").critical(0.01).sustained(sooner),
    ]
}

/// The key figures of an API with a database:
///
/// | | target | warning | critical |
/// |---|---|---|---|
/// | API p50 / p95 / p99, ms | 50 / 100 / 200 | 75 / 150 / 300 | 150 / 200 / 500 |
/// | DB p50 / p95 / p99, ms | 10 / 50 / 100 | 25 / 75 / 150 | 50 / 100 / 250 |
/// | errors, % | 0.01 | 0.1 | 1 |
pub fn api_kpis(requests: Select, queries: Select) -> Vec<Kpi> {
    let api = [
        ("p50", 0.5, [50.0, 75.0, 150.0]),
        ("p95", 0.95, [100.0, 150.0, 200.0]),
        ("p99", 0.99, [200.0, 300.0, 500.0]),
    ];
    let db = [
        ("p50", 0.5, [10.0, 25.0, 50.0]),
        ("p95", 0.95, [50.0, 75.0, 100.0]),
        ("p99", 0.99, [100.0, 150.0, 250.0]),
    ];
    let errors =
        Kpi::new(Budget::error_ratio("api-errors", requests.clone())).unit(KpiUnit::Percent);
    let mut kpis = latencies("api", &requests, &api);
    kpis.extend(latencies("db", &queries, &db));
    kpis.push(levels(errors, [0.01, 0.1, 1.0]));
    kpis
}

/// The key figures of a router of calls, whose operations are `routing`, `bid` and `compliance`: routing p50 / p95 / p99 at
/// most 0.5 / 0.8 / 1 ms and 99.9 % successful, API 10 / 30 / 50 ms and errors at most 0.1 %, bids at least 100,000 per
/// second at p99 5 ms of which more than 15 % are `accepted` (both counters), compliance checks at p99 2 ms and errors of
/// validation at most 0.01 %, and at least 95 % of `hits` in `hits` and `misses`.
pub fn router_kpis(
    api: Select,
    (hits, misses): (&str, &str),
    (accepted, processed): (&str, &str),
) -> Vec<Kpi> {
    let [routing, bids, compliance] = ["routing", "bid", "compliance"].map(Select::operation);
    let ms = |name: &str, select: &Select, q, target| {
        Kpi::new(latency(name, select, q))
            .unit(KpiUnit::Milliseconds)
            .target(target)
    };
    let percent = |measure, target| Kpi::new(measure).unit(KpiUnit::Percent).target(target);
    let [hits, misses, accepted, processed] =
        [hits, misses, accepted, processed].map(Selector::new);
    let acceptance = Budget::ratio("bid-acceptance", accepted, processed).higher_is_better();
    vec![
        ms("routing-p50", &routing, 0.5, 0.5),
        ms("routing-p95", &routing, 0.95, 0.8),
        ms("routing-p99", &routing, 0.99, 1.0),
        percent(Budget::success_ratio("routing-success", routing), 99.9),
        ms("api-p50", &api, 0.5, 10.0),
        ms("api-p95", &api, 0.95, 30.0),
        ms("api-p99", &api, 0.99, 50.0),
        percent(Budget::error_ratio("api-errors", api), 0.1),
        Kpi::new(Budget::throughput("bids", bids.clone()))
            .unit(KpiUnit::PerSecond)
            .target(100_000.0),
        ms("bid-p99", &bids, 0.99, 5.0),
        percent(acceptance, 15.0),
        ms("compliance-p99", &compliance, 0.99, 2.0),
        percent(Budget::error_ratio("validation-errors", compliance), 0.01),
        percent(Budget::hit_ratio("cache-hits", hits, misses), 95.0),
    ]
}

/// A router's alerts: p99 of routing above 1 ms for 5 min and errors above 1 % for 3 min (critical), fewer than 5 `available`
/// database connections (critical at once), p95 of the API above 40 ms for 10 min and `memory` above 85 % for 15 min
/// (warnings).
pub fn router_alerts(api: Select, available: &str, memory: &str) -> Vec<Budget> {
    let routing = Select::operation("routing");
    let critical = |limit: Limit, minutes| limit.sustained(minutes * MINUTE);
    vec![
        latency("RoutingLatency", &routing, 0.99).critical(critical(MS.into(), 5)),
        Budget::error_ratio("RoutingErrors", routing).critical(critical(0.01.into(), 3)),
        lowest("DatabaseConnections", available).critical(5.0),
        latency("APILatency", &api, 0.95).warning(critical((40 * MS).into(), 10)),
        highest("Memory", memory).warning(critical(85.0.into(), 15)),
    ]
}

/// The exported names of what a router stands on; gauges are in percent but for `lag`.
#[derive(Debug, Clone, Copy)]
pub struct Infrastructure<'a> {
    /// Connections of the database's pool in use.
    pub pool: &'a str,
    /// Replication lag in seconds.
    pub lag: &'a str,
    /// The cache's memory in use.
    pub cache_memory: &'a str,
    /// Counter of entries that the cache evicted.
    pub evicted: &'a str,
    /// Counter of entries that were put into it.
    pub stored: &'a str,
    /// Counter of pods' restarts.
    pub restarts: &'a str,
    /// CPU of the pods in use.
    pub cpu: &'a str,
    /// Memory of the pods in use.
    pub memory: &'a str,
}

/// What a router's infrastructure keeps to: p99 of queries at most 10 ms, of the operation `cache` 1 ms; the pool 80 % used, replication
/// lag 100 ms, the cache's memory 70 %, evictions 0.1 % of what is stored; less than 0.01 restarts of pods per hour, which is
/// none in the latest one; their CPU 60 %, their memory 70 %.
pub fn router_infrastructure(queries: Select, names: &Infrastructure<'_>) -> Vec<Budget> {
    let cache = Select::operation("cache");
    let [evicted, stored, restarts] =
        [names.evicted, names.stored, names.restarts].map(Selector::new);
    let restarted = Expr::increase(restarts, 60 * MINUTE).sum();
    vec![
        latency("db-p99", &queries, 0.99).at_most(10 * MS),
        latency("cache-p99", &cache, 0.99).at_most(MS),
        highest("pool", names.pool).at_most(80.0),
        highest("replication-lag", names.lag).at_most(0.1),
        highest("cache-memory", names.cache_memory).at_most(70.0),
        Budget::ratio("cache-evictions", evicted, stored)
            .at_most(0.001)
            .over(5 * MINUTE),
        Budget::value("pod-restarts", restarted).at_most(0.01),
        highest("pod-cpu", names.cpu).at_most(60.0),
        highest("pod-memory", names.memory).at_most(70.0),
    ]
}

/// Off-peak a service may be 20 % slower than during its business `hours`, at a fixed offset from UTC: for
/// [`Budget::schedule`].
pub fn off_peak(business: Hours, offset: Offset) -> Schedule {
    Schedule::at(offset)
        .period("business", business, 1.0)
        .otherwise("off-peak", 1.2)
}

#[cfg(test)]
mod tests;
