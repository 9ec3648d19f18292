//! The rules of Grafana's dashboard linter, and what else a dashboard has to keep to.

use std::collections::BTreeSet;

use plimsoll::generate::Variables;
use promql_parser::parser::{self, Expr, VectorSelector};
use serde_json::Value;

use super::{all, at, json, panels};

/// Every expression as it is written, with where it stands.
fn exprs(dashboard: &Value) -> Vec<(String, String)> {
    let of_panels = panels(dashboard, false).into_iter().flat_map(|panel| {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let text = |target: &Value| target["expr"].as_str().unwrap().to_owned();
        targets
            .map(move |target| (at(dashboard, panel), text(target)))
            .collect::<Vec<_>>()
    });
    let annotations = dashboard["annotations"]["list"].as_array().unwrap().iter();
    let of_annotations = annotations.filter_map(|annotation| {
        let expr = annotation["expr"].as_str()?.to_owned();
        Some((at(dashboard, annotation), expr))
    });
    of_panels.chain(of_annotations).collect()
}

/// Ranges filled in by ones that nobody writes.
fn parse(text: &str) -> Expr {
    let filled = text
        .replace("$__rate_interval", "97s")
        .replace("$__range", "89m");
    parser::parse(&filled).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Calls `visit` with each selector, the function around it, and its range.
fn selectors<'a>(
    expr: &'a Expr,
    function: &'a str,
    visit: &mut impl FnMut(&'a VectorSelector, &'a str, Option<u64>),
) {
    match expr {
        Expr::VectorSelector(selector) => visit(selector, function, None),
        Expr::MatrixSelector(matrix) => visit(&matrix.vs, function, Some(matrix.range.as_secs())),
        Expr::Call(call) => {
            for arg in &call.args.args {
                selectors(arg, call.func.name, visit);
            }
        }
        Expr::Aggregate(aggregate) => selectors(&aggregate.expr, "aggregation", visit),
        Expr::Binary(binary) => {
            selectors(&binary.lhs, "operator", visit);
            selectors(&binary.rhs, "operator", visit);
        }
        Expr::Paren(paren) => selectors(&paren.expr, function, visit),
        Expr::Unary(unary) => selectors(&unary.expr, "operator", visit),
        Expr::Subquery(subquery) => selectors(&subquery.expr, "subquery", visit),
        _ => {}
    }
}

/// Whether a family only grows.
fn is_counter(family: &str) -> bool {
    ["_total", "_bucket", "_count", "_sum"]
        .iter()
        .any(|end| family.ends_with(end))
}

#[test]
fn every_selector_is_narrowed_to_jobs_and_instances() {
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        for (at, text) in exprs(&dashboard) {
            selectors(&parse(&text), "", &mut |selector, _, _| {
                for (label, value) in [("job", "$job"), ("instance", "$instance")] {
                    let matchers = &selector.matchers.matchers;
                    let found = matchers.iter().find(|matcher| matcher.name == label);
                    let found = found.map(|matcher| matcher.value.as_str());
                    assert_eq!(found, Some(value), "{at}: {text}");
                }
            });
        }
    }
}

/// Counters are asked for how fast they grow before anything is added up; over `$__rate_interval`, unless a budget says over what.
#[test]
fn counters_stand_in_rates() {
    let mut seen = 0;
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        for (at, text) in exprs(&dashboard) {
            selectors(&parse(&text), "", &mut |selector, function, range| {
                let family = selector.name.as_deref().unwrap_or_default();
                if !is_counter(family) {
                    assert!(!matches!(function, "rate" | "increase"), "{at}: {text}");
                    return;
                }
                seen += 1;
                assert!(matches!(function, "rate" | "increase"), "{at}: {text}");
                let promised = family.starts_with("plimsoll_sli_") || text.contains("redis_hits");
                let shown = match function {
                    "rate" => 97,
                    _ => 89 * 60,
                };
                assert!(promised || range == Some(shown), "{at}: {text}");
            });
        }
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn panels_say_what_they_are() {
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        for panel in panels(&dashboard, false)
            .into_iter()
            .filter(|panel| panel["type"] != "text")
        {
            let at = at(&dashboard, panel);
            for field in ["title", "description"] {
                assert!(!panel[field].as_str().unwrap().is_empty(), "{at}: {field}");
            }
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!defaults["unit"].as_str().unwrap().is_empty(), "{at}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{at}");
            for target in panel["targets"].as_array().unwrap() {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{at}");
                assert!(!target["legendFormat"].as_str().unwrap().is_empty(), "{at}");
            }
        }
    }
}

#[test]
fn variables_are_those_that_the_linter_wants() {
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let source = &variables[0];
        assert_eq!(
            (&source["name"], &source["type"]),
            (&"datasource".into(), &"datasource".into())
        );
        assert_eq!(
            (&source["label"], &source["query"]),
            (&"Data source".into(), &"prometheus".into())
        );
        for (variable, [name, label]) in variables[1..]
            .iter()
            .zip([["job", "Job"], ["instance", "Instance"]])
        {
            assert_eq!(
                (&variable["name"], &variable["label"]),
                (&name.into(), &label.into())
            );
            assert_eq!(
                (&variable["multi"], &variable["includeAll"]),
                (&true.into(), &true.into())
            );
            assert_eq!(
                (&variable["allValue"], &variable["refresh"]),
                (&".+".into(), &2.into())
            );
            assert_eq!(variable["datasource"]["uid"], "${datasource}");
            let query = variable["query"].as_str().unwrap();
            assert!(
                query.starts_with("label_values(plimsoll_build_info"),
                "{query}"
            );
        }
        assert_eq!(dashboard["editable"], false);
        assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 39);
    }
}

#[test]
fn panels_stand_beside_each_other() {
    for (_, dashboard) in all() {
        let dashboard = json(&dashboard);
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels(&dashboard, true) {
            let at = at(&dashboard, panel);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{at}");
            let [x, y, w, h] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(w > 0 && h > 0 && x + w <= 24, "{at}");
            for column in x..x + w {
                for line in y..y + h {
                    assert!(taken.insert((column, line)), "{at} overlaps");
                }
            }
        }
        let uid = dashboard["uid"].as_str().unwrap();
        assert!(uid.len() <= 40, "{uid}");
    }
}

/// With the variables filled in it is plain PromQL.
#[test]
fn queries_can_be_run() {
    let variables = Variables::new()
        .job("shop")
        .instance("a.*")
        .set("slo", "api");
    let mut count = 0;
    for (_, dashboard) in all() {
        let asked = exprs(&json(&dashboard)).len() - 1;
        let queries = dashboard.queries(&variables);
        assert_eq!(queries.len(), asked, "{}", dashboard.uid());
        for query in queries {
            assert!(!query.expr.contains('$'), "{}", query.expr);
            parser::parse(&query.expr).unwrap();
            let labels = query.legend_labels();
            let by = |label: &String| query.expr.contains(&**label);
            assert!(labels.iter().all(by), "{}: {labels:?}", query.expr);
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}
