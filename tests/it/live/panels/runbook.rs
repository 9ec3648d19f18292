//! What the pages of a runbook ask, of the Prometheus that scrapes the service.

use std::collections::BTreeSet;

use plimsoll::generate::Declaration;
use promql_parser::parser::{Expr, VectorSelector, parse};

use super::Prometheus;

/// Families that come into being with the trouble that they tell of: until then that there are none is the answer.
const TROUBLE: [&str; 3] = [
    "ALERTS",
    "plimsoll_shed_total",
    "plimsoll_budget_breach_duration_seconds",
];

/// Every query of every page, once.
fn queries(declaration: &Declaration) -> BTreeSet<String> {
    let mut queries = BTreeSet::new();
    for (_, page) in declaration.runbook() {
        let mut lines = page.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line == "```promql" {
                queries.insert(lines.next().expect("a query").to_owned());
            }
        }
    }
    queries
}

/// The selectors of a query, and whether nothing is an answer to it: it compares, or looks at what is not known yet.
fn read(expr: &Expr, selectors: &mut Vec<VectorSelector>, may_be_empty: &mut bool) {
    match expr {
        Expr::VectorSelector(selector) => {
            *may_be_empty |= selector.offset.is_some();
            selectors.push(selector.clone());
        }
        Expr::MatrixSelector(range) => {
            *may_be_empty |= range.vs.offset.is_some();
            selectors.push(range.vs.clone());
        }
        Expr::Call(call) => {
            *may_be_empty |= call.func.name == "absent";
            call.args
                .args
                .iter()
                .for_each(|argument| read(argument, selectors, may_be_empty));
        }
        Expr::Aggregate(aggregate) => read(&aggregate.expr, selectors, may_be_empty),
        Expr::Binary(binary) => {
            *may_be_empty |= binary.op.is_comparison_operator();
            read(&binary.lhs, selectors, may_be_empty);
            read(&binary.rhs, selectors, may_be_empty);
        }
        Expr::Paren(inner) => read(&inner.expr, selectors, may_be_empty),
        Expr::Unary(inner) => read(&inner.expr, selectors, may_be_empty),
        Expr::Subquery(inner) => read(&inner.expr, selectors, may_be_empty),
        _ => {}
    }
}

/// How many queries there are; those that Prometheus refuses, that read what is not there, or that return nothing come into
/// `wrong`.
pub(super) fn tell(
    at: &str,
    declaration: &Declaration,
    prometheus: &Prometheus,
    wrong: &mut Vec<String>,
) -> String {
    let queries = queries(declaration);
    for query in &queries {
        let (mut selectors, mut may_be_empty) = (Vec::new(), false);
        read(
            &parse(query).expect("PromQL"),
            &mut selectors,
            &mut may_be_empty,
        );
        let speaks_of_trouble = |name: &Option<String>| {
            TROUBLE
                .iter()
                .any(|of| name.as_deref().unwrap_or_default().starts_with(of))
        };
        for selector in &mut selectors {
            if speaks_of_trouble(&selector.name) {
                may_be_empty = true;
                continue;
            }
            (selector.offset, selector.at) = (None, None);
            let of_now = Expr::VectorSelector(selector.clone());
            if prometheus.query(&format!("count({of_now})")).is_empty() {
                wrong.push(format!("{at}: runbook: no series of {of_now}: {query}"));
            }
        }
        // Refused ones end the test here, with Prometheus' words.
        if prometheus.query(query).is_empty() && !may_be_empty {
            wrong.push(format!("{at}: runbook: nothing: {query}"));
        }
    }
    assert!(queries.len() > 20, "{at}: {}", queries.len());
    format!("{at}: {} queries of the runbook\n", queries.len())
}
