use std::time::Duration;

use super::*;
use crate::expr::{Aggregation, Grouping, MatchOn, Matching, Op, Over, SampleValue};

/// Series by name, one label and value, at 0 and 60 s.
fn given(series: &[(&str, &str, f64)]) -> Samples {
    let mut samples = Samples::new();
    for &(name, a, value) in series {
        let labels = Labels::new([("__name__", name), ("a", a)]);
        samples.insert(&labels, 0, 0.0);
        samples.insert(&labels, 60_000, value);
    }
    samples
}

fn select(name: &str) -> Expr {
    Expr::select(Selector::new(name))
}

fn found(expr: &Expr, samples: &Samples) -> Vec<(String, f64)> {
    let points = eval(expr, samples, 60_000).expect("a value").into_points();
    let float = |value: SampleValue| value.as_float().expect("a number");
    let found = points.into_iter();
    found
        .map(|point| (point.labels.to_string(), float(point.value)))
        .collect()
}

fn named(labels: &str, value: f64) -> (String, f64) {
    (labels.to_owned(), value)
}

#[test]
fn elements_with_the_same_labels_are_combined() {
    let samples = given(&[
        ("x", "1", 6.0),
        ("x", "2", 8.0),
        ("y", "1", 3.0),
        ("y", "3", 1.0),
    ]);
    assert_eq!(
        found(&(select("x") / select("y")), &samples),
        [named(r#"{a="1"}"#, 2.0)]
    );
    let greater = select("x").binary(Op::Greater, select("y"));
    assert_eq!(
        found(&greater, &samples),
        [named(r#"{__name__="x", a="1"}"#, 6.0)]
    );
    let on = Matching::on(["a"]);
    let greater = select("x").binary_on(Op::Greater, on.clone(), select("y"));
    assert_eq!(
        found(&greater, &samples),
        [named(r#"{a="1"}"#, 6.0)],
        "only what is matched by is left"
    );
    let unequal = select("x").binary_on(Op::Equal, on.as_bool(), select("y"));
    assert_eq!(found(&unequal, &samples), [named(r#"{a="1"}"#, 0.0)]);
    let found_of = |expr: Expr| found(&expr, &samples).len();
    assert_eq!(found_of(select("x").and(select("y"))), 1);
    assert_eq!(found_of(select("x").or(select("y"))), 3);
    assert_eq!(found_of(select("x").unless(select("y"))), 1);
}

#[test]
fn a_comparison_is_strict_where_it_says_so() {
    let samples = given(&[("x", "1", 6.0)]);
    let holds = |op| !found(&select("x").binary(op, Expr::Number(6.0)), &samples).is_empty();
    assert!(!holds(Op::Greater) && holds(Op::GreaterEqual));
    assert!(!holds(Op::Less) && holds(Op::LessEqual));
    assert!(holds(Op::Equal) && !holds(Op::NotEqual));
    let swapped = Expr::Number(7.0).binary(Op::Greater, select("x"));
    assert_eq!(
        found(&swapped, &samples)[0].1,
        6.0,
        "the vector's value is shown"
    );
}

#[test]
fn what_does_not_find_each_other_is_an_error() {
    let samples = given(&[("x", "1", 6.0), ("x", "2", 8.0), ("y", "1", 3.0)]);
    let error = |expr: Expr| {
        eval(&expr, &samples, 60_000)
            .expect_err("ambiguous")
            .message
    };
    let on = |labels: &[&str]| Matching {
        on: Some(MatchOn::On(
            labels.iter().map(|&label| label.into()).collect(),
        )),
        ..Matching::default()
    };
    assert!(error(select("y").binary_on(Op::Add, on(&[]), select("x"))).contains("must have one"));
    assert!(error(select("x").binary_on(Op::Add, on(&[]), select("y"))).contains("group_left"));
    assert!(
        error(-select("x").binary_on(Op::Or, on(&["__name__"]), select("y")))
            .contains("names are gone")
    );
    assert_eq!(error(Expr::Number(1.0).sum()), NOT_A_VECTOR);
    // Nothing on one side: nothing is ambiguous.
    assert!(
        found(
            &select("none").binary_on(Op::Add, on(&[]), select("x")),
            &samples
        )
        .is_empty()
    );
}

#[test]
fn many_elements_are_grouped_as_few() {
    let names: Vec<String> = (0..500).map(|at| format!("{:02}", at % 50)).collect();
    let mut samples = Samples::new();
    for (at, a) in names.iter().enumerate() {
        let labels = [("__name__", "x"), ("a", a), ("b", &at.to_string())]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        samples.insert(&Labels::new(labels), 60_000, at as f64);
    }
    let sums = found(&select("x").sum_by(["a"]), &samples);
    assert_eq!(sums.len(), 50);
    // 7, 57, .. 457
    assert_eq!(
        sums.iter().find(|sum| sum.0.contains("07")),
        Some(&named(r#"{a="07"}"#, 2320.0))
    );
    let largest = select("x").aggregate(Aggregation::Max, Grouping::without(["b"]));
    assert_eq!(found(&largest, &samples).len(), 50);
    let shares = select("x").binary_on(
        Op::Div,
        Matching::on(["a"]).group(crate::expr::Group::Left(Vec::new())),
        select("x").sum_by(["a"]),
    );
    assert_eq!(found(&shares, &samples).len(), 500);
}

#[test]
fn sums_lose_nothing_in_3_and_what_a_plain_sum_loses_in_2() {
    for (dialect, sum, mean) in [(Dialect::V3, 2.0, 0.5), (Dialect::V2_53, 0.0, 0.0)] {
        let mut samples = Samples::in_dialect(dialect);
        for (a, value) in [1.0, 1e100, 1.0, -1e100].into_iter().enumerate() {
            let labels = Labels::new([("__name__", "x".to_owned()), ("a", a.to_string())]);
            samples.insert(&labels, 60_000, value);
            samples.insert(
                &Labels::new([("__name__", "y")]),
                a as i64 * 1000 + 1000,
                value,
            );
        }
        assert_eq!(found(&select("x").sum(), &samples)[0].1, sum);
        let avg = select("x").aggregate(Aggregation::Avg, Grouping::default());
        assert_eq!(found(&avg, &samples)[0].1, mean);
        let over = |over| Expr::Over(over, Selector::new("y"), Duration::from_secs(60));
        assert_eq!(
            found(&over(Over::Sum), &samples)[0].1,
            2.0,
            "over time, in every version"
        );
    }
}

#[test]
fn a_nan_gives_way_to_any_number() {
    let samples = given(&[("x", "1", f64::NAN), ("x", "2", 8.0), ("x", "3", f64::NAN)]);
    for how in [Aggregation::Min, Aggregation::Max] {
        assert_eq!(
            found(&select("x").aggregate(how, Grouping::default()), &samples)[0].1,
            8.0
        );
    }
    assert!(found(&select("x").sum(), &samples)[0].1.is_nan());
}

#[test]
fn a_stale_marker_ends_a_series() {
    let labels = Labels::new([("__name__", "x")]);
    let mut samples = Samples::new();
    samples.insert(&labels, 0, 1.0);
    samples.insert(&labels, 30_000, f64::from_bits(0x7ff0_0000_0000_0002));
    let at = |at_ms| {
        eval(&select("x"), &samples, at_ms)
            .expect("a value")
            .as_float()
    };
    assert_eq!((at(29_999), at(30_000)), (Some(1.0), None));
    let counted = Expr::Over(Over::Count, Selector::new("x"), Duration::from_secs(60));
    assert_eq!(found(&counted, &samples).len(), 0, "at 0, outside (0, 60]");
    samples.insert(&labels, 45_000, f64::NAN);
    assert!(
        found(&select("x"), &samples)[0].1.is_nan(),
        "another NaN is a value"
    );
}

#[test]
fn the_newest_sample_counts_for_five_minutes() {
    for (dialect, last) in [(Dialect::V3, 299_999), (Dialect::V2_53, 300_000)] {
        let mut samples = Samples::in_dialect(dialect);
        samples.insert(&Labels::new([("__name__", "x")]), 0, 1.0);
        let at = |at_ms| {
            eval(&select("x"), &samples, at_ms)
                .expect("a value")
                .as_float()
        };
        assert_eq!((at(last), at(last + 1)), (Some(1.0), None), "{dialect:?}");
    }
}

#[test]
fn native_histograms_are_refused_in_2() {
    let mut samples = Samples::in_dialect(Dialect::V2_53);
    let labels = Labels::new([("__name__", "x")]);
    samples
        .insert_histogram(&labels, 60_000, Default::default())
        .expect("a histogram");
    let error = eval(&select("x"), &samples, 60_000).expect_err("2.x");
    assert!(error.message.contains("Dialect::V3"), "{error}");
}

#[test]
fn powers_are_computed_by_squaring() {
    assert_eq!(
        (pow(2.0, 10.0), pow(2.0, -2.0), pow(-3.0, 3.0)),
        (1024.0, 0.25, -27.0)
    );
    assert_eq!(
        (pow(9.0, 0.5), pow(4.0, -0.5), pow(5.0, 0.0)),
        (3.0, 0.5, 1.0)
    );
    assert_eq!((pow(10.0, 400.0), pow(10.0, -400.0)), (f64::INFINITY, 0.0));
    assert_eq!((pow(0.0, -1.0), pow(2.0, -1074.0)), (f64::INFINITY, 5e-324));
    assert!(pow(-8.0, 1.0 / 3.0).is_nan() && pow(f64::NAN, 1.0).is_nan());
    assert!((pow(1.7, 2.3) / 1.7_f64.powf(2.3) - 1.0).abs() < 1e-14);
}
