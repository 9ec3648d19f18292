//! What promtool and amtool say of the files as they are.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll::expr::Dialect;
use plimsoll::generate::{Declaration, RuleDialect, RuleOptions};
use plimsoll::rule::RuleKind;

use super::dashboards::{SHIPPED, shipped};
use super::declarations::{of_tables, operations, rich};
use crate::promql::promtool::{Folder, versions};

fn declarations() -> Vec<Declaration> {
    let mut all = of_tables();
    all.push(rich());
    all.extend(SHIPPED.map(shipped));
    all
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn promtool_takes_all_rules() {
    for (promtool, _) in versions() {
        for declaration in declarations() {
            for dialect in [RuleDialect::Plimsoll, RuleDialect::Sloth] {
                let folder = Folder::new();
                let rules = declaration.rules(RuleOptions::new().dialect(dialect));
                folder.write("rules.yml", &rules.to_string());
                let (fine, said) = folder.run(&promtool, &["check", "rules", "rules.yml"]);
                assert!(fine && !said.contains("FAILED"), "{promtool:?}: {said}");
            }
        }
    }
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn promtool_takes_the_configuration_of_its_version() {
    for (promtool, version) in versions() {
        for declaration in declarations() {
            let folder = Folder::new();
            folder.write(
                "rules.yml",
                &declaration.rules(RuleOptions::new()).to_string(),
            );
            folder.write("prometheus.yml", &declaration.prometheus(version));
            let (fine, said) = folder.run(&promtool, &["check", "config", "prometheus.yml"]);
            assert!(fine, "{promtool:?}: {said}");
        }
        // Each name is known to one version only.
        let other = match version {
            Dialect::V3 => Dialect::V2_53,
            _ => Dialect::V3,
        };
        let folder = Folder::new();
        folder.write("rules.yml", "groups: []\n");
        folder.write("prometheus.yml", &rich().prometheus(other));
        let (fine, _) = folder.run(&promtool, &["check", "config", "prometheus.yml"]);
        assert!(!fine, "{promtool:?} takes that of {other:?}");
    }
}

#[test]
#[ignore = "needs amtool: tests/run"]
fn amtool_takes_the_configuration_as_it_is() {
    for declaration in declarations() {
        let folder = Folder::new();
        folder.write("alertmanager.yml", &declaration.alertmanager());
        let (fine, said) = folder.run(Path::new("amtool"), &["check-config", "alertmanager.yml"]);
        assert!(fine, "{said}");
    }
}

/// Who is to be told of an alert, by its labels.
fn expected(severity: &str, escalation: &str) -> &'static str {
    match (severity, escalation) {
        ("critical" | "page", "l1") => "on-call",
        ("critical" | "page", "l2") => "team-lead",
        ("critical" | "page", "l3") => "management",
        ("warning" | "ticket", "") => "team",
        ("info", "") => "chat: #api",
        other => panic!("no alert has these: {other:?}"),
    }
}

#[test]
#[ignore = "needs amtool: tests/run"]
fn amtool_routes_every_alert() {
    let mut seen = BTreeSet::new();
    let mut routed = 0;
    for dialect in [RuleDialect::Plimsoll, RuleDialect::Sloth] {
        routed += routes(&rich(), dialect, &mut seen);
    }
    assert!(routed > 300 && seen.len() == 5, "{routed} {seen:?}");
}

#[test]
#[ignore = "needs amtool: tests/run"]
fn amtool_routes_every_alert_that_comes_with_the_crate() {
    for name in SHIPPED {
        let declaration = shipped(name).operations(operations()).unwrap();
        let routed = routes(&declaration, RuleDialect::Plimsoll, &mut BTreeSet::new());
        assert!(routed >= 26, "{name}: {routed}");
    }
}

/// How many alerts there are, each of which reaches whom it is for; who that is comes into `seen`.
fn routes(
    declaration: &Declaration,
    dialect: RuleDialect,
    seen: &mut BTreeSet<&'static str>,
) -> usize {
    let folder = Folder::new();
    folder.write("alertmanager.yml", &declaration.alertmanager());
    let file = declaration.rules(RuleOptions::new().dialect(dialect));
    let rules = file.groups().iter().flat_map(|group| &group.rules);
    let alerts = rules.filter_map(|rule| match &rule.kind {
        RuleKind::Alert(alert) => Some((rule, alert)),
        _ => None,
    });
    let mut routed = 0;
    for (rule, alert) in alerts {
        let labels = rule.labels.iter().chain([("alertname", &*alert.name)]);
        let labels: Vec<String> = labels
            .map(|(key, value)| format!("{key}={}", serde_json::to_string(value).unwrap()))
            .collect();
        let receiver = expected(rule.labels.get("severity"), rule.labels.get("escalation"));
        let verify = format!("--verify.receivers={receiver}");
        let mut arguments = vec![
            "config",
            "routes",
            "test",
            "--config.file=alertmanager.yml",
            &verify,
        ];
        arguments.extend(labels.iter().map(String::as_str));
        let (fine, said) = folder.run(Path::new("amtool"), &arguments);
        assert!(fine, "{labels:?}: {said}");
        routed += 1;
        seen.insert(receiver);
    }
    routed
}
