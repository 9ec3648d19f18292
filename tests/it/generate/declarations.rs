//! What is generated from.

use std::time::Duration;

use plimsoll::band::{Dynamic, Method};
use plimsoll::generate::{Declaration, Operations};
use plimsoll::{Budget, Builder, Kpi, Plimsoll, Select, Selector, Slo, tables};

use crate::agreement::promises;

const MINUTE: Duration = Duration::from_secs(60);

/// What people write into names although it means something to templates, YAML and PromQL.
pub(super) const ODD: &str = r#"50% of "odd" {{ names }}: 'all' \ #1"#;

fn expecting(builder: Builder, families: &[&str]) -> Builder {
    let families = families.iter();
    families.fold(builder, |builder, name| builder.expect_family(*name))
}

pub(super) fn operations() -> Operations {
    Operations::new()
        .job("api")
        .targets(["10.0.0.1:9100", "[::1]:9100"])
        .runbook_url("https://example.org/runbooks/")
        .dashboard_url("https://grafana.example.org/d/plimsoll?orgId=1")
        .receivers("on-call", "team", "chat: #api")
        .escalation(Duration::ZERO, "on-call")
        .escalation(15 * MINUTE, "team-lead")
        .escalation(30 * MINUTE, "management")
}

/// Every kind of budget and SLO with every option, of `agreement`, and what that cannot replay.
pub(super) fn rich() -> Declaration {
    let mut builder = Plimsoll::builder()
        .service("rich")
        .budgets(promises::budgets());
    for (slo, _) in promises::slos() {
        builder = builder.slo(slo);
    }
    let usual = Slo::availability("usual", Select::http());
    builder = builder
        .slo(usual.objective(0.999).rolling(30))
        .slo(Slo::latency("fast", Select::http(), 200 * Duration::from_millis(1)).objective(0.99))
        .slo(
            Slo::availability("routes", Select::http())
                .per("route")
                .objective(0.99),
        )
        .budget(
            Budget::quantile("learned-p95", Select::http(), 0.95)
                .dynamic(Dynamic::new(Method::HourOfWeek).floor(0.2))
                .over(5 * MINUTE)
                .sustained(5 * MINUTE),
        )
        .budget(
            Budget::throughput("learned-rate", Select::http())
                .dynamic(Dynamic::new(Method::HourOfWeek))
                .per("route")
                .over(5 * MINUTE),
        )
        .budget(Budget::error_ratio(ODD, Select::http()).critical(0.5))
        .budgets(
            Kpi::new(Budget::value(
                "users",
                plimsoll::Expr::select(Selector::new("users")).sum(),
            ))
            .target(100.0)
            .max(10_000.0)
            .budgets(),
        );
    let families = [
        "depth",
        "device_connected",
        "backup_timestamp_seconds",
        "accepted_total",
        "checked_total",
        "refused_total",
        "cache_hits_total",
        "cache_misses_total",
        "users",
    ];
    let declaration = expecting(builder, &families).declaration().unwrap();
    declaration.operations(operations()).unwrap()
}

/// Few enough for its files to be read.
pub(super) fn small() -> Declaration {
    let toml = r#"
        service = "shop"
        expect_families = ["queue_depth"]

        [generate]
        job = "shop"
        targets = ["10.0.0.1:9100", "10.0.0.2:9100"]
        runbook_url = "https://example.org/runbooks"
        dashboard_url = "https://grafana.example.org/d/plimsoll"
        receivers = { page = "on-call", ticket = "team", info = "chat" }
        [[generate.escalation]]
        after = "0m"
        receiver = "on-call"
        [[generate.escalation]]
        after = "15m"
        receiver = "team-lead"

        [[budget]]
        name = "HighAPILatency"
        on = "http"
        quantile = 0.95
        warning = "100ms"
        for = "5m"
        over = "5m"

        [[budget]]
        name = "CriticalErrorRate"
        on = "http"
        sli = "error_ratio"
        critical = { limit = 0.01, clear = 0.005 }
        for = "2m"
        per = "route"

        [[budget]]
        name = "LowThroughput"
        on = "http"
        sli = "throughput"
        at_least = 100

        [[budget]]
        name = "QueueDeep"
        gauge = "queue_depth"
        at_most = 100

        [[slo]]
        name = "api"
        on = "http"
        objective = 0.999
        rolling = 30
    "#;
    Declaration::parse(toml).unwrap()
}

/// The requirement tables, each by itself: some have alerts of the same names.
pub(super) fn of_tables() -> Vec<Declaration> {
    let (http, db) = (Select::http, Select::db);
    let gauges = tables::Gauges {
        cpu: "cpu",
        memory: "memory",
        disk: "disk",
        users: "users",
        bytes: "bytes",
        accuracy: "accuracy",
        satisfaction: "satisfaction",
    };
    let infrastructure = tables::Infrastructure {
        pool: "pool",
        lag: "lag",
        cache_memory: "memory",
        evicted: "evictions_total",
        stored: "stored_total",
        restarts: "restarts_total",
        cpu: "cpu",
        memory: "memory",
    };
    let kpis = |kpis: Vec<Kpi>| kpis.iter().flat_map(Kpi::budgets).collect::<Vec<_>>();
    let jobs = Select::operation("job");
    let target = Duration::from_millis(100);
    [
        ("gateway", tables::gateway(http(), http(), "peak")),
        ("gateway-alerts", tables::gateway_alerts(http())),
        ("api-alerts", tables::api_alerts(http(), db())),
        ("api", kpis(tables::api_kpis(http(), db()))),
        (
            "router",
            kpis(tables::router_kpis(
                http(),
                ("hits_total", "misses_total"),
                ("accepted_total", "bids_total"),
            )),
        ),
        (
            "router-alerts",
            tables::router_alerts(http(), "available", "memory"),
        ),
        (
            "router-infrastructure",
            tables::router_infrastructure(db(), &infrastructure),
        ),
        (
            "platform",
            kpis(tables::platform_kpis(http(), jobs, &gauges)),
        ),
        ("platform-alerts", tables::platform_alerts(http(), &gauges)),
        (
            "platform-benchmarks",
            kpis(tables::platform_benchmarks(
                http(),
                ("hits_total", "misses_total"),
                "connections",
            )),
        ),
        ("hooks", tables::hook_receiver(&http())),
        ("models", tables::model_metrics(&http())),
        ("workflow", tables::workflow(&http(), "concurrent")),
        ("database", tables::database(&db(), "pool", "lag")),
        ("messaging", tables::messaging("lag")),
        (
            "cache",
            tables::cache("memory", ("hits_total", "misses_total"), "evictions_total"),
        ),
        ("relative", tables::relative(&http(), target, "cpu")),
    ]
    .into_iter()
    .map(|(name, budgets)| {
        let families = [
            "peak",
            "cpu",
            "memory",
            "disk",
            "users",
            "bytes",
            "accuracy",
            "satisfaction",
            "accepted_total",
            "bids_total",
            "stored_total",
            "restarts_total",
            "hits_total",
            "misses_total",
            "available",
            "pool",
            "lag",
            "connections",
            "concurrent",
            "evictions_total",
        ];
        let builder = Plimsoll::builder().service(name).budgets(budgets);
        expecting(builder, &families).declaration().unwrap()
    })
    .collect()
}
