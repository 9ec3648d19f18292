//! Every row of the tables makes an instance.

use super::super::limit::tidy;
use super::*;
use crate::budget::{Level, Sli};
use crate::instance::{Builder, Plimsoll};

/// The gauges and counters that the tables are given.
const FAMILIES: [&str; 26] = [
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
    "accuracy",
    "stored_total",
    "restarts_total",
    "pod_cpu",
    "pod_memory",
    "accepted_total",
];

const GAUGES: Gauges<'static> = Gauges {
    cpu: "cpu_percent",
    memory: "memory_percent",
    disk: "disk_percent",
    users: "users",
    bytes: "network_bytes",
    accuracy: "accuracy",
    satisfaction: "satisfaction",
};

const INFRASTRUCTURE: Infrastructure<'static> = Infrastructure {
    pool: "pool",
    lag: "lag",
    cache_memory: "cache_memory",
    evicted: "evictions_total",
    stored: "stored_total",
    restarts: "restarts_total",
    cpu: "pod_cpu",
    memory: "pod_memory",
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
        ("gateway_alerts", gateway_alerts(http())),
        ("api_alerts", api_alerts(http(), db())),
        ("api_kpis", of(api_kpis(http(), db()))),
        (
            "router_kpis",
            of(router_kpis(
                http(),
                cache_counters,
                ("accepted_total", "stored_total"),
            )),
        ),
        (
            "router_alerts",
            router_alerts(http(), "available", "memory_percent"),
        ),
        (
            "router_infrastructure",
            router_infrastructure(db(), &INFRASTRUCTURE),
        ),
        (
            "platform_kpis",
            of(platform_kpis(http(), Select::operation("job"), &GAUGES)),
        ),
        ("platform_alerts", platform_alerts(http(), &GAUGES)),
        (
            "platform_benchmarks",
            of(platform_benchmarks(http(), cache_counters, "connections")),
        ),
        ("hook_receiver", hook_receiver(&http())),
        ("model_metrics", model_metrics(&http())),
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
            "gateway_alerts",
            "HighResponseTime",
            vec![(Warning, 0.5, 60, 120)],
        ),
        (
            "gateway_alerts",
            "LowThroughput",
            vec![(Warning, 100.0, 60, 300)],
        ),
        (
            "api_alerts",
            "CriticalErrorRate",
            vec![(Critical, 0.01, 60, 120)],
        ),
        (
            "api_kpis",
            "api-p95",
            vec![
                (Target, 0.1, 60, 0),
                (Warning, 0.15, 60, 0),
                (Critical, 0.2, 60, 0),
            ],
        ),
        (
            "api_kpis",
            "db-p99",
            vec![
                (Target, 0.1, 60, 0),
                (Warning, 0.15, 60, 0),
                (Critical, 0.25, 60, 0),
            ],
        ),
        (
            "api_kpis",
            "api-errors",
            vec![
                (Target, 0.0001, 60, 0),
                (Warning, 0.001, 60, 0),
                (Critical, 0.01, 60, 0),
            ],
        ),
        ("router_kpis", "routing-p95", vec![(Target, 0.0008, 60, 0)]),
        (
            "platform_kpis",
            "uptime",
            vec![
                (Target, 0.9999, 60, 0),
                (Warning, 0.999, 60, 0),
                (Critical, 0.99, 60, 0),
            ],
        ),
        (
            "platform_kpis",
            "requests-min",
            vec![(Critical, 1000.0, 60, 0)],
        ),
        ("platform_kpis", "network", vec![(Target, 100e6, 60, 0)]),
        (
            "platform_alerts",
            "Latency",
            vec![(Warning, 1.0, 60, 300), (Critical, 2.0, 60, 120)],
        ),
        (
            "hook_receiver",
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

/// In `tables.md` stands every number; `BLESS=1` writes it there, and somebody holds it against what is required.
#[test]
fn the_page_has_every_number() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/budget/tables/tables.md");
    let mut page =
        "| table | budget | of | target | warning | critical |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (table, budgets) in tables() {
        budgets
            .iter()
            .for_each(|budget| page += &row(table, budget));
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &page).expect("it can be written");
    }
    let stands = std::fs::read_to_string(path).expect("it is there");
    for (stands, is) in stands.lines().zip(page.lines()) {
        assert_eq!(stands, is, "run with BLESS=1 and look at what changed");
    }
    assert_eq!(stands.len(), page.len());
}

fn row(table: &str, budget: &Budget) -> String {
    let rules = budget.rules(&[].into());
    let cell = |level| {
        let rule = rules.iter().find(|rule| rule.level == level);
        rule.map_or("–".to_owned(), |rule| limit(budget, rule))
    };
    let levels = [Level::Target, Level::Warning, Level::Critical].map(cell);
    let (name, of) = (&budget.name, of_what(&budget.sli));
    format!("| [`{table}`] | {name} | {of} | {} |\n", levels.join(" | "))
}

fn of_what(sli: &Sli) -> String {
    match sli {
        Sli::Quantile(_, q) => format!("p{}", q * 100.0),
        Sli::ErrorRatio(_) => "failed".to_owned(),
        Sli::SuccessRatio(_) => "not failed".to_owned(),
        Sli::Throughput(_) => "per second".to_owned(),
        Sli::Ratio(..) => "share".to_owned(),
        _ => "value".to_owned(),
    }
}

/// `≤ 500 ms over 1m for 2m`
fn limit(budget: &Budget, rule: &crate::budget::Rule) -> String {
    let number = match budget.sli {
        Sli::Quantile(..) if rule.limit < 1.0 => format!("{} ms", tidy(rule.limit * 1e3)),
        Sli::Quantile(..) => format!("{} s", rule.limit),
        Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..) => {
            format!("{} %", tidy(rule.limit * 100.0))
        }
        _ => rule.limit.to_string(),
    };
    let side = if budget.floor { '≥' } else { '≤' };
    let mut text = format!("{side} {number}");
    if !matches!(budget.sli, Sli::Value(_)) {
        text += &format!(" over {}", humantime(budget.window(rule.level)));
    }
    if !rule.sustained.is_zero() {
        text += &format!(" for {}", humantime(rule.sustained));
    }
    text
}

/// Whole minutes, or hours.
fn humantime(duration: Duration) -> String {
    match duration.as_secs() / 60 {
        minutes if minutes.is_multiple_of(60) => format!("{}h", minutes / 60),
        minutes => format!("{minutes}m"),
    }
}
