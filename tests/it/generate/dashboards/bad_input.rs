//! Every mistake is found at once and named.

use plimsoll::generate::{Dashboard, Declaration, Panel};

fn problems(toml: &str) -> Vec<String> {
    let error = Declaration::parse(toml).unwrap_err();
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn all_mistakes_of_a_file_are_named() {
    let found = problems(
        r#"
[[budget]]
name = "errors"
on = "http"
sli = "error_ratio"
at_most = 0.01

[[budget]]
name = "enough"
on = "http"
sli = "success_ratio"
at_least = 0.9

[[dashboard]]
uid = "shop"
title = "Shop"
colour = "red"
[[dashboard.row]]
title = "Requests"
[[dashboard.row.panel]]
title = "A"
kind = "pie"
budget = "eror"
[[dashboard.row.panel]]
title = "B"
description = "."
unit = "furlongs"
queries = [{ expr = "rate(hits_total)" }]
[[dashboard.row.panel]]
title = "C"
unit = "reqps"
budget = "errors"
[[dashboard.row.panel]]
title = "D"
description = "."
slo = "api"
width = 25
[[dashboard.row.panel]]
title = "E"
[[dashboard.row.panel]]
title = "F"
description = "."
family = "hits_seconds"
quantiles = [95]
[[dashboard.row.panel]]
title = "G"
budget = ["errors", "enough"]
[[dashboard.row.panel]]
title = "H"
quantiles = [0.5]
[[dashboard.row.panel]]
title = "I"
description = "."
unit = "bytes"
family = "hits_seconds"
quantiles = [0.5]

[[dashboard]]
uid = "shop"

[[dashboard]]
uid = "service-budgets"
title = "Ours"
[[dashboard.panel]]
title = "T"
kind = "text"

[[dashboard]]
uid = "much too long to be a uid of a dashboard in Grafana"
title = "Long"
[[dashboard.panel]]
title = "C"
budget = "errors"
"#,
    );
    let panel = |title: &str| format!("dashboard \"shop\": panel {title:?}: ");
    let expected = [
        "dashboard \"shop\": colour is not a known key".to_owned(),
        "dashboard \"shop\": row \"Requests\": panel \"A\": kind \"pie\" is not one: choose one of timeseries".to_owned(),
        panel("A") + "budget \"eror\" is not declared: choose one of errors, enough",
        panel("B") + "unit \"furlongs\" is not one",
        panel("B") + "queries",
        panel("C") + "budget \"reqps\" does not fit budget \"errors\", whose limits are in percentunit",
        panel("D") + "slo \"api\" is not declared: there is no slo",
        panel("D") + "width is not between 1 and 24",
        panel("E") + "queries is missing",
        panel("F") + "quantiles 95 is not between 0 and 1",
        panel("G") + "budget cannot show budget \"enough\"",
        "dashboard \"shop\": row \"Requests\": panel \"H\": family is missing".to_owned(),
        panel("I") + "unit \"bytes\" does not fit \"hits_seconds\", which is in s",
        "dashboard \"shop\": uid is that of another dashboard".to_owned(),
        "dashboard \"shop\": title is missing".to_owned(),
        "dashboard \"shop\": row is missing".to_owned(),
        "dashboard \"service-budgets\": uid is that of another dashboard".to_owned(),
        "dashboard \"service-budgets\": panel \"T\": text is missing".to_owned(),
        "dashboard \"much too long to be a uid of a dashboard in Grafana\": uid is no uid".to_owned(),
    ];
    for expected in &expected {
        assert!(
            found.iter().any(|found| found.starts_with(expected)),
            "{expected}\n not in\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn rust_refuses_the_same() {
    let nothing = Declaration::parse("").unwrap();
    let panel = Panel::timeseries("Hits").unit("reqps").query("sum(", "");
    let error = Dashboard::builder("shop", "")
        .panel(panel.width(0))
        .build(&nothing)
        .unwrap_err();
    let found: Vec<&str> = error
        .problems()
        .iter()
        .map(|problem| &*problem.field)
        .collect();
    let at = "dashboard \"shop\": panel \"Hits\": ";
    let fields = ["width", "queries", "description"].map(|field| format!("{at}{field}"));
    let expected = [&["dashboard \"shop\": title".to_owned()], &fields[..]].concat();
    assert_eq!(found, expected);
}

/// What people write is text, whatever stands in it.
#[test]
fn quotes_and_braces_are_kept() {
    let odd = "say \"{{ $labels }}\" \\ $job [[x]] ${y} µ";
    let nothing = Declaration::parse("").unwrap();
    let panel = Panel::stat(odd)
        .description(odd)
        .unit("none")
        .query("up", odd);
    let dashboard = Dashboard::builder("odd", odd)
        .panel(panel)
        .build(&nothing)
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&dashboard.to_json()).unwrap();
    assert_eq!(
        (&json["title"], &json["panels"][0]["title"]),
        (&odd.into(), &odd.into())
    );
    assert_eq!(json["panels"][0]["targets"][0]["legendFormat"], odd);
}
