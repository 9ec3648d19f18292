//! What Prometheus gets: a rule for all parts and instances.

use super::*;

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
