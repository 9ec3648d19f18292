//! What the command prints and writes.

use plimsoll::generate::Declaration;

use super::{SHOP, Shop, files};

/// The file that keeps what is printed; `BLESS=1` writes it anew.
fn is_as_kept(name: &str, text: &str) {
    let path = format!("{}/tests/snapshots/cli/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept, "{path}: BLESS=1 writes it anew");
}

#[test]
fn check_warns_with_lines() {
    let shop = Shop::new();
    is_as_kept("check.txt", &shop.printed(&["check", "shop.toml"]));
}

#[test]
fn explain_says_it_in_words() {
    let shop = Shop::new();
    is_as_kept(
        "explain-slo.txt",
        &shop.printed(&["explain", "shop.toml", "availability"]),
    );
    is_as_kept(
        "explain-budget.txt",
        &shop.printed(&["explain", "shop.toml", "checkout-errors"]),
    );
}

#[test]
fn explain_makes_up_what_the_service_sets() {
    let shop = Shop::new();
    std::fs::write(shop.path("line.toml"), LINE).unwrap();
    for name in ["queue", "backup", "usual", "line"] {
        let printed = shop.printed(&["explain", "line.toml", name]);
        is_as_kept(&format!("explain-{name}.txt"), &printed);
    }
}

/// Promises about what the service itself sets.
const LINE: &str = r#"service = "line"
expect_families = ["queue_depth", "backup_timestamp_seconds", "line_up"]

[[budget]]
name = "queue"
gauge = "queue_depth"
warning = { limit = 80, clear = 60, for = "30s" }
critical = { limit = 100, keep_firing_for = "5m" }
absent_after = "5m"

[[budget]]
name = "backup"
gauge = "backup_timestamp_seconds"
sli = "age"
at_most = "24h"

[[budget]]
name = "usual"
on = "http"
quantile = 0.95
dynamic = { floor = "200ms" }
for = "2m"

[[slo]]
name = "line"
state = "line_up"
objective = 0.99
rolling = 7

[[slo.burn_alert]]
severity = "page"
share = 0.05
long = "1h"
"#;

#[test]
fn simulate_begins_and_ends_when_it_is_told_to() {
    let shop = Shop::new();
    let args = [
        "simulate",
        "shop.toml",
        "--from",
        "2026-03-06T16:00:00Z",
        "--until",
        "2026-03-06T16:20:00Z",
        "--shape",
        "5m good, 5m errors=20%, 1h good",
        "--traffic",
        "20",
        "--svg",
        "shop.svg",
    ];
    is_as_kept("simulate-from.txt", &shop.printed(&args));
    let svg = std::fs::read_to_string(shop.path("shop.svg")).unwrap();
    assert!(svg.contains(">2026-03-06 16:20:00</text>"), "{svg}");
    assert!(
        svg.contains("0:20:00 from 2026-03-06T16:00:00Z on</text>"),
        "{svg}"
    );
}

#[test]
fn a_picture_shows_what_is_slow_and_that_nothing_changed() {
    let shop = Shop::new();
    let svg = |option: &[&str]| {
        let args = [
            "simulate",
            "shop.toml",
            "--duration",
            "2m",
            "--svg",
            "shop.svg",
        ];
        shop.printed(&[&args[..], option].concat());
        std::fs::read_to_string(shop.path("shop.svg")).unwrap()
    };
    let well = svg(&[]);
    assert!(
        well.contains("no alert changed") && !well.contains("% slow"),
        "{well}"
    );
    assert!(svg(&["--slow", "5%"]).contains(">% slow, at most 5</text>"));
}

#[test]
fn simulate_shows_alerts_and_draws_them() {
    let shop = Shop::new();
    let shape = "5m good, 5m errors=20%, 20m good";
    let args = [
        "simulate",
        "shop.toml",
        "--traffic",
        "20",
        "--shape",
        shape,
        "--svg",
        "shop.svg",
    ];
    let printed = shop.printed(&args);
    is_as_kept("simulate.txt", &printed);
    let svg = || std::fs::read_to_string(shop.path("shop.svg")).unwrap();
    is_as_kept("simulate.svg", &svg());
    let first = svg();
    assert_eq!(shop.printed(&args), printed);
    assert_eq!(svg(), first);
    assert_eq!(shop.files(), ["shop.svg", "shop.toml"]);
}

#[test]
fn a_seed_is_another_day() {
    let shop = Shop::new();
    let args = |seed| {
        [
            "simulate",
            "shop.toml",
            "--duration",
            "2m",
            "--errors",
            "5%",
            "--seed",
            seed,
        ]
    };
    assert_eq!(shop.printed(&args("1")), shop.printed(&args("1")));
    assert_ne!(shop.printed(&args("1")), shop.printed(&args("2")));
}

#[test]
fn dashboards_go_into_a_folder() {
    let shop = Shop::new();
    let printed = shop.printed(&["dashboards", "shop.toml", "--output", "made/dashboards"]);
    let folder = shop.path("made/dashboards");
    let declared = Declaration::parse(SHOP).unwrap().dashboards();
    let mut expected: Vec<_> = declared
        .iter()
        .map(|dashboard| format!("{}.json", dashboard.uid()))
        .collect();
    expected.sort();
    assert_eq!(files(&folder), expected);
    for dashboard in declared {
        let written =
            std::fs::read_to_string(folder.join(format!("{}.json", dashboard.uid()))).unwrap();
        assert_eq!(written, dashboard.to_json());
        assert!(printed.contains(dashboard.title()), "{printed}");
    }
}

#[test]
fn shells_complete_commands() {
    let shop = Shop::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = shop.printed(&["completions", shell]);
        assert!(
            script.contains("simulate") && script.contains("explain"),
            "{shell}: {script}"
        );
    }
}

#[test]
fn rules_speak_of_whom_is_wanted() {
    let shop = Shop::new();
    let scopes = |options: &[&str]| {
        let mut args = vec!["rules", "shop.toml"];
        args.extend(options);
        let text = shop.printed(&args);
        let has = |scope: &str| text.contains(&format!("scope: {scope}"));
        (has("instance"), has("fleet"), text.lines().count())
    };
    let both = scopes(&[]);
    let (instance, fleet) = (
        scopes(&["--scope", "instance"]),
        scopes(&["--scope", "fleet"]),
    );
    assert_eq!((both.0, both.1), (true, true));
    assert_eq!((instance.0, instance.1), (true, false));
    assert_eq!((fleet.0, fleet.1), (false, true));
    // A comment and the head stand in each.
    assert_eq!(instance.2 + fleet.2, both.2 + 2);
    assert_eq!(scopes(&["--scope", "both"]), both);
    let said = super::mistakes::refused(
        &shop,
        &[
            "rules",
            "shop.toml",
            "--scope",
            "instance",
            "--dialect",
            "sloth",
        ],
    );
    assert!(said.contains("write --scope fleet"), "{said}");
}
