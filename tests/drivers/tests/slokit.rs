//! slokit, which generates sloth's rules in Rust, as the judge of what is written for it and for sloth.
#![allow(clippy::unwrap_used, reason = "tests")]

use plimsoll::generate::spec::{to_openslo, to_sloth};
use plimsoll::{Expr, Plimsoll, Select, Slo};
use slokit::spec::{SloSpec, Spec, openslo};
use slokit::{MwmbrConfig, Window};

fn slos() -> [Slo; 3] {
    let api = Slo::availability("api", Select::http()).objective(0.999);
    let queries = Slo::availability("queries", Select::db()).objective(0.9995);
    let orders = Slo::availability("orders", Select::operation("order")).objective(0.99);
    [api, queries, orders].map(|slo| slo.rolling(30))
}

fn declaration() -> plimsoll::generate::Declaration {
    let builder = Plimsoll::builder().service("shop");
    let builder = slos()
        .into_iter()
        .fold(builder, |builder, slo| builder.slo(slo));
    builder.declaration().unwrap()
}

/// What slokit makes of an SLO, as conditions in our words: its queries in its windows above its thresholds.
fn conditions(spec: &SloSpec) -> Vec<String> {
    let slo = spec.to_slo(Window::days(30)).unwrap();
    let sli = spec.to_sli().unwrap();
    let windows = MwmbrConfig::sre_default().windows;
    let condition = |window: slokit::AlertWindow| {
        // 0.0144 and not 0.014400000000000013.
        let limit: f64 = format!("{:.9e}", window.threshold(&slo)).parse().unwrap();
        let above = |range| format!("({} > {limit})", sli.error_ratio_expr(range));
        let both = format!("{} and {}", above(window.long), above(window.short));
        Expr::parse(&both).unwrap().to_string()
    };
    windows.into_iter().map(condition).collect()
}

fn own(slo: &Slo) -> Vec<String> {
    let groups = slo.rule_groups();
    groups[0]
        .rules
        .iter()
        .map(|rule| rule.expr.to_string())
        .collect()
}

#[test]
fn slokit_reads_the_spec_of_sloth_and_alerts_for_the_same() {
    let export = to_sloth(&declaration());
    assert_eq!(export.notes, []);
    let spec = Spec::from_yaml(&export.text).unwrap();
    slokit::spec::validate(&spec).unwrap();
    assert_eq!((&*spec.service, spec.slos.len()), ("shop", 3));
    for (read, slo) in spec.slos.iter().zip(slos()) {
        assert_eq!(conditions(read), own(&slo), "{}", slo.name());
    }
    // A group of recordings, of metadata and of alerts for each.
    let rules = slokit::generate::generate_rules(&spec).unwrap();
    assert_eq!(rules.groups.len(), 9);
}

#[test]
fn slokit_reads_openslo_and_alerts_for_the_same() {
    let import = openslo::from_yaml(&to_openslo(&declaration()).text).unwrap();
    let [spec] = &import.specs[..] else {
        panic!("one service")
    };
    assert_eq!((&*spec.service, spec.slos.len()), ("shop", 3));
    for (read, slo) in spec.slos.iter().zip(slos()) {
        assert_eq!(conditions(read), own(&slo), "{}", slo.name());
    }
}
