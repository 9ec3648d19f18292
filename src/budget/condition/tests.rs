//! Conditions over samples given by hand, by the group that Prometheus would get and by the parts that are judged here.

use super::*;
use crate::band::Dynamic;
use crate::budget::{BAND, Hours, Labels, Limit, Multiple, OBSERVED, Schedule, Select};
use crate::expr::{self, Offset, Samples, eval};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Samples of every second, and whether a level fires.
struct Trace {
    samples: Samples,
    at_ms: i64,
    counts: Vec<(expr::Labels, f64)>,
    firing: bool,
}

impl Trace {
    fn new() -> Self {
        Self {
            samples: Samples::new(),
            at_ms: 0,
            counts: Vec::new(),
            firing: false,
        }
    }

    /// Adds to a series; `labels` as `name{key=value,key=value}` has them.
    fn add(&mut self, name: &str, labels: &[(&str, &str)], by: f64) {
        let named = labels.iter().copied().chain([("__name__", name)]);
        let labels = expr::Labels::new(named);
        match self.counts.iter_mut().find(|count| count.0 == labels) {
            Some(count) => count.1 += by,
            None => self.counts.push((labels, by)),
        }
    }

    /// Counts operations of a budget's level, and those that were bad.
    fn count(&mut self, labels: &[(&str, &str)], valid: f64, bad: f64) {
        self.add(SLI_VALID, labels, valid);
        self.add(SLI_BAD, labels, bad);
    }

    /// Takes a sample of everything a second later.
    fn tick(&mut self) {
        self.at_ms += 1_000;
        for (labels, value) in &self.counts {
            self.samples.insert(labels, self.at_ms, *value);
        }
    }

    fn holds(&self, expr: &Expr) -> bool {
        !eval(expr, &self.samples, self.at_ms)
            .expect("it is there")
            .is_empty()
    }

    /// Judges a level without `for` as Prometheus does: it fires while its condition holds, and `ALERTS` says so.
    fn judge(&mut self, budget: &Budget, level: Level) -> bool {
        self.tick();
        let at = budget
            .levels()
            .position(|known| known == level)
            .expect("it is there");
        let group = budget.rule_group();
        let holds = self.holds(&group.rules[at].expr);
        let part = &budget.rules(&Labels::default())[at];
        assert_eq!(
            part.condition, group.rules[at].expr,
            "one part is all there is"
        );
        let labels = [
            ("__name__", "ALERTS"),
            ("alertname", &budget.name),
            ("alertstate", "firing"),
            ("budget", &budget.name),
            ("level", level.as_str()),
            ("severity", level.severity()),
        ];
        let labels = expr::Labels::new(labels);
        if holds {
            self.samples.insert(&labels, self.at_ms, 1.0);
        } else if self.firing {
            self.samples.insert_stale(&labels, self.at_ms);
        }
        self.firing = holds;
        holds
    }
}

fn errors() -> Budget {
    Budget::error_ratio("b", Select::http())
        .at_most(0.001)
        .over(5 * SECOND)
}

const CRITICAL: [(&str, &str); 2] = [("budget", "b"), ("level", "critical")];
const TARGET: [(&str, &str); 2] = [("budget", "b"), ("level", "target")];

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

use crate::rule::{AlertRule as RuleAlert, RuleKind};

fn alert(budget: &Budget, at: usize) -> RuleAlert {
    let rules = budget.rule_group().rules.into_iter();
    match rules.map(|rule| rule.kind).nth(at) {
        Some(RuleKind::Alert(alert)) => alert,
        other => panic!("{other:?}"),
    }
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
fn parts_side_by_side_are_the_parts_one_by_one() {
    let budget = Budget::error_ratio("b", Select::http())
        .at_most(0.1)
        .critical(Limit::from(0.5).clear(0.2))
        .over(5 * SECOND)
        .confidence(0.9)
        .min_bad(2)
        .warm_up(2 * SECOND)
        .per("route");
    let mut trace = Trace::new();
    for second in 0..60_u32 {
        trace.add(UPTIME, &[], 1.0);
        for (at, route) in ["/a", "/b", "/c"].into_iter().enumerate() {
            for level in ["target", "critical"] {
                let labels = [("budget", "b"), ("level", level), ("route", route)];
                let bad = f64::from(second * 7 % (5 * (at as u32 + 1)));
                trace.count(&labels, 20.0, bad);
            }
        }
        trace.tick();
        for (at, rule) in budget.rule_group().rules.iter().enumerate() {
            let all = eval(&rule.expr, &trace.samples, trace.at_ms)
                .expect("it is there")
                .into_points();
            let firing: Vec<&str> = all.iter().map(|point| point.labels.get("route")).collect();
            for route in ["/a", "/b", "/c"] {
                let labels: Labels = [("route", route.to_owned())].into();
                let alone = trace.holds(&budget.rules(&labels)[at].condition);
                assert_eq!(alone, firing.contains(&route), "{route} in second {second}");
            }
        }
    }
}

#[test]
fn instances_are_judged_by_themselves() {
    let budget = errors().min_events(0).warm_up(10 * SECOND).per("route");
    let group = budget.rule_group_by(["job", "instance"]);
    let by = "sum by (job, instance, route) (rate(";
    let of = "{budget=\"b\",level=\"target\"}[5s]))";
    assert_eq!(
        group.rules[0].expr.to_string(),
        format!(
            "(({by}{SLI_BAD}{of} / {by}{SLI_VALID}{of}) > 0.001) and on (job, instance) \
             (max by (job, instance) (plimsoll_uptime_seconds) >= 10)"
        )
    );
}

#[test]
fn an_alert_says_what_it_is() {
    let budget = errors().critical(
        Limit::from(0.05)
            .over(60 * SECOND)
            .sustained(3 * SECOND)
            .keep_firing(SECOND),
    );
    let rule = &budget.rule_group().rules[1];
    assert_eq!(
        rule.labels.to_string(),
        "{budget=\"b\", level=\"critical\", severity=\"critical\"}"
    );
    let alert = alert(&budget, 1);
    assert_eq!(
        (&*alert.name, alert.sustained, alert.keep_firing),
        ("b", 3 * SECOND, SECOND)
    );
    assert_eq!(
        alert.annotations,
        [(
            "summary".to_owned(),
            "b is above 0.05 (critical)".to_owned()
        )]
    );
    assert!(rule.expr.to_string().contains("[1m]"), "{}", rule.expr);
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
