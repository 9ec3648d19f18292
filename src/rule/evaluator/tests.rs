use super::*;
use crate::expr::Selector;
use crate::rule::AlertState;
use AlertState::{Firing, Inactive, Pending};

const S: i64 = 1_000;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn x(labels: &[(&str, &str)]) -> Labels {
    Labels::new(
        [("__name__", "x")]
            .into_iter()
            .chain(labels.iter().copied()),
    )
}

fn over(limit: f64) -> Expr {
    Expr::select(Selector::new("x")).greater(limit)
}

fn alert(expr: Expr, sustained: u64, keep_firing: u64) -> Rule {
    let rule = Rule::alert("High", expr);
    rule.sustained(seconds(sustained))
        .keep_firing(seconds(keep_firing))
}

/// The state of the only alert after each value of `x`, ten seconds apart; a NaN is no sample, and ends the series.
fn states(rule: Rule, values: &[f64]) -> Vec<AlertState> {
    let mut evaluator = Evaluator::new([RuleGroup::new("g", [rule])]);
    let mut samples = Samples::new();
    let step = |(at, value): (usize, &f64)| {
        let at_ms = at as i64 * 10 * S;
        match value.is_nan() {
            true => samples.insert_stale(&x(&[]), at_ms),
            false => samples.insert(&x(&[]), at_ms, *value),
        }
        evaluator.evaluate(&samples, at_ms);
        evaluator.alerts().next().map_or(Inactive, Alert::state)
    };
    values.iter().enumerate().map(step).collect()
}

#[test]
fn it_fires_when_the_condition_held_for_exactly_that_long() {
    let (p, f, i) = (Pending, Firing, Inactive);
    assert_eq!(states(alert(over(1.0), 0, 0), &[2.0, 1.0, 2.0]), [f, i, f]);
    assert_eq!(
        states(alert(over(1.0), 20, 0), &[2.0, 2.0, 2.0, 1.0]),
        [p, p, f, i]
    );
    assert_eq!(
        states(alert(over(1.0), 21, 0), &[2.0, 2.0, 2.0, 2.0]),
        [p, p, p, f]
    );
    assert_eq!(
        states(alert(over(1.0), 20, 0), &[2.0, 2.0, 1.0, 2.0, 2.0, 2.0]),
        [p, p, i, p, p, f]
    );
    assert_eq!(
        states(alert(over(1.0), 10, 0), &[2.0, f64::NAN, 2.0, 2.0]),
        [p, i, p, f]
    );
}

#[test]
fn it_fires_on_for_less_than_it_is_kept() {
    let (p, f, i) = (Pending, Firing, Inactive);
    let kept = states(alert(over(1.0), 0, 20), &[2.0, 1.0, 1.0, 1.0, 1.0]);
    assert_eq!(kept, [f, f, f, i, i]);
    let again = states(
        alert(over(1.0), 0, 20),
        &[2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0],
    );
    assert_eq!(again, [f, f, f, f, f, f, i], "a hit begins it anew");
    let pending = states(
        alert(over(1.0), 10, 20),
        &[2.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0],
    );
    assert_eq!(
        pending,
        [p, i, p, f, f, f, i, p],
        "what is pending is not kept"
    );
}

#[test]
fn each_element_is_an_alert_of_its_own() {
    let rule = alert(over(1.0), 10, 0)
        .label("severity", "page")
        .label("zone", "ours");
    let mut evaluator = Evaluator::new([RuleGroup::new("g", [rule])]);
    let mut samples = Samples::new();
    samples.insert(&x(&[("a", "1"), ("zone", "theirs")]), 0, 2.0);
    assert_eq!(evaluator.evaluate(&samples, 0)[0].to, Pending);
    samples.insert(&x(&[("a", "2")]), 10 * S, 3.0);
    let changes = evaluator.evaluate(&samples, 10 * S);
    let told: Vec<_> = changes
        .iter()
        .map(|change| (change.labels.get("a"), change.from, change.to, change.value))
        .collect();
    assert_eq!(
        told,
        [("1", Pending, Firing, 2.0), ("2", Inactive, Pending, 3.0)]
    );
    assert_eq!(
        changes[0].labels.to_string(),
        r#"{a="1", alertname="High", severity="page", zone="ours"}"#
    );
    assert_eq!(
        (changes[0].active_at_ms, changes[1].active_at_ms),
        (0, 10 * S)
    );
    let name = Expr::select(Selector::new("ALERTS").label("alertstate", "firing"));
    let firing = evaluator
        .eval(&name, &samples, 10 * S)
        .expect("it is well-formed")
        .into_points();
    assert_eq!(firing.len(), 1);
    assert_eq!(
        firing[0].labels.to_string(),
        r#"{__name__="ALERTS", a="1", alertname="High", alertstate="firing", severity="page", zone="ours"}"#
    );
    samples.insert_stale(&x(&[("a", "1"), ("zone", "theirs")]), 20 * S);
    let changes = evaluator.evaluate(&samples, 20 * S);
    assert_eq!((changes[0].from, changes[0].to), (Firing, Inactive));
    assert_eq!((changes[1].from, changes[1].to), (Pending, Firing));
    assert_eq!(evaluator.alerts().count(), 1);
}

#[test]
fn elements_that_become_one_are_an_error_and_change_nothing() {
    let rule = alert(over(1.0), 0, 0).label("a", "same");
    let mut evaluator = Evaluator::new([RuleGroup::new("g", [rule])]);
    let mut samples = Samples::new();
    samples.insert(&x(&[("a", "1")]), 0, 2.0);
    evaluator.evaluate(&samples, 0);
    samples.insert(&x(&[("a", "2")]), 10 * S, 2.0);
    assert_eq!(evaluator.evaluate(&samples, 10 * S), []);
    assert_eq!(evaluator.failures(), 1);
    assert_eq!(evaluator.failed().count(), 1);
    assert_eq!(evaluator.alerts().next().map(Alert::state), Some(Firing));
    samples.insert_stale(&x(&[("a", "2")]), 20 * S);
    evaluator.evaluate(&samples, 20 * S);
    assert_eq!((evaluator.failures(), evaluator.failed().count()), (1, 0));
}

#[test]
fn recorded_families_feed_later_rules_and_end_with_their_elements() {
    let double = Rule::record("double", over(1.0) + over(1.0));
    let reader = Rule::alert("Read", Expr::select(Selector::new("double")));
    let earlier = Rule::alert("Earlier", Expr::select(Selector::new("double")));
    let mut evaluator = Evaluator::new([RuleGroup::new("g", [earlier, double, reader])]);
    let mut samples = Samples::new();
    let mut step = |at_ms: i64, value: f64| {
        samples.insert(&x(&[]), at_ms, value);
        let changes = evaluator.evaluate(&samples, at_ms);
        let told = changes.iter().map(|change| {
            (
                change.labels.get("alertname").to_owned(),
                change.to,
                change.value,
            )
        });
        told.collect::<Vec<_>>()
    };
    assert_eq!(step(0, 2.0), [("Read".to_owned(), Firing, 4.0)]);
    assert_eq!(step(S, 3.0), [("Earlier".to_owned(), Firing, 4.0)]);
    assert_eq!(step(2 * S, 1.0), [("Read".to_owned(), Inactive, 6.0)]);
    assert_eq!(step(3 * S, 1.0), [("Earlier".to_owned(), Inactive, 6.0)]);
}

#[test]
fn a_rule_reads_its_own_alert_of_the_evaluation_before() {
    let own = Selector::new("ALERTS")
        .label("alertname", "High")
        .label("alertstate", "firing");
    let unlike = crate::expr::Matching::ignoring(["alertname", "alertstate"]);
    let held = over(1.0).binary_on(crate::expr::Op::And, unlike, Expr::select(own));
    let hysteresis = alert(over(5.0).or(held), 0, 0);
    let (f, i) = (Firing, Inactive);
    let states = states(hysteresis, &[2.0, 6.0, 2.0, 2.0, 1.0, 2.0]);
    assert_eq!(states, [i, f, f, f, i, i]);
}

#[test]
fn groups_are_evaluated_at_whole_intervals() {
    let group = RuleGroup::new("g", [alert(over(1.0), 0, 0)]).every(seconds(30));
    let mut evaluator = Evaluator::new([group]);
    let mut samples = Samples::new();
    samples.insert(&x(&[]), 0, 2.0);
    assert_eq!(
        evaluator.evaluate(&samples, 29 * S),
        [],
        "the first whole interval is awaited"
    );
    let changes = evaluator.evaluate(&samples, 31 * S);
    assert_eq!(changes[0].at_ms, 30 * S);
    samples.insert(&x(&[]), 32 * S, 1.0);
    assert_eq!(evaluator.evaluate(&samples, 59 * S), []);
    assert_eq!(evaluator.evaluate(&samples, 60 * S)[0].to, Inactive);
    assert_eq!(
        evaluator.evaluate(&samples, 60 * S),
        [],
        "a moment is evaluated once"
    );
    assert_eq!(
        evaluator.evaluate(&samples, 10 * S),
        [],
        "time does not run backwards"
    );
    samples.insert(&x(&[]), 200 * S, 2.0);
    assert_eq!(
        evaluator.evaluate(&samples, 215 * S)[0].at_ms,
        210 * S,
        "missed ones are not made up for"
    );
}

#[test]
fn recorded_series_are_kept_as_long_as_they_are_read() {
    let record = Rule::record("y", Expr::select(Selector::new("x")));
    let far = Expr::avg_over_time(Selector::new("y"), seconds(600));
    let mut evaluator = Evaluator::new([RuleGroup::new(
        "g",
        [record, Rule::record("z", far.clone())],
    )]);
    let mut samples = Samples::new();
    for at in 0..=2_000 {
        samples.insert(&x(&[]), at * S, at as f64);
        evaluator.evaluate(&samples, at * S);
    }
    let mean = evaluator
        .eval(&far, &samples, 2_000 * S)
        .expect("it is kept");
    assert_eq!(
        mean.as_float(),
        Some((1_401..=2_000).sum::<i64>() as f64 / 600.0)
    );
    let further = Expr::avg_over_time(Selector::new("y"), seconds(700));
    assert!(evaluator.eval(&further, &samples, 2_000 * S).is_err());
}

#[test]
fn of_two_that_record_the_same_the_first_stands() {
    let record = |value: f64| Rule::record("y", Expr::Number(value));
    let mut evaluator = Evaluator::new([RuleGroup::new("g", [record(1.0), record(2.0)])]);
    let samples = Samples::new();
    for at_ms in [0, S] {
        evaluator.evaluate(&samples, at_ms);
        let value = evaluator.eval(&Expr::select(Selector::new("y")), &samples, at_ms);
        assert_eq!(value.expect("it is well-formed").as_float(), Some(1.0));
    }
}
