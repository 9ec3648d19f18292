//! SLOs: of operations, of shares of time, and of others.

use std::time::Duration;

use super::{Explanation, explained, row};
use crate::{Plimsoll, Select, Slo};

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
fn parts_that_read_the_same_are_told_of() {
    let of = |second: &str| {
        let toml = format!(
            r#"
        expect_families = ["bad_total", "all_total"]
        [[slo]]
        name = "counted"
        bad = 'bad_total{{kind="a"}}'
        valid = "all_total"
        objective = 0.99
        rolling = 7
        [[slo]]
        name = "other"
        {second}
        objective = 0.99
        rolling = 7
        [[slo]]
        name = "both"
        weights = {{ counted = 1, other = 1 }}
        objective = 0.99
        rolling = 7
    "#
        );
        explained(&toml, "both")
    };
    let read = of("error_ratio = \"rate(bad_total[5m]) / rate(all_total[5m])\"\nslice = \"5m\"");
    assert!(
        read.contains("It reads bad_total, which counts what another part promises"),
        "{read}"
    );
    let keys = of("bad = 'bad_total{side=\"left\"}'\nvalid = \"all_total\"");
    assert!(
        keys.contains("The labels of bad_total or all_total are not the same everywhere"),
        "{keys}"
    );
}

#[test]
fn each_severity_looks_back_by_itself() {
    let toml = r#"
        [[slo]]
        name = "api"
        on = "http"
        objective = 0.99
        rolling = 28
        [[slo.burn_alert]]
        severity = "page"
        share = 0.05
        long = "1h"
        [[slo.burn_alert]]
        severity = "ticket"
        share = 0.0333
        long = "1d"
    "#;
    let text = explained(toml, "api");
    assert!(
        text.contains("After 1h3m (page), 1d1h12m (ticket) of 10 good operations per second"),
        "{text}"
    );
    assert!(
        text.contains("not within 1h15m (page), 1d6h (ticket)"),
        "{text}"
    );
    assert!(text.contains("a burn rate above 0.932, there"), "{text}");
    assert!(!text.contains("  1 % fail"), "{text}");
}

#[test]
fn endless_silence_is_too_long_to_try() {
    const CENTURY: Duration = Duration::from_secs(36_500 * 86_400);
    let quiet = Slo::availability("quiet", Select::http()).objective(0.99);
    let builder = Plimsoll::builder().slo(quiet.absent_after(CENTURY));
    let declaration = builder.declaration().expect("no mistakes");
    let text = Explanation::new(&declaration, "quiet")
        .expect("it is declared")
        .to_string();
    assert!(text.contains("than the 20 years"), "{text}");
}
