use super::*;

fn explained(toml: &str, name: &str) -> String {
    let declaration = Declaration::parse(toml).expect("no mistakes");
    Explanation::new(&declaration, name)
        .expect("it is declared")
        .to_string()
}

/// The cells of a row of the table.
fn row<'a>(text: &'a str, situation: &str) -> Vec<&'a str> {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(situation));
    let rest = line
        .expect(situation)
        .split_once(situation)
        .expect(situation)
        .1;
    rest.split_whitespace().collect()
}

#[test]
fn an_slo_says_how_fast_it_calls_and_clears() {
    let toml = r#"
        [[slo]]
        name = "api"
        on = "http"
        objective = 0.999
        rolling = 30
        [[slo.burn_alert]]
        severity = "page"
        share = 0.02
        long = "1h"
        [[slo.burn_alert]]
        severity = "ticket"
        share = 0.05
        long = "6h"
    "#;
    let text = explained(toml, "api");
    assert!(
        text.contains("99.9 % of HTTP requests do not fail, over a rolling 30d period."),
        "{text}"
    );
    assert!(
        text.contains("0.1 %, as much as 43m12s of full outage"),
        "{text}"
    );
    let outage = row(&text, "100 % fail");
    // 1.44 % of an hour are 51.84 s, 0.6 % of six hours 129.6 s; the short windows are 5 and 30 minutes.
    assert_eq!((outage[0], outage[2]), ("52s", "2m10s"), "{text}");
    assert!(
        outage[1].starts_with("4m5") && outage[3].starts_with("29m"),
        "{text}"
    );
    assert_eq!(row(&text, "0.05 % fail"), ["never", "never"], "{text}");
    assert_eq!(row(&text, "0.2 % fail"), ["never", "never"], "{text}");
    assert_eq!(row(&text, "no operations"), ["never", "never"], "{text}");
}

#[test]
fn a_budget_says_what_holds_it_back() {
    let toml = r#"
        [[budget]]
        name = "slow"
        on = "http"
        quantile = 0.95
        warning = { limit = "200ms", for = "2m" }
        critical = "500ms"
        min_events = 20
        absent_after = "10m"
    "#;
    let text = explained(toml, "slow");
    assert!(
        text.contains(
            "warning: at most 5 % of HTTP requests take longer than 200ms (p95), over 1m."
        ),
        "{text}"
    );
    assert!(text.contains("fires when this has held for 2m"), "{text}");
    assert!(text.contains("windows with fewer than 20 events"), "{text}");
    let full = row(&text, "100 % too slow");
    assert_eq!(full, ["2m4s", "57s", "4s", "57s", "never"], "{text}");
    assert_eq!(
        row(&text, "2.5 % too slow"),
        ["never", "never", "never"],
        "{text}"
    );
    assert_eq!(
        row(&text, "no operations"),
        ["never", "never", "11m", "1s"],
        "{text}"
    );
}

#[test]
fn a_floor_is_tried_from_above() {
    let toml = r#"
        [[budget]]
        name = "rate"
        on = "http"
        sli = "throughput"
        at_least = 10
    "#;
    let text = explained(toml, "rate");
    assert!(
        text.contains("After 1m6s of 15 good operations per second, on a Monday"),
        "{text}"
    );
    assert_ne!(row(&text, "no operations"), ["never"], "{text}");
    assert_ne!(row(&text, "5 per second"), ["never"], "{text}");
}

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
        row(&text, "at 88"),
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
fn a_share_of_time_is_violated_by_turns() {
    let toml = r#"
        expect_families = ["line_up"]
        [[slo]]
        name = "line"
        state = "line_up"
        objective = 0.99
        rolling = 7
        absent_after = "10m"
        [[slo.burn_alert]]
        severity = "page"
        share = 0.05
        long = "1h"
    "#;
    let text = explained(toml, "line");
    assert!(text.contains("judged every 15s"), "{text}");
    let all = row(&text, "violated 100 % of the time");
    // A burn rate of 8.4 is 8.4 % of an hour, 302 s.
    assert!(all[0].starts_with("5m"), "{text}");
    let half = row(&text, "violated 50 % of the time");
    assert!(half[0].starts_with("10m"), "{text}");
    assert_eq!(
        row(&text, "violated 2 % of the time"),
        ["never", "never"],
        "{text}"
    );
    let nothing = row(&text, "no values");
    assert_eq!((nothing[0], nothing[1]), ("never", "10m"), "{text}");
}

#[test]
fn slices_of_time_are_violated_one_by_one() {
    let toml = r#"
        expect_families = ["line_up"]
        [[slo]]
        name = "line"
        state = "line_up"
        slice = "1m"
        objective = 0.99
        rolling = 7
        [[slo.burn_alert]]
        severity = "page"
        share = 0.1
        long = "2h"
    "#;
    let text = explained(toml, "line");
    // A burn rate of 8.4 is more than ten slices of 120.
    let all = row(&text, "violated 100 % of the time");
    assert!(all[0].starts_with("11m"), "{text}");
    let half = row(&text, "violated 50 % of the time");
    assert!(half[0].starts_with("22m"), "{text}");
}

const SHOP: &str = r#"
    [[slo]]
    name = "orders"
    on = "http"
    labels = { route = "/orders" }
    objective = 0.99
    rolling = 7
    [[slo]]
    name = "payments"
    on = "http"
    labels = { route = "/payments" }
    threshold = "300ms"
    objective = 0.9
    rolling = 7
    burn_alerts = false
    [[slo]]
    name = "shop"
    objective = 0.95
    rolling = 7
    weights = { orders = 3, payments = 1 }
    [[slo.burn_alert]]
    severity = "page"
    share = 0.05
    long = "1h"
"#;

#[test]
fn a_composite_is_bad_in_one_part_or_in_all() {
    let text = explained(SHOP, "shop");
    // A burn rate of 8.4 is an error ratio of 0.42: more than one part of four can be.
    assert_eq!(row(&text, "payments: 100 % too slow"), ["never"], "{text}");
    assert_ne!(row(&text, "orders: 100 % fail"), ["never"], "{text}");
    let all = row(&text, "all of them: 100 %");
    assert!(all[0].starts_with("25m"), "{text}");
    assert_eq!(row(&text, "no operations"), ["never"], "{text}");
}

#[test]
fn a_composite_of_all_is_violated_by_each() {
    let toml = SHOP.replace(
        "weights = { orders = 3, payments = 1 }",
        "all_of = [\"orders\", \"payments\"]",
    );
    let text = explained(&toml.replace("0.95", "0.99"), "shop");
    for situation in [
        "payments: 100 % too slow",
        "orders: 2 % fail",
        "all of them: 100 %",
    ] {
        assert_ne!(row(&text, situation), ["never"], "{text}");
    }
}

#[test]
fn what_cannot_be_made_up_is_said_plainly() {
    let toml = r#"
        [[budget]]
        name = "uptime"
        gauge = "plimsoll_uptime_seconds"
        at_least = 60
        [[budget]]
        name = "imports"
        on = "operation"
        sli = "freshness"
        dynamic = {}
        [[slo]]
        name = "quiet"
        on = "http"
        objective = 0.99
        burn_alerts = false
    "#;
    let of = |name| explained(toml, name);
    assert!(of("uptime").contains("plimsoll_uptime_seconds, which is measured and not set"));
    assert!(of("imports").contains("cannot be made up here"));
    assert!(of("quiet").contains("It has no alert that could fire."));
}

#[test]
fn names_that_are_alike_are_suggested() {
    let toml = "[[budget]]\nname = \"api-p95\"\non = \"http\"\nquantile = 0.95\nat_most = \"1s\"";
    let declaration = Declaration::parse(toml).expect("no mistakes");
    let refused = |name| {
        Explanation::new(&declaration, name)
            .expect_err(name)
            .to_string()
    };
    assert!(refused("api_p95").ends_with(r#"did you mean "api-p95"?"#));
    assert!(
        refused("API").ends_with(r#"did you mean "api-p95"?"#)
            || refused("api").ends_with(r#"did you mean "api-p95"?"#)
    );
    assert!(refused("something-else").ends_with("take the name of one that the file declares"));
}
