//! What `plimsoll query` shows.

use serde_json::{Value, json};

use super::fake::Series;
use super::{Fake, asked};

/// A process with errors of 2 % where 1 % may be, and half of its error budget left.
fn process(expr: &str) -> Vec<Series> {
    let budget =
        json!({ "budget": "errors", "level": "critical", "job": "shop", "instance": "a:1" });
    let slo = json!({ "slo": "api", "job": "shop", "instance": "a:1" });
    let mut burning = slo.clone();
    burning["window"] = "1h".into();
    match expr {
        "plimsoll_budget_limit{job=\"shop\"}" => vec![(budget, 0.01)],
        "plimsoll_budget_value{job=\"shop\"}" => vec![(budget, 0.02)],
        "plimsoll_slo_objective{job=\"shop\"}" => vec![(slo, 0.999)],
        "plimsoll_slo_error_budget_remaining{job=\"shop\"}" => vec![(slo, 0.5)],
        "plimsoll_slo_burn_rate{job=\"shop\"}" => vec![(burning, 2.5)],
        _ => Vec::new(),
    }
}

/// Prometheus has the rules of the budget and the SLO.
fn loaded() -> Value {
    let rule = |name: &str| json!({ "name": name, "labels": { "job": "shop" }, "health": "ok" });
    json!([{ "name": "rules", "rules": [rule("errors"), rule("api"), rule("api-down")] }])
}

fn with(rules: Value, more: fn(&str) -> Vec<Series>) -> (i32, String) {
    let mut fake = Fake::new().query(move |expr| Ok([process(expr), more(expr)].concat()));
    fake.rules = rules;
    let (code, text, error) = asked("query", &fake.serve(), &[]);
    assert_eq!(error, "");
    (code, text)
}

fn line<'a>(text: &'a str, of: &str) -> Vec<&'a str> {
    let line = text.lines().find(|line| line.starts_with(of));
    line.unwrap_or_else(|| panic!("{text}"))
        .split_whitespace()
        .collect()
}

#[test]
fn states_are_those_of_alerts_where_rules_are_loaded() {
    let (code, text) = with(loaded(), |_| Vec::new());
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        line(&text, "errors"),
        ["errors", "critical", "a:1", "0.02", "0.01", "kept"]
    );
    assert_eq!(
        line(&text, "api"),
        ["api", "a:1", "0.999", "0.5", "1h", "2.5", "kept"]
    );
    let firing = |expr: &str| match expr {
        "ALERTS{job=\"shop\"}" => vec![(
            json!({ "alertname": "errors", "level": "critical", "alertstate": "firing", "scope": "fleet" }),
            1.0,
        )],
        _ => Vec::new(),
    };
    let (code, text) = with(loaded(), firing);
    assert_eq!(code, 1, "{text}");
    assert_eq!(line(&text, "errors")[5], "BREACHED");
    let down = |expr: &str| match expr {
        "ALERTS{job=\"shop\"}" => vec![(
            json!({ "alertname": "api-down", "alertstate": "firing" }),
            1.0,
        )],
        _ => Vec::new(),
    };
    let (code, text) = with(loaded(), down);
    assert_eq!(
        (code, &line(&text, "other alerts")[2..]),
        (1, &["api-down", "BREACHED"][..]),
        "{text}"
    );
}

#[test]
fn without_rules_their_conditions_are_asked() {
    let holds = |expr: &str| match expr.contains("> 0.01)") && !expr.contains("by (") {
        true => vec![(json!({}), 0.02)],
        false => Vec::new(),
    };
    let (code, text) = with(json!([]), holds);
    assert_eq!(code, 1, "{text}");
    assert_eq!(line(&text, "errors")[5], "exceeded");
    assert_eq!(line(&text, "api").last(), Some(&"kept"));
}

#[test]
fn a_spent_error_budget_is_missed_and_nothing_is_no_data() {
    let mut fake = Fake::new().query(|expr| {
        let spent = expr.starts_with("plimsoll_slo_error_budget");
        let series = process(expr).into_iter();
        let series = series.map(|(labels, value)| (labels, if spent { -0.5 } else { value }));
        Ok(series.collect())
    });
    fake.rules = loaded();
    let (code, text, _) = asked("query", &fake.serve(), &["--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (code, &answer["slos"][0]["state"]),
        (1, &"MISSED".into()),
        "{text}"
    );
    assert_eq!(
        answer["slos"][0]["burn_rates"],
        json!([{ "window": "1h", "rate": 2.5 }])
    );
    let mut fake = Fake::new();
    fake.rules = loaded();
    let (code, text, _) = asked("query", &fake.serve(), &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.matches("no data").count() == 2, "{text}");
    assert!(text.ends_with("`plimsoll doctor` says why\n"), "{text}");
}
