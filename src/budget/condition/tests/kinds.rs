//! Each kind of condition.

use super::*;

#[test]
fn absent_data_is_an_alert_of_its_own() {
    let budget = errors().absent_after(60 * SECOND);
    let mut trace = Trace::new();
    assert!(trace.judge(&budget, Level::Absent), "no such series");
    trace.count(&TARGET, 5.0, 0.0);
    trace.judge(&budget, Level::Absent);
    trace.count(&TARGET, 5.0, 0.0);
    assert!(!trace.judge(&budget, Level::Absent));
    let idle: Vec<bool> = (0..6)
        .map(|_| trace.judge(&budget, Level::Absent))
        .collect();
    assert!(idle[5] && !idle[0], "{idle:?}");
    let RuleAlert { sustained, .. } = alert(&budget, 1);
    assert_eq!(sustained, 60 * SECOND);
}

#[test]
fn freshness_is_the_age_of_the_newest() {
    let budget = Budget::age("b", Selector::new("backup_timestamp_seconds")).at_most(30 * SECOND);
    assert_eq!(
        budget.rule_group().rules[0].expr.to_string(),
        "(time() - max(backup_timestamp_seconds)) > 30"
    );
    let mut trace = Trace::new();
    trace.at_ms = 100_000;
    trace.add("backup_timestamp_seconds", &[("of", "a")], 72.0);
    trace.add("backup_timestamp_seconds", &[("of", "b")], 10.0);
    assert!(!trace.judge(&budget, Level::Target), "29 s");
    assert!(!trace.judge(&budget, Level::Target), "30 s");
    assert!(trace.judge(&budget, Level::Target), "31 s");
    let operation = Budget::freshness("b", Select::http()).at_most(30 * SECOND);
    assert_eq!(
        operation.rule_group().rules[0].expr.to_string(),
        "(time() - max(plimsoll_sli_last_good_timestamp_seconds{budget=\"b\",level=\"target\"})) > 30"
    );
}

#[test]
fn hits_are_a_share_of_two_counters() {
    let counter = Selector::new;
    let budget = Budget::hit_ratio("b", counter("hits_total"), counter("misses_total"))
        .at_least(0.95)
        .warning(0.90)
        .critical(0.80)
        .over(5 * SECOND);
    let mut trace = Trace::new();
    let mut step = |hits, misses| {
        trace.add("hits_total", &[], hits);
        trace.add("misses_total", &[], misses);
        [Level::Target, Level::Warning, Level::Critical].map(|level| trace.judge(&budget, level))
    };
    step(0.0, 0.0);
    assert_eq!(step(96.0, 4.0), [false, false, false]);
    assert_eq!(step(80.0, 20.0), [true, true, false]);
    let part = Budget::ratio("b", counter("bad_total"), counter("all_total")).at_most(0.01);
    assert_eq!(
        part.min_events(0).rule_group().rules[0].expr.to_string(),
        "(sum(rate(bad_total[1m])) / sum(rate(all_total[1m]))) > 0.01"
    );
}

#[test]
fn at_other_times_other_limits_apply() {
    let schedule = Schedule::at(Offset::UTC)
        .period("business", Hours::daily(9, 18), 1.0)
        .otherwise("off-peak", [2.0, 3.0, 4.0]);
    let budget = Budget::value("b", Expr::select(Selector::new("depth")).sum())
        .at_most(10.0)
        .critical(Multiple(2.0))
        .schedule(schedule);
    let fires = |hour: i64, depth: f64| {
        let mut trace = Trace::new();
        trace.at_ms = hour * 3_600_000 - 1_000;
        trace.add("depth", &[], depth);
        [Level::Target, Level::Critical].map(|level| trace.judge(&budget, level))
    };
    assert_eq!(
        (fires(12, 10.0), fires(12, 11.0), fires(12, 21.0)),
        ([false; 2], [true, false], [true; 2])
    );
    assert_eq!(
        (fires(3, 20.0), fires(3, 21.0), fires(3, 81.0)),
        ([false; 2], [true, false], [true; 2])
    );
    let now = |hour: i64| {
        let limit = budget.rules(&Labels::default())[1]
            .limit_now
            .clone()
            .expect("it is there");
        eval(&limit, &Samples::new(), hour * 3_600_000)
            .expect("it is there")
            .as_float()
    };
    assert_eq!((now(9), now(18)), (Some(20.0), Some(80.0)));
}

#[test]
fn a_quantile_has_a_counter_for_each_time() {
    let schedule = Schedule::at(Offset::UTC)
        .period("day", Hours::daily(9, 18), 1.0)
        .otherwise("night", 1.2);
    let budget = Budget::quantile("b", Select::http(), 0.95)
        .at_most(200 * MS)
        .over(5 * SECOND)
        .schedule(schedule);
    assert_eq!(budget.thresholds().collect::<Vec<_>>(), [0.2, 0.2, 0.24]);
    let condition = budget.rule_group().rules[0].expr.to_string();
    assert!(
        condition.contains(
            "plimsoll_sli_bad_total{budget=\"b\",level=\"target\",schedule=\"night\"}[5s]"
        )
    );
    let with_edges = Budget {
        limits: Vec::new(),
        ..budget.clone()
    };
    let with_edges = with_edges.at_most(Limit::from(200 * MS).clear(150 * MS));
    let thresholds: Vec<f64> = with_edges.thresholds().collect();
    assert_eq!(thresholds, [0.2, 0.2, 0.15, 0.24, 0.18]);
    let mut trace = Trace::new();
    let labels = |schedule| [TARGET[0], TARGET[1], ("schedule", schedule)];
    // Everything takes 220 ms.
    for _ in 0..2 {
        trace.count(&TARGET, 10.0, 10.0);
        trace.count(&labels("day"), 10.0, 10.0);
        trace.count(&labels("night"), 10.0, 0.0);
        assert!(!trace.judge(&budget, Level::Target), "it is midnight");
    }
    trace.at_ms = 10 * 3_600_000;
    for fires in [false, true] {
        trace.count(&TARGET, 10.0, 10.0);
        trace.count(&labels("day"), 10.0, 10.0);
        trace.count(&labels("night"), 10.0, 0.0);
        assert_eq!(
            trace.judge(&budget, Level::Target),
            fires,
            "a rate has two samples"
        );
    }
}

#[test]
fn what_is_learned_is_compared_part_by_part() {
    let p95 = Budget::quantile("b", Select::http(), 0.95).dynamic(Dynamic::default());
    assert_eq!(p95.thresholds().count(), 0, "no bound is needed");
    let rules = p95.clone().per("route").rule_group_by(["job"]).rules;
    assert_eq!(
        rules[1].expr.to_string(),
        "(plimsoll_budget_observed{budget=\"b\"} > on (job, route) plimsoll_budget_band{budget=\"b\",level=\"critical\"}) \
         and (sum by (job, route) (increase(plimsoll_sli_valid_total{budget=\"b\",level=\"warning\"}[1m])) >= 1)"
    );
    let success = Budget::success_ratio("b", Select::http()).at_least(0.9);
    let success = success.min_events(0).dynamic(Dynamic::default());
    assert_eq!(
        success.rule_group().rules[1].expr.to_string(),
        "(1 - (sum(rate(plimsoll_sli_bad_total{budget=\"b\",level=\"target\"}[1m])) / \
         sum(rate(plimsoll_sli_valid_total{budget=\"b\",level=\"target\"}[1m])))) < on () \
         plimsoll_budget_band{budget=\"b\",level=\"warning\"}"
    );
    let mut trace = Trace::new();
    let route = |route| ("route", route);
    let of_budget = ("budget", "b");
    for (name, observed) in [("/fast", 0.1), ("/slow", 0.3)] {
        let counter = [of_budget, ("level", "warning"), route(name)];
        trace.count(&counter, 0.0, 0.0);
        trace.add(OBSERVED, &[of_budget, route(name)], observed);
        for level in ["warning", "critical"] {
            trace.add(BAND, &[of_budget, ("level", level), route(name)], 0.2);
        }
    }
    let per_route = p95.per("route");
    let labels = |name: &str| Labels::from([("route", name.to_owned())]);
    let parts = ["/fast", "/slow"].map(|name| per_route.rules(&labels(name))[0].condition.clone());
    let all = &per_route.rule_group().rules[0].expr;
    for _ in 0..3 {
        for name in ["/fast", "/slow"] {
            trace.count(&[of_budget, ("level", "warning"), route(name)], 10.0, 0.0);
        }
        trace.tick();
    }
    assert_eq!(
        parts.each_ref().map(|part| trace.holds(part)),
        [false, true]
    );
    let all = eval(all, &trace.samples, trace.at_ms)
        .expect("it is well-formed")
        .into_points();
    let fires: Vec<_> = all.iter().map(|point| point.labels.get("route")).collect();
    assert_eq!(fires, ["/slow"]);
}
