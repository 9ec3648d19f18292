use super::*;
use crate::band::Method;
use crate::expr::{Offset, Selector};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn problems(budget: Budget) -> String {
    let keys = budget
        .select()
        .map_or(&[][..], |select| select.domain.keys());
    let problems = budget.problems(SECOND, keys).into_iter();
    problems
        .map(|(field, message)| format!("{field} {message}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_quantile_is_judged_as_a_share_of_exact_counts() {
    let budget = Budget::quantile("p95", Select::http(), 0.95)
        .at_most(Duration::from_millis(200))
        .over(5 * SECOND);
    let rules = budget.rules(&Labels::default());
    assert_eq!(rules.len(), 1);
    assert_eq!(
        rules[0].condition.to_string(),
        "((sum(rate(plimsoll_sli_bad_total{budget=\"p95\",level=\"target\"}[5s])) / \
         sum(rate(plimsoll_sli_valid_total{budget=\"p95\",level=\"target\"}[5s]))) > 0.05) and \
         (sum(increase(plimsoll_sli_valid_total{budget=\"p95\",level=\"target\"}[5s])) >= 1)"
    );
    assert_eq!((rules[0].limit, rules[0].unit), (0.2, "s"));
    assert_eq!(budget.thresholds().collect::<Vec<_>>(), [0.2]);
}

#[test]
fn a_throughput_floor_can_wait_for_load() {
    let running = Expr::select(Selector::new("load_running"))
        .sum()
        .greater(0.0);
    let budget = Budget::throughput("floor", Select::http())
        .at_least(100.0)
        .warm_up(10 * SECOND)
        .when(running);
    assert_eq!(
        budget.rules(&Labels::default())[0].condition.to_string(),
        "((sum(rate(plimsoll_sli_valid_total{budget=\"floor\",level=\"target\"}[1m])) < 100) and \
         (max(plimsoll_uptime_seconds) >= 10)) and on () (sum(load_running) > 0)"
    );
    assert_eq!(problems(budget), "");
}

#[test]
fn each_level_is_a_rule() {
    let budget = Budget::error_ratio("errors", Select::db())
        .at_most(0.0001)
        .warning(0.001)
        .critical(0.01);
    let limits: Vec<_> = budget
        .rules(&Labels::default())
        .iter()
        .map(|rule| (rule.level, rule.limit))
        .collect();
    assert_eq!(
        limits,
        [
            (Level::Target, 0.0001),
            (Level::Warning, 0.001),
            (Level::Critical, 0.01)
        ]
    );
}

#[test]
fn mistakes_name_the_field_and_the_mend() {
    let ms = Duration::from_millis;
    for (budget, expected) in [
        (
            Budget::quantile("b", Select::http(), 1.5).at_most(ms(1)),
            "budget \"b\": quantile 1.5 is not between 0 and 1",
        ),
        (
            Budget::quantile("b", Select::data_points(), 0.5).at_most(ms(1)),
            "budget \"b\": quantile is not for point, which has no durations: promise a success_ratio",
        ),
        (
            Budget::error_ratio("b", Select::http()).at_most(1.5),
            "at_most 1.5 is not a ratio between 0 and 1: write 0.015 for 1.5 %",
        ),
        (
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .over(Duration::ZERO),
            "over 0ns is not a window",
        ),
        (Budget::error_ratio("b", Select::http()), "limit is missing"),
        (
            Budget::error_ratio("b", Select::http()).at_least(0.1),
            "promised with at_most",
        ),
        (
            Budget::success_ratio("b", Select::http()).at_most(0.1),
            "promised with at_least",
        ),
        (
            Budget::error_ratio("b", Select::http()).at_most(f64::NAN),
            "at_most NaN is not a ratio between 0 and 1: write 0.01 for 1 %",
        ),
        (
            Budget::error_ratio("", Select::http()).at_most(0.1),
            "name is empty",
        ),
        (
            Budget::error_ratio("a\nb", Select::http()).at_most(0.1),
            r#"budget "a\nb": name "a\nb" has a line break or another control character"#,
        ),
        (
            Budget::error_ratio("b", Select::http()).at_most(99.9),
            "at_most 99.9 is not a ratio between 0 and 1: write 0.999 for 99.9 %",
        ),
        (
            Budget::quantile("b", Select::http(), 0.95).at_most(ms(4_000_000)),
            "at_most 4000 s is outside what is measured",
        ),
        (
            Budget::quantile("b", Select::http(), 0.95)
                .at_most(ms(3_000_000))
                .critical(Multiple(2.0)),
            "critical 6000 s is outside what is measured",
        ),
        (
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .warning(0.3)
                .critical(0.2),
            "critical 0.2 is milder than the warning 0.3: set it at or above that",
        ),
        (
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .absent_after(Duration::ZERO),
            "absent_after 0ns is no time",
        ),
        (
            Budget::age("b", Selector::new("time")).at_most(ms(0)),
            "at_most 0 s is no age",
        ),
        (
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .schedule(Schedule::at(crate::expr::Offset::UTC).period(
                    "a",
                    Hours::daily(0, 23),
                    1.0,
                )),
            "schedule leaves a gap at Sunday 23..24, Monday 23..24",
        ),
        (
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .at_most(0.2),
            "at_most is given twice",
        ),
        (
            Budget::quantile("b", Select::http(), 0.5).at_most(ms(0)),
            "0 s is outside what is measured",
        ),
        (
            Budget::error_ratio("b", Select::db().label("route", "/a")).at_most(0.1),
            "labels: route is not a label of db: it has operation, model",
        ),
    ] {
        let problems = problems(budget);
        assert!(
            problems.contains(expected),
            "{problems:?} should say {expected:?}"
        );
    }
}

#[test]
fn a_part_has_rules_over_its_own_counters() {
    let budget = Budget::error_ratio("errors", Select::http())
        .at_most(0.001)
        .per("route");
    let labels: Labels = [("route", "/a".to_owned())].into();
    let rules = budget.rules(&labels);
    assert_eq!(
        rules[0].condition.to_string(),
        "((sum(rate(plimsoll_sli_bad_total{budget=\"errors\",level=\"target\",route=\"/a\"}[1m])) / \
         sum(rate(plimsoll_sli_valid_total{budget=\"errors\",level=\"target\",route=\"/a\"}[1m]))) > 0.001) and \
         (sum(increase(plimsoll_sli_valid_total{budget=\"errors\",level=\"target\",route=\"/a\"}[1m])) >= 1)"
    );
    assert_eq!(problems(budget.clone()), "");
    assert_eq!(
        problems(budget.clone().per("route").per("path")),
        "budget \"errors\": per \"route\" stands twice: name it once\n\
         budget \"errors\": per \"path\" is not a label of http: it has method, route"
    );
    let clashing = budget.per("schedule");
    assert_eq!(
        problems(clashing),
        "budget \"errors\": per \"schedule\" is a label that every SLI counter has: rename yours"
    );
    let depth = Budget::value("depth", Expr::select(Selector::new("depth")).sum());
    assert_eq!(
        problems(depth.at_most(1.0).per("queue")),
        "budget \"depth\": per \"queue\" is not for a value, which has no operations: leave it out"
    );
}

#[test]
fn a_share_of_time_is_promql_too() {
    let labels: Labels = [("device", "press-3".to_owned())].into();
    let rules = Budget::device_availability("there").rules(&labels);
    let of = "{budget=\"there\",level=\"target\",device=\"press-3\"}[1h]";
    let share = format!(
        "1 - (sum(rate(plimsoll_sli_bad_total{of})) / sum(rate(plimsoll_sli_valid_total{of})))"
    );
    let enough = format!("sum(increase(plimsoll_sli_valid_total{of})) >= 60");
    let expected = format!("(({share}) < 0.995) and ({enough})");
    assert_eq!(rules[0].condition.to_string(), expected);
}

#[test]
fn presets_of_devices_are_without_mistakes() {
    let presets = [
        Budget::device_connect("a"),
        Budget::device_request("b", Duration::from_millis(100)),
        Budget::device_success("c"),
        Budget::device_availability("d"),
        Budget::device_freshness("e"),
        Budget::cycle_overruns("f"),
        Budget::device_accuracy("g"),
    ];
    for budget in presets {
        let keys = budget.select().expect("operations").domain.keys();
        assert_eq!(budget.problems(Duration::from_secs(1), keys), []);
    }
}

#[test]
fn mistakes_in_dynamic_limits_name_the_mend() {
    let errors = |dynamic| Budget::error_ratio("b", Select::http()).dynamic(dynamic);
    assert_eq!(problems(errors(Dynamic::default())), "");
    assert_eq!(
        problems(errors(Dynamic::default().floor(0.01)).at_most(0.05)),
        ""
    );
    let floor = problems(errors(Dynamic::default().floor(5.0)));
    assert_eq!(
        floor,
        "budget \"b\": dynamic: floor 5 is not a ratio between 0 and 1: write 0.05 for 5 %"
    );
    let sensitivity = problems(errors(Dynamic::default().sensitivity(0.0).every(MS)));
    assert_eq!(
        sensitivity,
        "budget \"b\": dynamic: sensitivity 0 is not above 0 and at most 100: 1 leaves the band as it is\n\
         budget \"b\": dynamic: every 1ms is not from 1s to 5m: a history has a sample for each five minutes"
    );
    let beside = errors(Dynamic::default())
        .warning(0.1)
        .confidence(0.9)
        .min_bad(2);
    let beside = problems(beside.schedule(Schedule::at(Offset::UTC).otherwise("always", 1.0)));
    assert_eq!(
        beside,
        "budget \"b\": warning stands beside dynamic, which learns it: keep one of the two\n\
         budget \"b\": schedule is for limits that are declared: leave it or dynamic out\n\
         budget \"b\": confidence is for limits that are declared: leave it or dynamic out\n\
         budget \"b\": min_bad is for limits that are declared: leave it or dynamic out"
    );
    let rate = Budget::throughput("b", Select::http()).dynamic(Dynamic::new(Method::Classic));
    assert_eq!(
        problems(rate),
        "budget \"b\": dynamic: method classic is for values of which less is better: choose hour_of_week"
    );
}

#[test]
fn limits_of_key_figures_are_told_in_their_unit() {
    let all = |kpi: Kpi| {
        let budgets = kpi.budgets().into_iter();
        budgets.map(problems).collect::<Vec<_>>().join("\n")
    };
    let errors = || Kpi::new(Budget::error_ratio("k", Select::http())).unit(KpiUnit::Percent);
    let uptime = Kpi::new(Budget::success_ratio("k", Select::http())).unit(KpiUnit::Percent);
    let p95 = Kpi::new(Budget::quantile("k", Select::http(), 0.95)).unit(KpiUnit::Milliseconds);
    for (kpi, expected) in [
        (
            errors().target(120.0),
            "at_most 120 % is not from 0 % to 100 %: write 1 for 1 %",
        ),
        (
            errors().max(100.0),
            "critical 100 % can never be exceeded: write 1 for 1 %",
        ),
        (
            errors().warning(50.0).critical(40.0),
            "critical 40 % is milder than the warning 50 %: set it at or above that",
        ),
        (
            uptime.target(0.0),
            "at_least 0 % is always kept: write 99 for 99 %",
        ),
        (
            p95.target(4e6),
            "at_most 4000000 ms is outside what is measured: it takes more than 0 and at most 3600000 ms",
        ),
    ] {
        let said = all(kpi);
        assert!(said.ends_with(expected) && !said.contains('\n'), "{said}");
    }
}
