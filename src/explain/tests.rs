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
fn an_slo_says_how_fast_it_calls() {
    let toml = r#"
        [[slo]]
        name = "api"
        on = "http"
        objective = 0.999
        rolling = 30
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
    assert_eq!(outage[0], "52s", "{text}");
    assert!(outage[1].starts_with("4m"), "{text}");
    assert_eq!(row(&text, "0.05 % fail"), ["never", "never"], "{text}");
    assert_eq!(row(&text, "0.2 % fail")[0], "never", "{text}");
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
    assert_eq!(full, ["2m4s", "4s", "never"], "{text}");
    assert_eq!(
        row(&text, "2.5 % too slow"),
        ["never", "never", "never"],
        "{text}"
    );
    assert_eq!(
        row(&text, "no operations"),
        ["never", "never", "11m"],
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
        text.contains("After 1m6s of 15 good operations per second"),
        "{text}"
    );
    assert_ne!(row(&text, "no operations"), ["never"], "{text}");
    assert_ne!(row(&text, "5 per second"), ["never"], "{text}");
}

#[test]
fn what_the_service_sets_is_not_made_up() {
    let toml = r#"
        expect_families = ["queue_depth"]
        [[budget]]
        name = "queue"
        gauge = "queue_depth"
        at_most = 100
    "#;
    let text = explained(toml, "queue");
    assert!(
        text.contains("target: sum(queue_depth) is at most 100."),
        "{text}"
    );
    assert!(text.contains("plimsoll simulate --set"), "{text}");
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
