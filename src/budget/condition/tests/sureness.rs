//! Hysteresis, and how few events are no evidence.

use super::*;

#[test]
fn it_fires_above_the_limit_and_clears_below_the_clear_limit() {
    let budget = errors().critical(Limit::from(0.10).clear(0.04));
    let mut trace = Trace::new();
    trace.count(&CRITICAL, 0.0, 0.0);
    trace.tick();
    let mut fired = Vec::new();
    for bad in [
        2, 8, 20, 20, 8, 8, 6, 6, 6, 6, 6, 3, 3, 3, 3, 3, 8, 8, 8, 8, 8,
    ] {
        trace.count(&CRITICAL, 100.0, f64::from(bad));
        fired.push(trace.judge(&budget, Level::Critical));
    }
    // Shares of the four steps that a window of five seconds holds, in percent: 2, 5, 10, 12.5, 14, 14, 10.5, 7, 6.5, 6 ..
    let first = fired.iter().position(|fires| *fires).expect("it is there");
    assert_eq!(first, 3, "10 % is not above the limit: {fired:?}");
    let cleared = fired
        .iter()
        .skip(first)
        .position(|fires| !fires)
        .expect("it is there")
        + first;
    assert!(fired[first..cleared].iter().all(|fires| *fires));
    // 6 % is within the two limits and fires on; 3.75 % is the first that does not.
    assert_eq!(cleared, 13, "{fired:?}");
    assert!(
        fired[cleared..].iter().all(|fires| !fires),
        "8 % does not fire anew: {fired:?}"
    );
}

#[test]
fn hysteresis_is_promql() {
    let budget = errors()
        .critical(Limit::from(0.1).clear(0.04))
        .min_events(0);
    let rate = |name: &str| format!("sum(rate({name}{{budget=\"b\",level=\"critical\"}}[5s]))");
    let share = format!("({} / {})", rate(SLI_BAD), rate(SLI_VALID));
    let alert = "ALERTS{alertname=\"b\",alertstate=\"firing\",budget=\"b\",level=\"critical\"}";
    assert_eq!(
        budget.rule_group().rules[1].expr.to_string(),
        format!("({share} > 0.1) or (({share} > 0.04) and on () {alert})")
    );
}

#[test]
fn a_quantile_clears_by_the_counter_of_its_clear_limit() {
    let budget = Budget::quantile("b", Select::http(), 0.95)
        .at_most(Limit::from(200 * MS).clear(150 * MS))
        .over(5 * SECOND);
    assert_eq!(budget.thresholds().collect::<Vec<_>>(), [0.2, 0.15]);
    let clear = [("budget", "b"), ("level", "target"), ("edge", "clear")];
    let mut trace = Trace::new();
    let mut step = |above, above_clear| {
        trace.count(&TARGET, 100.0, above);
        trace.count(&clear, 100.0, above_clear);
        trace.judge(&budget, Level::Target)
    };
    step(0.0, 0.0);
    assert!(!step(0.0, 50.0), "the clear limit alone does not fire");
    assert!(step(50.0, 50.0));
    let after: Vec<bool> = (0..6).map(|_| step(0.0, 50.0)).collect();
    assert_eq!(after, [true; 6], "still above 150 ms");
    let after: Vec<bool> = (0..6).map(|_| step(0.0, 0.0)).collect();
    assert!(!after[5] && after[0]);
}

#[test]
fn so_few_are_no_evidence() {
    let sure = errors().confidence(0.95);
    let mut trace = Trace::new();
    trace.count(&TARGET, 0.0, 0.0);
    trace.judge(&sure, Level::Target);
    let unsure = |trace: &Trace, limit| {
        let budget = errors().confidence(0.95);
        let budget = Budget {
            limits: Vec::new(),
            ..budget
        }
        .at_most(limit);
        !trace.holds(&budget.rule_group().rules[0].expr)
    };
    // One bad of ten: 95 % sure of 1.96 % and more (10 % plainly).
    trace.count(&TARGET, 10.0, 1.0);
    trace.tick();
    assert!(unsure(&trace, 0.03) && !unsure(&trace, 0.015));
    // A hundred of a thousand: sure of 8.5 % and more.
    trace.count(&TARGET, 990.0, 99.0);
    trace.tick();
    assert!(unsure(&trace, 0.09) && !unsure(&trace, 0.08));
}

#[test]
fn a_success_ratio_is_as_sure_as_its_failures() {
    let budget = Budget::success_ratio("b", Select::http())
        .at_least(0.9)
        .over(5 * SECOND)
        .confidence(0.95);
    let mut trace = Trace::new();
    trace.count(&TARGET, 0.0, 0.0);
    trace.judge(&budget, Level::Target);
    trace.count(&TARGET, 10.0, 2.0);
    assert!(
        !trace.judge(&budget, Level::Target),
        "80 % of ten may be chance"
    );
    trace.count(&TARGET, 190.0, 38.0);
    assert!(
        trace.judge(&budget, Level::Target),
        "80 % of two hundred is not"
    );
}

#[test]
fn a_share_needs_its_minimum_of_bad_events() {
    let budget = errors().min_bad(3);
    let mut trace = Trace::new();
    trace.count(&TARGET, 0.0, 0.0);
    trace.judge(&budget, Level::Target);
    trace.count(&TARGET, 10.0, 2.0);
    assert!(!trace.judge(&budget, Level::Target));
    trace.count(&TARGET, 10.0, 1.0);
    assert!(trace.judge(&budget, Level::Target));
}
