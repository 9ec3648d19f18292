//! What the page about SLOs shows.

use std::time::Duration;

use plimsoll::{Plimsoll, Select, Slo};

/// The blocks of a language on the page about SLOs.
fn blocks(language: &str) -> Vec<&'static str> {
    let page = include_str!("../../../docs/slos.md");
    let begin = format!("```{language}\n");
    let blocks = page.split(&*begin).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().trim_end())
        .collect()
}

#[test]
fn the_page_says_what_is_there() {
    let toml = blocks("toml").join("\n\n");
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .toml(&toml)
        .build()
        .unwrap();
    let names: Vec<_> = plimsoll.slos().into_iter().map(|slo| slo.slo).collect();
    let expected = [
        "api",
        "accuracy",
        "line-up",
        "line-up-slices",
        "queue-short",
        "refusals",
        "orders",
        "payments",
        "reports",
        "backed-up",
        "shop",
        "shop-mean",
    ];
    assert_eq!(names, expected, "api-fast has no route yet");
    let month = &plimsoll.slos()[2];
    assert_eq!(
        (&*month.period.name, month.objective),
        ("calendar month", 0.995)
    );
    let api = Slo::availability("api", Select::http().except("route", "/health*"))
        .objective(0.999)
        .rolling(30);
    let hours = Duration::from_secs(6 * 3600);
    let burn = plimsoll::BurnAlert::new(plimsoll::Severity::Page, 0.05, hours);
    let reports = Slo::availability("reports", Select::operation("report"));
    let reports = reports
        .objective(0.99)
        .confidence(0.95)
        .min_events(20)
        .burn_alerts([burn]);
    let printed = [api, reports].map(|slo| slo.rule_groups()[0].rules[0].expr.to_string());
    assert_eq!(printed[..], blocks("promql"));
}
