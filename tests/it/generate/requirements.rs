//! The declarations that come with the crate against the requirement tables, which are kept by hand in `requirements.md`.

use std::collections::BTreeSet;

use plimsoll::generate::{Declaration, RuleOptions};
use plimsoll::rule::{AlertRule, Rule, RuleKind};

use super::dashboards::{SHIPPED, panels, shipped};

const ASKED: &str = include_str!("requirements.md");

/// The rows that are asked of a declaration.
fn asked(declaration: &str) -> BTreeSet<String> {
    let sections = ASKED.split("\n## ").skip(1);
    let mut section = sections.filter(|section| section.starts_with(&format!("{declaration}\n")));
    let rows = section.next().expect(declaration).lines();
    let rows = rows.filter(|line| line.starts_with("| ")).skip(1);
    rows.map(str::to_owned).collect()
}

/// The alerts of budgets over the whole fleet, with those of each instance the same.
fn alerts(declaration: &Declaration) -> Vec<(Rule, AlertRule)> {
    let groups = declaration.rules(RuleOptions::new()).into_groups();
    let rules = groups.into_iter().flat_map(|group| group.rules);
    let alerts = rules.filter_map(|rule| match &rule.kind {
        RuleKind::Alert(alert) => Some((rule.clone(), alert.clone())),
        _ => None,
    });
    alerts
        .filter(|(rule, _)| !rule.labels.get("budget").is_empty())
        .collect()
}

/// What a rule is, as a row: limit and window as its runbook says them.
fn row(runbook: &[(String, String)], rule: &Rule, alert: &AlertRule) -> String {
    let severity = rule.labels.get("severity");
    let path = format!("{}/README.md", alert.name);
    let page = &runbook.iter().find(|page| page.0 == path).unwrap().1;
    let begins = format!("| fleet | {severity} | ");
    let said = page.lines().find(|line| line.starts_with(&begins)).unwrap();
    let cells: Vec<&str> = said.split(" | ").collect();
    let [limit, window] = [cells[2], cells[4]];
    let sustained = match alert.sustained.as_secs() {
        0 => "0s".to_owned(),
        seconds => format!("{}m", seconds / 60),
    };
    format!(
        "| {} | {severity} | {limit} | {window} | {sustained} |",
        alert.name
    )
}

#[test]
fn every_alert_is_as_the_tables_ask() {
    for name in SHIPPED {
        let declaration = shipped(name);
        let runbook = declaration.runbook();
        for scope in ["fleet", "instance"] {
            let alerts = alerts(&declaration).into_iter();
            let alerts = alerts.filter(|(rule, _)| rule.labels.get("scope") == scope);
            let generated: BTreeSet<String> = alerts
                .map(|(rule, alert)| row(&runbook, &rule, &alert))
                .collect();
            let asked = asked(name);
            let lacking: Vec<_> = asked.difference(&generated).collect();
            let surplus: Vec<_> = generated.difference(&asked).collect();
            assert!(
                lacking.is_empty() && surplus.is_empty(),
                "{name}, {scope}: lacking {lacking:#?}, not asked for {surplus:#?}"
            );
        }
    }
}

/// Percentages and delays of several instances are not added up.
#[test]
fn shares_and_delays_are_no_sums_over_instances() {
    let mut seen = 0;
    for name in SHIPPED {
        for (rule, _) in alerts(&shipped(name)) {
            let condition = rule.expr.to_string();
            let of_each = ["_percent", "lag_seconds", "cpu_seconds", "resident_memory"];
            if of_each.iter().any(|part| condition.contains(part)) {
                assert!(condition.contains("max"), "{name}: {condition}");
                assert!(!condition.contains("sum"), "{name}: {condition}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "{seen}");
}

/// Each dashboard that is asked for: uid, titles of its rows and panels.
#[test]
fn dashboards_have_the_panels_that_the_tables_ask_for() {
    let api = &shipped("api").dashboards()[0];
    assert_eq!(api.uid(), "azora-performance");
    let shown = |declaration: &str, nth: usize| {
        let json = super::dashboards::json(&shipped(declaration).dashboards()[nth]);
        let all = panels(&json, true).into_iter();
        let titles = all.map(|panel| match panel["type"] == "row" {
            true => format!("# {}", panel["title"].as_str().unwrap()),
            false => panel["title"].as_str().unwrap().to_owned(),
        });
        titles.collect::<Vec<_>>()
    };
    assert_eq!(
        shown("api", 0),
        [
            "API response time",
            "API p95",
            "Database query time",
            "Error rate",
            "Throughput by status",
            "Slow requests",
            "Slow queries",
        ]
    );
    assert_eq!(
        shown("board", 0),
        [
            "# Requests",
            "Requests",
            "Response time",
            "Error rate",
            "# Resources",
            "CPU",
            "Memory",
            "Network",
            "# Behind them",
            "Database",
            "Cache",
            "Queues",
        ]
    );
    let rows = |declaration: &str, nth: usize| {
        let mut titles = shown(declaration, nth);
        titles.retain(|title| title.starts_with("# "));
        titles
    };
    assert_eq!(rows("gateway", 0), ["# Health", "# Requests", "# Devices"]);
    assert_eq!(
        rows("gateway", 1),
        ["# Against the limits", "# Process", "# Connection pools"]
    );
    assert_eq!(
        rows("gateway", 2),
        ["# Availability", "# Error budgets", "# Performance"]
    );
    assert_eq!(
        rows("router", 0),
        [
            "# Calls",
            "# Routing",
            "# Bids and compliance",
            "# API, database, cache"
        ]
    );
    assert_eq!(
        rows("services", 0),
        [
            "# Overview",
            "# Services",
            "# Infrastructure",
            "# Resources"
        ]
    );
}
