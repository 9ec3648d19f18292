//! Queries are PromQL over families that the service shows; what users named stays text.

use std::collections::HashSet;

use promql_parser::parser::{Expr, parse};

use crate::generate::Declaration;

/// Every declaration that comes with the crate, and one with names that mean something to Markdown.
pub(in crate::generate) fn declarations() -> Vec<Declaration> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/declarations");
    let files = std::fs::read_dir(folder).expect("a folder");
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let mut all: Vec<Declaration> = files
        .iter()
        .map(|file| Declaration::read(file).expect("sound"))
        .collect();
    all.push(Declaration::parse(ODD).expect("sound"));
    all
}

const ODD: &str = r#"
    service = "a|b `c` <d>"
    [[budget]]
    name = "../*odd* | `{{ x }}` \"q\""
    on = "http"
    sli = "throughput"
    at_least = 1
    absent_after = "10m"
    [[budget]]
    name = "imported"
    on = "operation"
    labels = { operation = "*import*" }
    sli = "freshness"
    at_most = "1h"
    [[budget]]
    name = "pool"
    on = "acquire"
    sli = "error_ratio"
    at_most = 0.1
    [[budget]]
    name = "device"
    on = "modbus"
    quantile = 0.9
    at_most = "1s"
    [[slo]]
    name = "api"
    on = "http"
    objective = 0.99
    [[slo]]
    name = "db"
    on = "db"
    objective = 0.99
    [[slo]]
    name = "both"
    all_of = ["api", "db"]
    objective = 0.9
    reachable_burn_alerts = true
"#;

/// What stands in blocks of PromQL.
fn queries(page: &str) -> Vec<String> {
    let mut queries = Vec::new();
    let mut lines = page.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "```promql" {
            queries.push(lines.next().expect("a query").to_owned());
        }
    }
    queries
}

pub(in crate::generate) fn families(tree: &Expr, into: &mut Vec<String>) {
    match tree {
        Expr::Aggregate(of) => families(&of.expr, into),
        Expr::Unary(of) => families(&of.expr, into),
        Expr::Binary(of) => {
            families(&of.lhs, into);
            families(&of.rhs, into);
        }
        Expr::Paren(of) => families(&of.expr, into),
        Expr::Subquery(of) => families(&of.expr, into),
        Expr::VectorSelector(of) => into.extend(of.name.clone()),
        Expr::MatrixSelector(of) => into.extend(of.vs.name.clone()),
        Expr::Call(of) => of.args.args.iter().for_each(|arg| families(arg, into)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

#[test]
fn queries_ask_for_families_that_are_shown() {
    let prometheus = ["up", "ALERTS", "scrape_duration_seconds"];
    for declaration in declarations() {
        let shown: HashSet<String> = declaration.naming.readable();
        for alert in declaration.alerts() {
            let page = super::Page::new(&declaration, &alert).to_string();
            let queries = queries(&page);
            assert!(queries.len() > 2, "{}", alert.name);
            for query in &queries {
                let tree = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
                let mut named = Vec::new();
                families(&tree, &mut named);
                // Budgets over a family of the service's own read that.
                let own = alert.rules.iter().map(|(rule, _)| rule.expr.to_string());
                let own = own.collect::<String>();
                for family in named {
                    assert!(
                        shown.contains(&family)
                            || prometheus.contains(&&*family)
                            || own.contains(&family),
                        "{}: {query} asks for {family}",
                        alert.name
                    );
                }
            }
        }
    }
}

#[test]
fn what_users_named_is_text() {
    let declaration = Declaration::parse(ODD).expect("sound");
    for (path, page) in declaration.runbook() {
        assert!(!path.starts_with('/') && !path.contains(".."), "{path}");
        let mut code = false;
        for line in page.lines() {
            code ^= line.trim().starts_with("```");
            let odd = ["*odd*", "{{ x }}", "<d>", "*import*"];
            let marked = odd.iter().find(|odd| line.contains(*odd));
            assert!(code || marked.is_none(), "{path}: {line}");
        }
        assert!(!code, "{path}: a block is open");
    }
}
