//! What is generated from a declaration, kept as files that people read, and put before the programs that it is for.

mod dashboards;
mod declarations;
mod life;
mod mistakes;
mod programs;
mod requirements;
mod runbook;
mod spec;
mod traffic;

use plimsoll::expr::Dialect;
use plimsoll::generate::{RuleDialect, RuleOptions};

use declarations::small;

/// Everything that is generated, by the name of its file.
fn all() -> Vec<(&'static str, String)> {
    let (ours, sloths) = (
        RuleOptions::new(),
        RuleOptions::new().dialect(RuleDialect::Sloth),
    );
    let small = small();
    vec![
        ("generated-rules.yml", small.rules(ours).to_string()),
        ("generated-sloth.yml", small.rules(sloths).to_string()),
        ("generated-alertmanager.yml", small.alertmanager()),
        ("generated-prometheus.yml", small.prometheus(Dialect::V3)),
        (
            "generated-prometheus-2.42.yml",
            small.prometheus(Dialect::V2_42),
        ),
        ("generated-runbook.md", runbook::in_one(&small)),
    ]
}

#[test]
fn files_are_those_that_were_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots");
    for (name, text) in all() {
        let path = format!("{folder}/{name}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let differing = text
            .lines()
            .zip(kept.lines())
            .find(|lines| lines.0 != lines.1);
        assert_eq!(differing, None, "{path}: BLESS=1 writes it anew");
        assert_eq!(text.len(), kept.len(), "{path}");
    }
}

#[test]
fn the_same_comes_every_time() {
    assert_eq!(all(), all());
}
