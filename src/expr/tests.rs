use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// A minute in which the depth is 7, and 3 of 60 are bad; the idle one stands still.
fn given() -> Samples {
    let mut samples = Samples::new();
    let mut insert = |name: &str, by: f64| {
        let labels = Labels::new([("__name__", name)]);
        for second in 0..=60 {
            let value = if name == "depth" {
                7.0
            } else {
                1e6 + by * second as f64
            };
            samples.insert(&labels, second * 1000, value);
        }
    };
    let families = [("depth", 0.0), ("bad", 0.05), ("valid", 1.0), ("idle", 0.0)];
    families.into_iter().for_each(|(name, by)| insert(name, by));
    for (le, by) in [("0.1", 10.0), ("0.2", 20.0), ("+Inf", 20.0)] {
        let labels = Labels::new([("__name__", "d_seconds_bucket"), ("le", le)]);
        (0..=60)
            .for_each(|second| samples.insert(&labels, second * 1000, 1e6 + by * second as f64));
    }
    samples
}

fn value(expr: Expr) -> Option<f64> {
    eval(&expr, &given(), 60_000)
        .expect("it is well-formed")
        .as_float()
}

fn rate(name: &str) -> Expr {
    Expr::rate(Selector::new(name), MINUTE).sum()
}

fn ratio(bad: &str, valid: &str) -> Expr {
    rate(bad) / rate(valid)
}

#[test]
fn comparisons_filter() {
    let near = |value: Option<f64>| value.is_some_and(|value| (value - 0.05).abs() < 1e-9);
    assert!(near(value(ratio("bad", "valid").greater(0.04))));
    assert_eq!(value(ratio("bad", "valid").greater(0.06)), None);
    assert_eq!(value(ratio("bad", "absent").greater(0.0)), None);
    let idle = ratio("idle", "idle").greater(0.0);
    assert_eq!(value(idle), None, "0 / 0 exceeds nothing");
}

#[test]
fn and_keeps_the_left_side() {
    let depth = || Expr::select(Selector::new("depth")).sum();
    let busy = rate("valid").and(depth().greater(5.0));
    assert_eq!(value(busy), value(rate("valid")));
    assert_eq!(value(rate("valid").and(depth().less(5.0))), None);
}

#[test]
fn quantiles_interpolate() {
    let expr = Expr::quantile(0.75, Selector::new("d_seconds"), MINUTE);
    assert_eq!(
        expr.to_string(),
        "histogram_quantile(0.75, sum by (le) (rate(d_seconds_bucket[1m])))"
    );
    assert_eq!(value(expr), Some(0.1 + (0.2 - 0.1) * 0.5));
}

#[test]
fn values_are_quoted_and_ranges_are_promql() {
    let selector = Selector::new("x")
        .label("a", "say \"hi\"\n\\")
        .label("b", "");
    let expr = Expr::increase(selector, Duration::from_millis(5_400_250)).sum();
    assert_eq!(
        expr.to_string(),
        r#"sum(increase(x{a="say \"hi\"\n\\",b=""}[1h30m250ms]))"#
    );
    assert_eq!(Expr::Number(f64::INFINITY).to_string(), "+Inf");
}

#[test]
fn hours_have_an_offset() {
    let east = Offset::minutes(90).expect("less than a day");
    let hour = Expr::hour(east);
    assert_eq!(hour.to_string(), "hour(vector(time() + 5400))");
    assert_eq!(value(hour), Some(1.0));
    let west = Offset::minutes(-60).expect("less than a day");
    assert_eq!(value(Expr::hour(west)), Some(23.0));
    assert_eq!(value(Expr::day_of_week(west)), Some(3.0), "still Wednesday");
}
