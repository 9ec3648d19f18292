//! The tables of a whole platform, most of them of gauges.

use super::{MINUTE, MS, gauge, highest, latencies, levels, lowest};
use crate::budget::{Budget, Kpi, KpiUnit, Limit, Select};
use crate::expr::Selector;

/// The exported names of a platform's gauges, in percent but for `users`, `bytes` and `satisfaction`.
#[derive(Debug, Clone, Copy)]
pub struct Gauges<'a> {
    /// CPU in use.
    pub cpu: &'a str,
    /// Memory in use.
    pub memory: &'a str,
    /// Disk in use.
    pub disk: &'a str,
    /// Users at the same time.
    pub users: &'a str,
    /// Bytes per second.
    pub bytes: &'a str,
    /// Results that are accurate.
    pub accuracy: &'a str,
    /// Users' satisfaction, from 1 to 5.
    pub satisfaction: &'a str,
}

/// A platform's key figures: p50 50/100/200, p95 200/500/1000, p99 500/1000/2000 ms; at least 1,000 and better 5,000 requests per
/// second; at most 10,000 users; 100 MB/s; uptime 99.99/99.9/99.0 %; errors 0.01/0.1/1.0 %; CPU 50/70/85, memory
/// 60/75/90, disk 60/80/95 %; completion 99.5 %, accuracy 99.9 % and satisfaction 4.5.
///
/// Higher is better for uptime, throughput, network, completion, accuracy and satisfaction.
pub fn platform_kpis(requests: Select, jobs: Select, gauges: &Gauges<'_>) -> Vec<Kpi> {
    let rows = [
        ("p50", 0.5, [50.0, 100.0, 200.0]),
        ("p95", 0.95, [200.0, 500.0, 1000.0]),
        ("p99", 0.99, [500.0, 1000.0, 2000.0]),
    ];
    let percent = |measure| Kpi::new(measure).unit(KpiUnit::Percent);
    let used = |name, family| Kpi::new(highest(name, family)).unit(KpiUnit::PercentGauge);
    let mut kpis = latencies("response", &requests, &rows);
    kpis.extend([
        Kpi::new(Budget::throughput("requests", requests.clone()))
            .unit(KpiUnit::PerSecond)
            .target(5000.0)
            .min(1000.0),
        Kpi::new(gauge("users", gauges.users)).max(10_000.0),
        Kpi::new(gauge("network", gauges.bytes).higher_is_better())
            .unit(KpiUnit::MegabytesPerSecond)
            .target(100.0),
        levels(
            percent(Budget::success_ratio("uptime", requests.clone())),
            [99.99, 99.9, 99.0],
        ),
        levels(
            percent(Budget::error_ratio("errors", requests)),
            [0.01, 0.1, 1.0],
        ),
        levels(used("cpu", gauges.cpu), [50.0, 70.0, 85.0]),
        levels(used("memory", gauges.memory), [60.0, 75.0, 90.0]),
        levels(used("disk", gauges.disk), [60.0, 80.0, 95.0]),
        percent(Budget::success_ratio("completion", jobs)).target(99.5),
        Kpi::new(lowest("accuracy", gauges.accuracy))
            .unit(KpiUnit::PercentGauge)
            .target(99.9),
        Kpi::new(lowest("satisfaction", gauges.satisfaction)).target(4.5),
    ]);
    kpis
}

/// A platform's alerts: p99 above 1 s for 5 min and above 2 s for 2 min, errors above 1 % for 3 min and above 5 % for 1 min, CPU above
/// 80 % for 10 min, memory above 90 % for 5 min.
pub fn platform_alerts(requests: Select, gauges: &Gauges<'_>) -> Vec<Budget> {
    let lasting = |limit: Limit, minutes| limit.sustained(minutes * MINUTE);
    vec![
        Budget::quantile("Latency", requests.clone(), 0.99)
            .warning(lasting((1000 * MS).into(), 5))
            .critical(lasting((2000 * MS).into(), 2)),
        Budget::error_ratio("ErrorRate", requests)
            .warning(lasting(0.01.into(), 3))
            .critical(lasting(0.05.into(), 1)),
        highest("CPU", gauges.cpu).warning(lasting(80.0.into(), 10)),
        highest("Memory", gauges.memory).critical(lasting(90.0.into(), 5)),
    ]
}

/// A platform's benchmarks: more than 95/90/80 % of `hits` in `hits` and `misses`, at most 60/80/90 % of the database's
/// `connections` (a gauge in percent), more than 5000/3000/1000 requests per second.
pub fn platform_benchmarks(
    requests: Select,
    (hits, misses): (&str, &str),
    connections: &str,
) -> Vec<Kpi> {
    let [hits, misses] = [hits, misses].map(Selector::new);
    let cache = Kpi::new(Budget::hit_ratio("cache", hits, misses)).unit(KpiUnit::Percent);
    let used = Kpi::new(highest("connections", connections)).unit(KpiUnit::PercentGauge);
    let rate = Kpi::new(Budget::throughput("throughput", requests)).unit(KpiUnit::PerSecond);
    vec![
        levels(cache, [95.0, 90.0, 80.0]),
        levels(used, [60.0, 80.0, 90.0]),
        levels(rate, [5000.0, 3000.0, 1000.0]),
    ]
}
