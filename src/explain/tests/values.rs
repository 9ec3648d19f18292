//! Gauges, ages, and limits that are learned.

use super::{Explanation, explained, row};
use crate::{Budget, Plimsoll, Selector};

#[test]
fn a_gauge_is_set_to_both_sides_of_its_limits() {
    let toml = r#"
        expect_families = ["queue_depth"]
        [[budget]]
        name = "queue"
        gauge = "queue_depth"
        warning = { limit = 80, clear = 60, for = "30s" }
        critical = { limit = 100, keep_firing_for = "5m" }
        absent_after = "5m"
    "#;
    let text = explained(toml, "queue");
    assert!(
        text.contains("After 1m6s of sum(queue_depth) at 30,"),
        "{text}"
    );
    assert_eq!(row(&text, "at 72"), ["never", "never", "never"], "{text}");
    assert_eq!(
        row(&text, "at 90"),
        ["31s", "1s", "never", "never"],
        "{text}"
    );
    assert_eq!(
        row(&text, "at 110"),
        ["31s", "1s", "1s", "5m1s", "never"],
        "{text}"
    );
    assert_eq!(
        row(&text, "no values"),
        ["never", "never", "5m1s", "1s"],
        "{text}"
    );
}

#[test]
fn a_floor_of_a_gauge_is_gone_below() {
    let toml = r#"
        expect_families = ["free_slots"]
        [[budget]]
        name = "free"
        gauge = "free_slots"
        at_least = 10
    "#;
    let text = explained(toml, "free");
    assert!(text.contains("sum(free_slots) at 15,"), "{text}");
    assert_eq!(row(&text, "at 11"), ["never"], "{text}");
    assert_eq!(row(&text, "at 9"), ["1s", "1s"], "{text}");
}

#[test]
fn a_limit_of_nothing_has_two_sides_too() {
    let toml = r#"
        expect_families = ["stuck"]
        [[budget]]
        name = "stuck"
        gauge = "stuck"
        at_most = 0
    "#;
    let text = explained(toml, "stuck");
    assert_eq!(row(&text, "at -0.1"), ["never"], "{text}");
    assert_eq!(row(&text, "at 1"), ["1s", "1s"], "{text}");
}

#[test]
fn what_grows_old_does_so_because_nothing_is_new() {
    let toml = r#"
        expect_families = ["backup_timestamp_seconds"]
        [[budget]]
        name = "backup"
        gauge = "backup_timestamp_seconds"
        sli = "age"
        at_most = "1h"
    "#;
    let text = explained(toml, "backup");
    assert_eq!(row(&text, "nothing new"), ["1h", "1s"], "{text}");
    assert_eq!(row(&text, "new every 54m"), ["never"], "{text}");
    assert_eq!(row(&text, "new every 1h6m")[0], "1h", "{text}");
}

#[test]
fn a_learned_limit_is_learned_from_what_is_usual() {
    let toml = r#"
        [[budget]]
        name = "slow"
        on = "http"
        quantile = 0.95
        dynamic = { floor = "200ms" }
        for = "2m"
    "#;
    let text = explained(toml, "slow");
    assert!(
        text.contains("the same hours of 2 weeks at 133ms"),
        "{text}"
    );
    assert_eq!(row(&text, "1.2 times: 160ms"), ["never", "never"], "{text}");
    let twice = row(&text, "2 times: 267ms");
    assert!(twice.iter().all(|cell| *cell != "never"), "{text}");
    assert!(twice[0].starts_with("2m"), "{text}");
}

#[test]
fn a_classic_band_learns_from_what_varies() {
    let toml = r#"
        expect_families = ["users"]
        [[budget]]
        name = "users"
        gauge = "users"
        dynamic = { method = "classic", window = "1h", every = "30s" }
    "#;
    let text = explained(toml, "users");
    assert!(
        text.contains("1h at 100 give or take 15 % of it by turns"),
        "{text}"
    );
    // At noon: 0.9 · (1 + 2 · 0.15) = 1.17 and 0.95 · (1 + 3 · 0.15) = 1.3775 times.
    let row = row(&text, "1.2 times: 120");
    assert_eq!((row[0], row[2]), ("15s", "never"), "{text}");
}

#[test]
fn a_counter_never_shrinks() {
    let toml = r#"
        expect_families = ["crashes_total"]
        [[budget]]
        name = "crashes"
        condition = "sum(rate(crashes_total[5m])) > 0"
    "#;
    let text = explained(toml, "crashes");
    assert!(text.contains(" at 0,"), "{text}");
    assert!(!text.contains("at -"), "{text}");
    assert_ne!(row(&text, "at 1")[0], "never", "{text}");
}

#[test]
fn a_share_of_one_family_has_two_sides() {
    let toml = r#"
        expect_families = ["orders_total"]
        [[budget]]
        name = "orders"
        condition = 'sum(rate(orders_total{result="error"}[5m])) / sum(rate(orders_total[5m])) > 0.1'
    "#;
    let text = explained(toml, "orders");
    assert_ne!(row(&text, "at 0.11")[0], "never", "{text}");
    assert_eq!(row(&text, "at 0.09"), ["never"], "{text}");
}

#[test]
fn what_is_judged_is_not_what_it_is_judged_under() {
    let toml = r#"
        expect_families = ["queue_depth"]
        [[budget]]
        name = "queue"
        gauge = "queue_depth"
        at_most = 100
        when = "sum(queue_depth) > 0"
    "#;
    let text = explained(toml, "queue");
    assert!(
        text.contains("which reads queue_depth as what is judged does"),
        "{text}"
    );
}

#[test]
fn counters_that_are_driven_are_what_it_is_judged_under() {
    let toml = r#"
        expect_families = ["hits_total", "misses_total"]
        [[budget]]
        name = "cache"
        hits = "hits_total"
        misses = "misses_total"
        at_least = 0.9
        when = "sum(rate(hits_total[1m])) + sum(rate(misses_total[1m])) > 1"
    "#;
    let text = explained(toml, "cache");
    assert_ne!(row(&text, "100 % bad")[0], "never", "{text}");
    assert_eq!(row(&text, "no events"), ["never"], "{text}");
}

#[test]
fn what_takes_too_long_is_said() {
    let ages = r#"
        expect_families = ["stamp_seconds"]
        [[budget]]
        name = "age"
        gauge = "stamp_seconds"
        sli = "age"
        at_most = "1000years"
    "#;
    let text = explained(ages, "age");
    assert!(text.contains("than the 20 years"), "{text}");
}

#[test]
fn counters_that_are_measured_are_not_made_up() {
    let gateway = include_str!("../../../examples/declarations/gateway.toml");
    let text = explained(gateway, "data-accuracy");
    assert!(
        text.contains("bifrost_data_validation_failures_total, which is measured and not set"),
        "{text}"
    );
    assert!(
        text.contains("99.99 % of what bifrost_data_points_checked_total counts is not counted by bifrost_data_validation_failures_total, over each month."),
        "{text}"
    );
}

#[test]
fn selectors_are_said_with_their_labels() {
    let toml = r#"
        expect_families = ["http_total"]
        [[slo]]
        name = "codes"
        bad = 'http_total{code=~"5.."}'
        valid = "http_total"
        objective = 0.9995
        rolling = 30
        burn_alerts = false
    "#;
    let slo = explained(toml, "codes");
    assert!(
        slo.contains(
            r#"99.95 % of what http_total counts is not counted by http_total{code=~"5.."}, over"#
        ),
        "{slo}"
    );
    let failed = Selector::new("http_total").label("code", "500");
    let found = Selector::new("http_total").label_not("code", "404");
    let budget = Budget::ratio("orders", failed, found).at_most(0.01);
    let declaration = Plimsoll::builder().toml(toml).budget(budget).declaration();
    let declaration = declaration.expect("no mistakes");
    let budget = Explanation::new(&declaration, "orders").expect("it is declared");
    let text = budget.to_string();
    assert!(
        text.contains(r#"at most 1 % of what http_total{code!="404"} counts is counted by http_total{code="500"}, over 1m."#),
        "{text}"
    );
}

#[test]
fn short_limits_and_named_operations_are_said_as_people_say_them() {
    let toml = r#"
        [[budget]]
        name = "a"
        on = "operation"
        labels = { operation = "routing" }
        quantile = 0.99
        at_most = "800us"
    "#;
    let text = explained(toml, "a");
    assert!(
        text.contains("at most 1 % of operations named routing take longer than 800µs (p99)"),
        "{text}"
    );
}

#[test]
fn what_a_rule_records_is_told_of() {
    use crate::expr::Expr;
    use crate::rule::{Rule, RuleGroup};

    let toml = r#"
        expect_families = ["depth"]
        [[budget]]
        name = "load"
        condition = "sum(shop:load) > 5"
        [[slo]]
        name = "loaded"
        condition = "shop:load < 5"
        objective = 0.99
        [[budget]]
        name = "errors"
        on = "http"
        sli = "error_ratio"
        at_most = 0.1
        when = "shop:load > 3"
    "#;
    let load = Expr::select(Selector::new("depth")).sum();
    let rules = RuleGroup::new("shop", [Rule::record("shop:load", load)]);
    let declaration = Plimsoll::builder().toml(toml).rules([rules]).declaration();
    let declaration = declaration.expect("no mistakes");
    for name in ["load", "loaded", "errors"] {
        let text = Explanation::new(&declaration, name).expect("it is declared");
        let text = text.to_string();
        assert!(
            text.contains("It reads shop:load, which a rule records"),
            "{text}"
        );
    }
}

#[test]
fn counters_that_nothing_tells_apart_are_told_of() {
    let explained = |part: &str| {
        let toml = format!(
            "expect_families = [\"b_total\"]\n[[budget]]\nname = \"b\"\npart = '{part}'\nwhole = \"b_total\"\nat_most = 0.1"
        );
        explained(&toml, "b")
    };
    let same = explained("b_total");
    assert!(
        same.contains("No labels were found that tell b_total from the rest of b_total"),
        "{same}"
    );
}
