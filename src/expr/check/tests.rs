use super::*;
use crate::expr::{Aggregation, Over};

const MINUTE: Duration = Duration::from_secs(60);

fn depth() -> Expr {
    Expr::select(Selector::new("depth"))
}

fn one() -> Expr {
    Expr::Number(1.0)
}

fn matched(matching: Matching, op: Op) -> Expr {
    depth().binary_on(op, matching, depth())
}

#[test]
fn types_are_those_of_promql() {
    let rate = Expr::rate(Selector::new("a:b_total"), MINUTE);
    let vectors = [
        depth(),
        rate.clone().sum() / rate,
        depth() * one(),
        one().call(Function::Vector).call(Function::Hour),
        -depth(),
    ];
    for vector in vectors {
        assert_eq!(vector.check(), Ok(ValueType::Vector), "{vector}");
    }
    let compared = one().binary_on(Op::Less, Matching::default().as_bool(), one());
    for scalar in [
        one(),
        Expr::Time,
        -one(),
        depth().call(Function::Scalar),
        compared,
    ] {
        assert_eq!(scalar.check(), Ok(ValueType::Scalar), "{scalar}");
    }
}

#[test]
fn what_prometheus_refuses_is_named() {
    let group = |labels: &[&str]| Group::Left(labels.iter().map(|&label| label.into()).collect());
    let grouped = Matching::on(["a"]).group(group(&["a"]));
    let cases = [
        (one().sum(), "1", "write vector(..)"),
        (one().call(Function::Abs), "1", "write vector(..)"),
        (depth().call(Function::Vector), "depth", "write scalar(..)"),
        (
            Expr::Quantile(Box::new(depth()), Box::new(depth())),
            "depth",
            "write scalar(..)",
        ),
        (one().less(2.0), "1 < 2", "write bool"),
        (depth().and(one()), "depth and 1", "write vector(..)"),
        (
            matched(grouped.clone(), Op::Mul),
            "depth * on (a) group_left (a) depth",
            "leave it out",
        ),
        (
            matched(grouped, Op::And),
            "depth and on (a) group_left (a) depth",
            "know no group",
        ),
        (
            matched(Matching::default().group(group(&[])), Op::Mul),
            "depth * ignoring () group_left () depth",
            "ignoring ()",
        ),
        (
            matched(Matching::default().as_bool(), Op::Add),
            "depth + bool depth",
            "leave it out",
        ),
        (
            depth().binary_on(Op::Add, Matching::on(["a"]), one()),
            "depth + on (a) 1",
            "of a number",
        ),
        (
            Expr::rate(Selector::new("d"), Duration::ZERO),
            "rate(d[0s])",
            "at least 1ms",
        ),
        (
            Expr::rate(Selector::new("d"), Duration::from_micros(1500)),
            "rate(d[1ms])",
            "whole milliseconds",
        ),
        (
            Expr::rate(Selector::new("d"), Duration::from_secs(1 << 40)),
            "",
            "a shorter one",
        ),
        (
            Expr::select(Selector::new("1d")),
            "{__name__=\"1d\"}",
            "no name of a family",
        ),
        (Expr::select(Selector::new("")), "", "no name of a family"),
        (
            Expr::select(Selector::new("d").label("a:b", "")),
            "d{a:b=\"\"}",
            "no name of a label",
        ),
        (
            Expr::select(Selector::new("d").label(NAME, "d")),
            "",
            "leave __name__ out",
        ),
        (
            depth().sum_by(["a b"]),
            "sum by (a b) (depth)",
            "no name of a label",
        ),
    ];
    for (expr, part, mended) in cases {
        let error = expr.check().expect_err(mended);
        assert!(
            part.is_empty() || error.part.replace("  ", " ") == part.replace("  ", " "),
            "{error}"
        );
        assert!(error.message.contains(mended), "{error}");
    }
}

#[test]
fn a_mistake_deep_inside_is_found() {
    let deep = depth().and(one().aggregate(Aggregation::Max, Grouping::default()));
    let error = (deep / Expr::Over(Over::Avg, Selector::new("x"), MINUTE)).check();
    assert_eq!(error.expect_err("ill-formed").part, "1");
}
