//! What `plimsoll verify` makes of answers.

use serde_json::{Value, json};

use super::{Fake, asked};

/// Every label that a legend of the pages names.
fn labels() -> Value {
    json!({ "budget": "errors", "level": "critical", "slo": "api", "window": "5m" })
}

#[test]
fn all_that_returns_something_is_green() {
    let url = Fake::new().query(|_| Ok(vec![(labels(), 1.0)])).serve();
    let (code, table, _) = asked("verify", &url, &[]);
    assert_eq!(code, 0, "{table}");
    assert!(
        table.contains("shop-slo-detail") && table.contains("Burn rates of api: A"),
        "{table}"
    );
    for line in table.lines().filter(|line| line.starts_with("shop-")) {
        assert!(line.contains("  green  "), "{line}");
    }
    let counted = table.lines().filter(|line| line.ends_with("are green"));
    assert!(counted.count() == 2, "{table}");
}

#[test]
fn nothing_no_number_and_no_label_are_told_apart() {
    let url = Fake::new()
        .query(|expr| match expr {
            _ if expr.contains("coverage") => Ok(Vec::new()),
            _ if expr.contains("objective") => Ok(vec![(labels(), f64::NAN)]),
            _ if expr.contains("burn_rate") => Ok(vec![(json!({ "slo": "api" }), 1.0)]),
            _ if expr.contains("remaining") => Err("too many \"samples\"".to_owned()),
            _ => Ok(vec![(labels(), 0.0)]),
        })
        .serve();
    let (code, text, _) = asked("verify", &url, &["--json"]);
    assert_eq!(code, 1, "{text}");
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    for (panel, answer, note) in [
        ("Coverage: A", "empty", ""),
        ("Objectives: A", "NaN", "1 of 1 series"),
        ("Burn rates: A", "unnamed", "lacks the label window"),
        ("Error budgets: A", "error", "too many \"samples\""),
        ("States: A", "green", "1 series"),
    ] {
        let one = all
            .iter()
            .find(|one| one["name"] == panel)
            .unwrap_or_else(|| panic!("{panel}: {text}"));
        assert_eq!(one["answer"], answer, "{one}");
        assert!(one["note"].as_str().unwrap().contains(note), "{one}");
    }
}

#[test]
fn an_alert_is_quiet_while_what_it_reads_is_there() {
    let kept = |expr: &str| expr.starts_with("count(") || !expr.contains(" > ");
    let url = Fake::new()
        .query(move |expr| Ok(kept(expr).then(|| (labels(), 1.0)).into_iter().collect()))
        .serve();
    let (code, table, _) = asked("verify", &url, &[]);
    assert_eq!(code, 0, "{table}");
    let url = Fake::new()
        .query(|expr| {
            Ok(match expr.starts_with("count(plimsoll_sli_bad_total") {
                true => Vec::new(),
                false => vec![(labels(), 1.0)],
            })
        })
        .serve();
    let (code, table, _) = asked("verify", &url, &[]);
    assert_eq!(code, 1, "{table}");
    let silent = table.lines().find(|line| line.contains("errors critical"));
    assert!(
        silent.is_some_and(|line| line.contains("no series of plimsoll_sli_bad_total")),
        "{table}"
    );
}

#[test]
fn only_rules_of_the_scope_are_run() {
    let questions = |scope: &str| {
        let url = Fake::new().query(|_| Ok(vec![(labels(), 1.0)])).serve();
        let (_, text, _) = asked("verify", &url, &["--json", "--scope", scope]);
        serde_json::from_str::<Vec<Value>>(&text).unwrap().len()
    };
    let (instance, fleet, both) = (questions("instance"), questions("fleet"), questions("both"));
    assert!(instance < both && fleet < both, "{instance} {fleet} {both}");
}
