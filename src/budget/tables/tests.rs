//! Every row of the tables makes an instance.

use super::*;
use crate::budget::Level;
use crate::instance::{Builder, Plimsoll};

/// The gauges and counters that the tables are given.
const FAMILIES: [&str; 20] = [
    "cpu_percent",
    "memory_percent",
    "disk_percent",
    "users",
    "network_bytes",
    "satisfaction",
    "hits_total",
    "misses_total",
    "peak",
    "available",
    "pool",
    "lag",
    "cache_memory",
    "connections",
    "concurrent",
    "messages_behind",
    "evictions_total",
    "utilisation",
    "queue",
    "cpu",
];

const GAUGES: Gauges<'static> = Gauges {
    cpu: "cpu_percent",
    memory: "memory_percent",
    disk: "disk_percent",
    users: "users",
    bytes: "network_bytes",
    satisfaction: "satisfaction",
};

fn of(kpis: Vec<Kpi>) -> Vec<Budget> {
    kpis.iter().flat_map(Kpi::budgets).collect()
}

fn tables() -> Vec<(&'static str, Vec<Budget>)> {
    let (http, db) = (Select::http, Select::db);
    let cache_counters = ("hits_total", "misses_total");
    vec![
        (
            "gateway",
            gateway(http(), http().label("route", "/api/*"), "peak"),
        ),
        ("gateway alerts", gateway_alerts(http())),
        ("api alerts", api_alerts(http(), db())),
        ("api", of(api_kpis(http(), db()))),
        (
            "router",
            of(router_kpis(http(), "hits_total", "misses_total")),
        ),
        (
            "router alerts",
            router_alerts(http(), "available", "memory_percent"),
        ),
        (
            "router infrastructure",
            router_infrastructure(db(), "pool", "lag", "cache_memory"),
        ),
        (
            "platform",
            of(platform_kpis(http(), Select::operation("job"), &GAUGES)),
        ),
        ("platform alerts", platform_alerts(http(), &GAUGES)),
        (
            "platform benchmarks",
            of(platform_benchmarks(http(), cache_counters, "connections")),
        ),
        ("hook receiver", hook_receiver(&http())),
        ("model metrics", model_metrics(&http())),
        ("workflow", workflow(&http(), "concurrent")),
        ("database", database(&db(), "pool", "lag")),
        ("messaging", messaging("messages_behind")),
        (
            "cache",
            cache("cache_memory", cache_counters, "evictions_total"),
        ),
        ("relative", relative(&http(), 200 * MS, "utilisation")),
    ]
}

#[test]
fn every_table_makes_an_instance() {
    for (table, budgets) in tables() {
        let levels: usize = budgets.iter().map(|budget| budget.levels().count()).sum();
        let expect = |builder: Builder, name: &&str| builder.expect_family(*name);
        let builder = FAMILIES.iter().fold(Plimsoll::builder(), expect);
        let built = builder.manual_tick().budgets(budgets.clone()).build();
        let plimsoll = built.unwrap_or_else(|error| panic!("{table}: {error}"));
        plimsoll.tick();
        let of_whole = budgets.iter().filter(|budget| budget.per.is_empty());
        let judged: usize = of_whole.map(|budget| budget.levels().count()).sum();
        assert_eq!(plimsoll.budgets().len(), judged, "{table}");
        assert!(levels >= 3, "{table}");
    }
}

/// What a table says of a budget: its levels with their limits and windows in seconds.
fn says(table: &str, name: &str) -> Vec<(Level, f64, u64, u64)> {
    let tables = tables();
    let (_, budgets) = tables
        .iter()
        .find(|known| known.0 == table)
        .expect("it is there");
    let budget = budgets
        .iter()
        .find(|budget| budget.name == name)
        .expect("it is there");
    let rules = budget.rules(&[].into());
    let rule = |rule: &crate::budget::Rule| {
        let window = budget.window(rule.level).as_secs();
        (rule.level, rule.limit, window, rule.sustained.as_secs())
    };
    rules.iter().map(rule).collect()
}

#[test]
fn the_numbers_are_those_of_the_tables() {
    use Level::{Critical, Target, Warning};
    for (table, name, expected) in [
        (
            "gateway alerts",
            "HighResponseTime",
            vec![(Warning, 0.5, 60, 120)],
        ),
        (
            "gateway alerts",
            "LowThroughput",
            vec![(Warning, 100.0, 60, 300)],
        ),
        (
            "api alerts",
            "CriticalErrorRate",
            vec![(Critical, 0.01, 60, 120)],
        ),
        (
            "api",
            "api-p95",
            vec![
                (Target, 0.1, 60, 0),
                (Warning, 0.15, 60, 0),
                (Critical, 0.2, 60, 0),
            ],
        ),
        (
            "api",
            "db-p99",
            vec![
                (Target, 0.1, 60, 0),
                (Warning, 0.15, 60, 0),
                (Critical, 0.25, 60, 0),
            ],
        ),
        (
            "api",
            "api-errors",
            vec![
                (Target, 0.0001, 60, 0),
                (Warning, 0.001, 60, 0),
                (Critical, 0.01, 60, 0),
            ],
        ),
        ("router", "routing-p95", vec![(Target, 0.0008, 60, 0)]),
        (
            "platform",
            "uptime",
            vec![
                (Target, 0.9999, 60, 0),
                (Warning, 0.999, 60, 0),
                (Critical, 0.99, 60, 0),
            ],
        ),
        ("platform", "requests-min", vec![(Critical, 1000.0, 60, 0)]),
        ("platform", "network", vec![(Target, 100e6, 60, 0)]),
        (
            "platform alerts",
            "Latency",
            vec![(Warning, 1.0, 60, 300), (Critical, 2.0, 60, 120)],
        ),
        (
            "hook receiver",
            "hooks-availability",
            vec![(Target, 0.999, 3600, 0), (Critical, 0.995, 300, 0)],
        ),
        (
            "workflow",
            "workflow-p99",
            vec![(Target, 2.0, 300, 0), (Critical, 5.0, 300, 0)],
        ),
        (
            "relative",
            "relative-p95",
            vec![
                (Target, 0.2, 60, 0),
                (Warning, 0.3, 60, 0),
                (Critical, 0.4, 60, 0),
            ],
        ),
    ] {
        assert_eq!(says(table, name), expected, "{table}: {name}");
    }
}
