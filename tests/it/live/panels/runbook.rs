//! What the pages of a runbook ask, of the Prometheus that scrapes the service.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plimsoll::generate::Declaration;
use promql_parser::parser::{Expr, VectorSelector, parse};

use super::Prometheus;

/// What need not be there, and why that is no mistake: how its selector begins.
const SILENT: [(&str, &str); 11] = [
    ("ALERTS{", "nothing fires"),
    ("plimsoll_shed_total{", "nothing is refused"),
    (
        "plimsoll_budget_breach_duration_seconds",
        "nothing was broken and mended yet",
    ),
    (
        "plimsoll_budget_value{budget=\"recovery\"",
        "nothing was broken and mended yet",
    ),
    (
        "plimsoll_budget_value{budget=\"peak-throughput\"",
        "nobody said that it is peak",
    ),
    (
        "bifrost_n_plus_one_requests_total{",
        "the gateway keeps no anatomy",
    ),
    (
        "bifrost_stage_duration_seconds",
        "the gateway keeps no anatomy",
    ),
    ("device_connected{", "there are no devices"),
    ("db_client_errors_total{", "no query failed yet"),
    ("connection_timeouts_total{", "no pool is watched"),
    ("connection_wait_duration_seconds", "no pool is watched"),
];
/// Scrapes of a busy machine come late.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// What is wrong with a query, if anything is; refused ones end the test with Prometheus' words.
fn mistake(query: &str, prometheus: &Prometheus) -> Option<String> {
    let (mut selectors, mut may_be_empty) = (Vec::new(), false);
    read(
        &parse(query).expect("PromQL"),
        &mut selectors,
        &mut may_be_empty,
    );
    for mut selector in selectors {
        (selector.offset, selector.at) = (None, None);
        let of_now = Expr::VectorSelector(selector).to_string();
        if SILENT.iter().any(|(begins, _)| of_now.starts_with(begins)) {
            may_be_empty = true;
        } else if prometheus
            .query(&format!("count_over_time({of_now}[2m])"))
            .is_empty()
        {
            return Some(format!("no series of {of_now}"));
        }
    }
    let empty = prometheus.query(query).is_empty();
    (empty && !may_be_empty).then(|| "nothing".to_owned())
}

/// How many queries there are; those that read what is not there or that return nothing come into `wrong`.
pub(super) fn tell(
    at: &str,
    declaration: &Declaration,
    prometheus: &Prometheus,
    wrong: &mut Vec<String>,
) -> String {
    let queries = queries(declaration);
    let deadline = Instant::now() + PATIENCE;
    for query in &queries {
        let mistake = loop {
            match mistake(query, prometheus) {
                Some(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_secs(1)),
                answer => break answer,
            }
        };
        wrong.extend(mistake.map(|mistake| format!("{at}: runbook: {mistake}: {query}")));
    }
    assert!(queries.len() > 20, "{at}: {}", queries.len());
    format!("{at}: {} queries of the runbook\n", queries.len())
}
