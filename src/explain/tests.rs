mod slos;
mod values;

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
    assert!(refused("something-else").ends_with(r#"declared are "api-p95""#));
}

#[test]
fn what_tells_of_silence_by_itself_is_not_told_to() {
    let promise = |sli: &str| {
        let toml =
            format!("[[budget]]\nname = \"a\"\non = \"http\"\nsli = {sli}\nmin_events = 1\n");
        explained(&toml, "a")
    };
    let told = "silence: without events";
    assert!(promise("\"error_ratio\"\nat_most = 0.1").contains(told));
    let fresh = promise("\"freshness\"\nat_most = \"1m\"");
    assert!(!fresh.contains(told), "{fresh}");
    let alone = "expect_families = [\"depth\"]\n[[budget]]\nname = \"a\"\ngauge = \"depth\"\nat_most = 5\nabsent_after = \"5m\"\n";
    let text = explained(alone, "a");
    assert!(!text.contains("What it does not see"), "{text}");
}

#[test]
fn no_situation_is_at_a_limit() {
    let promise = |limits: &str| {
        let toml = format!("[[budget]]\nname = \"a\"\non = \"http\"\n{limits}\n");
        explained(&toml, "a")
    };
    let p99 = promise("quantile = 0.99\nat_most = \"1s\"");
    assert!(!p99.contains("  1 % too slow"), "{p99}");
    assert_ne!(row(&p99, "2 % too slow")[0], "never", "{p99}");
    assert_eq!(row(&p99, "0.5 % too slow"), ["never"], "{p99}");
    let two = promise("sli = \"error_ratio\"\nwarning = 0.05\ncritical = 0.1");
    assert!(!two.contains("  10 % fail") && !two.contains("  5 % fail"));
    let between = row(&two, "7.5 % fail");
    assert_ne!(between[0], "never", "{two}");
    assert_eq!(between[2], "never", "{two}");
}

#[test]
fn so_much_happens_that_small_shares_are_seen() {
    let toml = r#"
        [[budget]]
        name = "a"
        on = "http"
        sli = "error_ratio"
        at_most = 0.0001
    "#;
    let text = explained(toml, "a");
    assert!(text.contains("1667 good operations per second"), "{text}");
    assert_ne!(row(&text, "0.02 % fail")[0], "never", "{text}");
    assert_eq!(row(&text, "0.005 % fail"), ["never"], "{text}");
}

#[test]
fn what_takes_long_is_judged_often_enough() {
    let toml = r#"
        [[budget]]
        name = "patient"
        on = "http"
        sli = "error_ratio"
        at_most = 0.1
        for = "10h"
        [[budget]]
        name = "month"
        on = "http"
        sli = "error_ratio"
        at_most = 0.1
        over = "30d"
        [[budget]]
        name = "endless"
        on = "http"
        sli = "error_ratio"
        at_most = 0.1
        for = "500d"
    "#;
    let patient = explained(toml, "patient");
    assert_eq!(row(&patient, "100 % fail")[0], "10h", "{patient}");
    assert!(
        patient.contains("Times above 8m20s are found in steps of a 500th"),
        "{patient}"
    );
    let month = explained(toml, "month");
    // A tenth of 30 days.
    assert_eq!(row(&month, "100 % fail")[0], "3d", "{month}");
    let endless = explained(toml, "endless");
    assert!(
        endless.contains("must be judged every 20s until then, which takes too long"),
        "{endless}"
    );
}

#[test]
fn the_worst_case_is_tried_beside_a_limit_near_it() {
    let worst = |limit: &str| {
        let toml = format!(
            "[[budget]]\nname = \"a\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = {limit}\n"
        );
        explained(&toml, "a")
    };
    let near = worst("0.95");
    assert_ne!(row(&near, "100 % fail")[0], "never", "{near}");
}

#[test]
fn what_is_below_a_second_is_said_in_milliseconds() {
    use std::time::Duration;

    let after = |ms| table::after(Duration::from_millis(ms));
    assert_eq!(
        [0, 1, 100, 1_000].map(after),
        ["at once", "1ms", "100ms", "1s"]
    );
    let toml = r#"
        expect_families = ["beat_seconds"]
        [[budget]]
        name = "beat"
        gauge = "beat_seconds"
        sli = "age"
        at_most = "500ms"
    "#;
    let text = explained(toml, "beat");
    assert!(
        text.contains("new every 550ms") && text.contains("new every 450ms"),
        "{text}"
    );
}
