//! PromQL with a dashboard's variables.

use promql_parser::label::Matcher;
use promql_parser::parser::{Expr, VectorSelector, token};

use crate::expr::{ParseError, TARGET_LABELS, syntax};

/// Ranges that Grafana fills in, and what stands for them while the text is read: ranges that nobody asks for.
const RANGES: [(&str, &str); 3] = [
    ("$__rate_interval", "8h17m42s731ms"),
    ("$__interval", "8h17m42s733ms"),
    ("$__range", "8h17m42s737ms"),
];

/// The canonical text of an expression whose selectors are those of the dashboard's jobs and instances.
pub(super) fn narrowed(text: &str) -> Result<String, String> {
    let mut plain = text.to_owned();
    for (variable, range) in RANGES {
        plain = plain.replace(&format!("[{variable}]"), &format!("[{range}]"));
    }
    let refused = |error: ParseError| error.to_string();
    let mut tree = syntax(&plain).map_err(refused)?;
    narrow(&mut tree)?;
    let mut text = tree.to_string();
    for (variable, range) in RANGES {
        text = text.replace(&format!("[{range}]"), &format!("[{variable}]"));
    }
    Ok(text)
}

fn narrow(tree: &mut Expr) -> Result<(), String> {
    match tree {
        Expr::Aggregate(aggregate) => {
            if let Some(param) = &mut aggregate.param {
                narrow(param)?;
            }
            narrow(&mut aggregate.expr)
        }
        Expr::Unary(unary) => narrow(&mut unary.expr),
        Expr::Binary(binary) => {
            narrow(&mut binary.lhs)?;
            narrow(&mut binary.rhs)
        }
        Expr::Paren(paren) => narrow(&mut paren.expr),
        Expr::Subquery(subquery) => narrow(&mut subquery.expr),
        Expr::VectorSelector(selector) => narrow_selector(selector),
        Expr::MatrixSelector(matrix) => narrow_selector(&mut matrix.vs),
        Expr::Call(call) => call.args.args.iter_mut().try_for_each(|arg| narrow(arg)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Ok(()),
    }
}

fn narrow_selector(selector: &mut VectorSelector) -> Result<(), String> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err("has `or` between matchers: write two selectors with `or` between them".into());
    }
    // Each has a variable of its name.
    for label in TARGET_LABELS {
        let known = selector.matchers.matchers.iter();
        if known.into_iter().any(|matcher| matcher.name == label) {
            continue;
        }
        let value = format!("${label}");
        let matcher = Matcher::new_matcher(token::T_EQL_REGEX, label.to_owned(), value)?;
        selector.matchers.matchers.push(matcher);
    }
    Ok(())
}

/// The quantile of a histogram's growth, for each value of these labels.
pub(super) fn quantile(q: f64, family: &str, by: &[String], labels: &[(String, String)]) -> String {
    let by: Vec<&str> = std::iter::once("le")
        .chain(by.iter().map(String::as_str))
        .collect();
    let bucket = labels.iter().fold(
        crate::expr::Selector::new(format!("{family}_bucket")),
        |selector, (key, value)| selector.label(key, value),
    );
    let bucket = crate::expr::Expr::select(bucket);
    let by = by.join(", ");
    format!("histogram_quantile({q}, sum by ({by}) (rate({bucket}[$__rate_interval])))")
}

/// The labels that a legend names: `route` of `p95 {{route}}`.
pub(super) fn legend_labels(legend: &str) -> Vec<String> {
    let named = legend.split("{{").skip(1);
    let label = |rest: &str| Some(rest.split_once("}}")?.0.trim().to_owned());
    named.filter_map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_narrowed_once() {
        let narrowed = |text: &str| narrowed(text).expect(text);
        assert_eq!(
            narrowed("sum by (route) (rate(hits_total{route=~\"/a.*\"}[$__rate_interval])) / 2"),
            r#"sum by (route) (rate(hits_total{instance=~"$instance",job=~"$job",route=~"/a.*"}[$__rate_interval])) / 2"#
        );
        assert_eq!(
            narrowed(r#"up{job="other"} and on () vector(1)"#),
            r#"up{instance=~"$instance",job="other"} and on () vector(1)"#
        );
        let twice = narrowed("topk(3, a - b{instance!=\"x\"})");
        assert_eq!(narrowed(&twice), twice);
    }

    #[test]
    fn what_prometheus_would_refuse_is_refused() {
        for text in [
            "rate(hits_total)",
            "sum(",
            "a[$__interval",
            "histogram_quantile(0.9)",
            "${job}",
        ] {
            assert!(narrowed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn legends_name_labels() {
        assert_eq!(
            legend_labels("p95 {{route}} of {{ job }}"),
            ["route", "job"]
        );
        assert!(legend_labels("p95").is_empty());
    }
}
