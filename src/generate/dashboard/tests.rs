//! The declarations that come with the crate promise what the tables of requirements do.

use std::path::Path;

use crate::budget::{Budget, Kpi, Select, tables};
use crate::generate::Declaration;
use crate::rule::RuleGroup;

fn declaration(name: &str) -> Declaration {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("examples/declarations/{name}.toml"));
    Declaration::read(path).expect(name)
}

/// Alerts by name: conditions, how long they must hold, severities.
fn assert_promises(declaration: &Declaration, tables: impl IntoIterator<Item = Budget>) {
    let kept: Vec<RuleGroup> = declaration.budgets.iter().map(Budget::rule_group).collect();
    for table in tables {
        let group = table.rule_group();
        let same = kept.iter().find(|kept| kept.name == group.name);
        assert_eq!(same, Some(&group), "{}", table.name());
    }
}

fn budgets(kpis: Vec<Kpi>) -> impl Iterator<Item = Budget> {
    kpis.into_iter().flat_map(|kpi| kpi.budgets())
}

#[test]
fn the_gateway_keeps_to_its_tables() {
    let gateway = declaration("gateway");
    assert_promises(&gateway, tables::gateway_alerts(Select::http()));
    let api = Select::http().label("route", "/api/*");
    let promised = tables::gateway(Select::http(), api, "bifrost_peak").into_iter();
    assert_promises(
        &gateway,
        promised.filter(|budget| budget.name().ends_with("p95")),
    );
    let objectives: Vec<_> = gateway
        .slos
        .iter()
        .map(|slo| (slo.name(), slo.objective))
        .collect();
    let expected = [
        ("gateway", Some(0.999)),
        ("api", Some(0.9995)),
        ("device-connectivity", Some(0.995)),
        ("data-accuracy", Some(0.9999)),
    ];
    assert_eq!(objectives, expected);
}

#[test]
fn the_api_keeps_to_its_tables() {
    let api = declaration("api");
    assert_promises(&api, tables::api_alerts(Select::http(), Select::db()));
    assert_promises(
        &api,
        budgets(tables::api_kpis(Select::http(), Select::db())),
    );
    assert_eq!(api.budgets.len(), 13);
}

#[test]
fn the_router_keeps_to_its_tables() {
    let router = declaration("router");
    let (available, memory) = ("database_available_connections", "memory_used_percent");
    assert_promises(
        &router,
        tables::router_alerts(Select::http(), available, memory),
    );
    let cache = ("cache_hits_total", "cache_misses_total");
    let kpis = tables::router_kpis(Select::http(), cache, ("accepted_total", "bids_total"));
    // One counter of bids, told apart by a label, is no two counters.
    let kpis = budgets(kpis);
    assert_promises(
        &router,
        kpis.filter(|budget| budget.name() != "bid-acceptance"),
    );
    let names = tables::Infrastructure {
        pool: "database_pool_used_percent",
        lag: "database_replication_lag_seconds",
        cache_memory: "redis_memory_used_percent",
        evicted: "redis_evictions_total",
        stored: "redis_commands_total",
        restarts: "pod_restarts_total",
        cpu: "pod_cpu_percent",
        memory: "memory_used_percent",
    };
    // CPU is reckoned from the process' own counter.
    let infrastructure = tables::router_infrastructure(Select::db(), &names).into_iter();
    assert_promises(
        &router,
        infrastructure.filter(|budget| budget.name() != "pod-cpu"),
    );
}

#[test]
fn the_board_keeps_to_its_tables() {
    let board = declaration("board");
    let gauges = tables::Gauges {
        cpu: "novacron_cpu_percent",
        memory: "novacron_memory_percent",
        disk: "novacron_disk_percent",
        users: "novacron_users",
        bytes: "novacron_bytes_per_second",
        accuracy: "novacron_accuracy_percent",
        satisfaction: "novacron_satisfaction",
    };
    let jobs = Select::operation("job");
    // Accuracy is reckoned from counters.
    let kpis = budgets(tables::platform_kpis(Select::http(), jobs, &gauges));
    assert_promises(&board, kpis.filter(|budget| budget.name() != "accuracy"));
    assert_promises(&board, tables::platform_alerts(Select::http(), &gauges));
    let cache = ("novacron_cache_hits_total", "novacron_cache_misses_total");
    let connections = "novacron_database_connections_percent";
    let benchmarks = tables::platform_benchmarks(Select::http(), cache, connections);
    assert_promises(&board, budgets(benchmarks));
}

#[test]
fn the_services_keep_to_their_tables() {
    let services = declaration("services");
    let at = |route: &str| Select::http().label("route", route);
    assert_promises(&services, tables::hook_receiver(&at("/hooks/*")));
    assert_promises(&services, tables::model_metrics(&at("/models/*")));
    assert_promises(
        &services,
        tables::workflow(&at("/workflows/*"), "concurrent_workflows"),
    );
    let (pool, lag) = (
        "database_pool_used_percent",
        "database_replication_lag_seconds",
    );
    assert_promises(&services, tables::database(&Select::db(), pool, lag));
    assert_promises(&services, tables::messaging("message_lag"));
    let (hits, evictions) = (
        ("redis_hits_total", "redis_misses_total"),
        "redis_evictions_total",
    );
    assert_promises(
        &services,
        tables::cache("redis_memory_used_percent", hits, evictions),
    );
    let target = std::time::Duration::from_millis(200);
    let relative = tables::relative(&at("/hooks/*"), target, "host_utilisation_percent");
    assert_promises(
        &services,
        relative
            .into_iter()
            .filter(|budget| budget.name() != "relative-errors"),
    );
}

/// What `docs/dashboards.md` shows is a declaration without mistakes.
#[test]
fn the_page_is_right() {
    let page = include_str!("../../../docs/dashboards.md");
    let toml = page
        .split("```toml\n")
        .skip(1)
        .map(|part| part.split("```").next());
    let mut seen = 0;
    for toml in toml.flatten() {
        let declaration = Declaration::parse(toml).expect("a declaration");
        assert_eq!(declaration.dashboards()[0].uid(), "checkout");
        seen += 1;
    }
    assert_eq!(seen, 1);
}
