//! Thresholds are the limits of the budgets, in the unit of the panel.

use serde_json::{Value, json};

use super::{all, json, panels, shipped};

/// The steps of a panel of a declaration: colours by value.
fn steps(declaration: &str, dashboard: usize, title: &str) -> Value {
    let dashboard = json(&shipped(declaration).dashboards()[dashboard]);
    let panels = panels(&dashboard, false);
    let panel = panels.iter().find(|panel| panel["title"] == title);
    let steps = panel.expect(title)["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array();
    let pairs = steps
        .unwrap()
        .iter()
        .map(|step| json!([step["value"], step["color"]]));
    pairs.collect()
}

#[test]
fn limits_stand_in_the_unit_of_the_panel() {
    let (fine, target, warning, critical) = ("green", "yellow", "orange", "red");
    let expected = [
        (
            "gateway",
            0,
            "Response time",
            json!([[null, fine], [0.5, warning]]),
        ),
        (
            "gateway",
            0,
            "Requests",
            json!([[null, warning], [100.0, fine]]),
        ),
        (
            "gateway",
            0,
            "Error ratio",
            json!([[null, fine], [0.01, critical]]),
        ),
        ("gateway", 1, "CPU", json!([[null, fine], [70.0, target]])),
        (
            "gateway",
            1,
            "Memory",
            json!([[null, fine], [80.0, target]]),
        ),
        (
            "gateway",
            1,
            "Connections",
            json!([[null, fine], [800.0, target]]),
        ),
        (
            "gateway",
            2,
            "Response time",
            json!([[null, fine], [500.0, target]]),
        ),
        (
            "gateway",
            2,
            "Gateway available",
            json!([[null, critical], [0.999, fine]]),
        ),
        (
            "api",
            0,
            "API response time",
            json!([[null, fine], [100.0, warning], [200.0, critical]]),
        ),
        (
            "api",
            0,
            "API p95",
            json!([
                [null, fine],
                [100.0, target],
                [150.0, warning],
                [200.0, critical]
            ]),
        ),
        (
            "api",
            0,
            "Database query time",
            json!([[null, fine], [50.0, warning], [100.0, critical]]),
        ),
        (
            "api",
            0,
            "Error rate",
            json!([
                [null, fine],
                [0.01, target],
                [0.1, warning],
                [1.0, critical]
            ]),
        ),
        (
            "router",
            0,
            "Routing latency",
            json!([[null, fine], [0.8, warning], [1.0, critical]]),
        ),
        (
            "router",
            0,
            "Acceptance",
            json!([[null, target], [0.15, fine]]),
        ),
        (
            "router",
            0,
            "Compliance checks",
            json!([[null, fine], [2.0, target]]),
        ),
        (
            "router",
            0,
            "API response time",
            json!([[null, fine], [40.0, warning]]),
        ),
        (
            "board",
            0,
            "Error rate",
            json!([[null, fine], [0.1, warning], [1.0, critical]]),
        ),
        ("board", 0, "CPU", json!([[null, fine], [70.0, warning]])),
        ("board", 0, "Memory", json!([[null, fine], [80.0, warning]])),
        ("board", 0, "Cache", json!([[null, warning], [0.95, fine]])),
        (
            "board",
            0,
            "Requests",
            json!([
                [null, critical],
                [1000.0, warning],
                [3000.0, target],
                [5000.0, fine]
            ]),
        ),
        (
            "services",
            0,
            "Hook receiver: p95",
            json!([[null, fine], [200.0, target], [500.0, critical]]),
        ),
        (
            "services",
            0,
            "Workflows: errors",
            json!([[null, fine], [0.01, target], [0.05, critical]]),
        ),
        (
            "services",
            0,
            "Messages",
            json!([[null, critical], [5000.0, target], [10000.0, fine]]),
        ),
        (
            "services",
            0,
            "Errors of all",
            json!([[null, fine], [0.01, warning], [0.05, critical]]),
        ),
    ];
    for (declaration, dashboard, title, expected) in expected {
        assert_eq!(
            steps(declaration, dashboard, title),
            expected,
            "{declaration}: {title}"
        );
    }
}

/// The first step is without a value, the others rise.
#[test]
fn steps_are_in_order() {
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        for panel in panels(&dashboard, false) {
            let steps = &panel["fieldConfig"]["defaults"]["thresholds"]["steps"];
            let values = steps
                .as_array()
                .into_iter()
                .flatten()
                .map(|step| step["value"].as_f64());
            let values: Vec<Option<f64>> = values.collect();
            assert!(values.is_sorted(), "{}: {values:?}", panel["title"]);
            assert!(values.iter().skip(1).all(Option::is_some), "{values:?}");
        }
    }
}
