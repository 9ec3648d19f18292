//! What `check` warns of.

use super::{Shop, text};

/// Exit codes without and with `--strict`, and what is printed.
fn checked(declaration: &str) -> (i32, i32, String) {
    let shop = Shop::new();
    shop.write("it.toml", declaration);
    let output = shop.run(&["check", "it.toml"]);
    let strict = shop.run(&["check", "it.toml", "--strict"]);
    assert_eq!(output.stdout, strict.stdout);
    assert_eq!(text(&output.stderr), "");
    let code = |status: std::process::ExitStatus| status.code().unwrap();
    let codes = (code(output.status), code(strict.status));
    (codes.0, codes.1, text(&output.stdout))
}

const SOUND: &str = r#"
service = "shop"
state_file = "shop.state"

[[budget]]
name = "errors"
on = "http"
sli = "error_ratio"
critical = 0.01
absent_after = "10m"

[[slo]]
name = "api"
on = "http"
objective = 0.999
absent_after = "1h"
"#;

#[test]
fn without_warnings_strict_is_well() {
    let expected = "it.toml: shop has no mistakes\n".to_owned();
    assert_eq!(checked(SOUND), (0, 0, expected));
}

#[test]
fn a_service_without_a_name_is_warned_of() {
    let (code, strict, text) = checked(&SOUND.replace("service = \"shop\"\n", ""));
    assert_eq!((code, strict), (0, 1), "{text}");
    let said = "it.toml: warning: service is missing: dashboards, groups of rules and";
    assert!(text.starts_with(said), "{text}");
    assert!(text.contains("write service = \"shop\"\n"), "{text}");
    assert!(
        text.ends_with("it.toml: service has no mistakes, and 1 warning\n"),
        "{text}"
    );
}

#[test]
fn each_has_its_line_and_says_how_to_mend_it() {
    for (from, to, line, said) in [
        (
            "critical = 0.01\nabsent_after = \"10m\"",
            "critical = 0.01",
            "5: warning: budget \"errors\": absent_after is missing",
            "write absent_after = \"10m\"",
        ),
        (
            "0.999\nabsent_after = \"1h\"",
            "0.999",
            "12: warning: slo \"api\": absent_after is missing",
            "write absent_after = \"1h\"",
        ),
        (
            "state_file = \"shop.state\"",
            "",
            " warning: state_file is missing: \"api\" begins with a full error budget",
            "at each restart",
        ),
        (
            "critical = 0.01",
            "warning = 0.01\ncritical = 0.01",
            "9: warning: budget \"errors\": warning is exceeded only when critical is",
            "leave it out",
        ),
        (
            "critical = 0.01",
            "critical = 0.01\nover = \"20s\"",
            "10: warning: budget \"errors\": over 20s is shorter than two scrapes",
            "widen it",
        ),
        (
            "critical = 0.01",
            "labels = { route = \"/a\" }\nper = \"route\"\ncritical = 0.01",
            "10: warning: budget \"errors\": per \"route\" tells nothing apart",
            "it is \"/a\"",
        ),
        (
            "objective = 0.999",
            "objective = 0.999\nlabels = { route = \"/a\" }\nexcept = { route = \"/b*\" }",
            "17: warning: slo \"api\": except route = \"/b*\" leaves nothing out",
            "it is \"/a\"",
        ),
        (
            "objective = 0.999",
            "objective = 0.999\nburn_alerts = false",
            "16: warning: slo \"api\": burn_alerts leaves none",
            "nobody is told",
        ),
        (
            "objective = 0.999",
            "objective = 0.8\nreachable_burn_alerts = true",
            "16: warning: slo \"api\": reachable_burn_alerts leaves no page",
            "only tickets",
        ),
        (
            "service = \"shop\"",
            "service = \"shop\"\nexpect_families = [\"queue_depth\"]",
            "3: warning: expect_families \"queue_depth\" is read by no promise",
            "leave it out",
        ),
    ] {
        let declaration = SOUND.replace(from, to);
        assert_ne!(declaration, SOUND, "{from}");
        let (code, strict, text) = checked(&declaration);
        assert_eq!((code, strict), (0, 1), "{text}");
        assert!(text.contains(&format!("it.toml:{line}")), "{line}: {text}");
        assert!(text.contains(said), "{said}: {text}");
        assert!(
            text.ends_with("it.toml: shop has no mistakes, and 1 warning\n"),
            "{text}"
        );
    }
}

#[test]
fn what_is_said_again_is_short_and_has_its_line() {
    let silent = SOUND.replace("absent_after = \"10m\"\n", "");
    let again = ["depth", "age"].map(|name| {
        format!(
            "[[budget]]\nname = \"{name}\"\non = \"http\"\nsli = \"error_ratio\"\ncritical = 0.01\n"
        )
    });
    let (_, _, text) = checked(&format!("{silent}\n{}", again.concat()));
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("it.toml:5: warning: budget \"errors\": absent_after is missing: "),
        "{text}"
    );
    assert_eq!(
        lines[1..],
        [
            "it.toml:17: warning: budget \"depth\": absent_after is missing: see line 5",
            "it.toml:22: warning: budget \"age\": absent_after is missing: see line 5",
            "it.toml: shop has no mistakes, and 3 warnings",
        ]
    );
}

#[test]
fn limits_that_nothing_reaches() {
    let slow = SOUND.replace(
        "sli = \"error_ratio\"\ncritical = 0.01",
        "quantile = 0.95\ncritical = \"1h\"",
    );
    let none = SOUND.replace(
        "sli = \"error_ratio\"\ncritical = 0.01",
        "sli = \"throughput\"\nat_least = 0",
    );
    for (declaration, said) in [
        (slow, "can never be exceeded"),
        (none, "can never be undercut"),
    ] {
        let (_, strict, text) = checked(&declaration);
        assert_eq!(strict, 1, "{text}");
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn what_is_learned_and_who_is_called() {
    let learned = SOUND
        .replace("state_file = \"shop.state\"", "")
        .replace("critical = 0.01", "dynamic = { method = \"classic\" }");
    let (_, strict, text) = checked(&learned);
    assert_eq!(strict, 1, "{text}");
    assert!(
        text.contains("\"errors\" learns its limits anew at each restart"),
        "{text}"
    );
    let escalated = "
        service = \"shop\"
        [generate]
        escalation = [{ after = \"0s\", receiver = \"lead\" }]
        [[budget]]
        name = \"errors\"
        on = \"http\"
        sli = \"error_ratio\"
        warning = 0.01
        absent_after = \"10m\"
    ";
    let (_, _, text) = checked(escalated);
    assert!(
        text.contains("it.toml:4: warning: generate: escalation is for critical"),
        "{text}"
    );
    let (_, strict, text) = checked("service = \"shop\"");
    assert_eq!(strict, 1, "{text}");
    assert!(text.contains("nothing is promised"), "{text}");
}

#[test]
fn what_has_no_rate_may_be_seen_once_and_levels_with_one_window_are_one_warning() {
    let seldom = |budget: &str| {
        let declaration = format!(
            "expect_families = [\"depth\"]\n{SOUND}\n[generate]\nscrape_interval = \"1m\"\n{budget}"
        );
        let (_, _, said) = checked(&declaration);
        said.matches("shorter than two scrapes").count()
    };
    let gauge = "[[budget]]\nname = \"depth\"\ngauge = \"depth\"\nwarning = 5\ncritical = 9";
    assert_eq!(seldom(gauge), seldom(""));
    let ratio = "[[budget]]\nname = \"ratio\"\non = \"http\"\nsli = \"error_ratio\"\nwarning = 0.1\ncritical = 0.2\nover = \"90s\"";
    assert_eq!(seldom(ratio), seldom("") + 1);
}
