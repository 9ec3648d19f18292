//! A limit has the unit of what it limits.

use std::time::Duration;

use plimsoll::{Budget, Kpi, KpiUnit, Limit, Plimsoll, Select, Selector};

use super::{said, says};

/// Everything that a budget can be about, with a limit that fits and what is said of one in another unit.
const KINDS: [(&str, &str, &str, &str, &str); 8] = [
    (
        "on = \"http\"\nquantile = 0.95",
        "at_most",
        "\"200ms\"",
        "200",
        "at_most 200 is a plain number, and a quantile is a duration: write at_most = \"200ms\"",
    ),
    (
        "on = \"http\"\nsli = \"freshness\"",
        "at_most",
        "\"5m\"",
        "0.5",
        "at_most 0.5 is a plain number, and freshness is a duration: write at_most = \"200ms\"",
    ),
    (
        "gauge = \"g\"\nsli = \"age\"",
        "at_most",
        "\"1d\"",
        "86400",
        "at_most 86400 is a plain number, and an age is a duration: write at_most = \"200ms\"",
    ),
    (
        "on = \"http\"\nsli = \"error_ratio\"",
        "at_most",
        "0.01",
        "\"5s\"",
        "at_most 5s is a duration, and an error ratio is a share: write 0.01 for 1 %",
    ),
    (
        "on = \"http\"\nsli = \"success_ratio\"",
        "at_least",
        "0.99",
        "\"100ms\"",
        "at_least 100ms is a duration, and a success ratio is a share: write 0.99 for 99 %",
    ),
    (
        "hits = \"h\"\nmisses = \"m\"",
        "at_least",
        "0.9",
        "\"1s\"",
        "at_least 1s is a duration, and a ratio of counters is a share: write 0.99 for 99 %",
    ),
    (
        "part = \"h\"\nwhole = \"m\"",
        "at_most",
        "0.1",
        "\"1s\"",
        "at_most 1s is a duration, and a ratio of counters is a share: write 0.01 for 1 %",
    ),
    (
        "on = \"http\"\nsli = \"throughput\"",
        "at_least",
        "10",
        "\"100ms\"",
        "at_least 100ms is a duration, and a throughput is operations per second: write 100 for 100 per second",
    ),
];

fn budget(about: &str, limits: &str) -> String {
    let families = "expect_families = [\"g\", \"h\", \"m\"]";
    format!("{families}\n[[budget]]\nname = \"b\"\n{about}\n{limits}\n")
}

fn is_sound(toml: &str) {
    let built = Plimsoll::builder().manual_tick().toml(toml).build();
    assert!(built.is_ok(), "{toml}\n{:?}", built.err());
}

#[test]
fn each_kind_takes_its_own_unit_only() {
    for (about, key, fits, misfit, message) in KINDS {
        is_sound(&budget(about, &format!("{key} = {fits}")));
        let expected = format!(
            "line {}: budget \"b\": {message}",
            4 + about.lines().count()
        );
        let toml = budget(about, &format!("{key} = {misfit}"));
        assert_eq!(said(&toml), [expected]);
        // A level that is a table, and where it clears.
        for level in [
            format!("critical = {{ limit = {misfit} }}"),
            format!("critical = {{ limit = {fits}, clear = {misfit} }}"),
        ] {
            let said = said(&budget(about, &level));
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(said[0].contains(": critical"), "{said:?}");
        }
    }
}

#[test]
fn a_value_may_be_either() {
    for limit in ["100", "\"100ms\""] {
        is_sound(&budget("gauge = \"g\"", &format!("at_most = {limit}")));
    }
}

#[test]
fn one_limit_in_another_unit_says_nothing_of_the_others() {
    let limits = "at_most = \"1s\"\nwarning = { multiple = 2 }\ncritical = 7";
    says(
        &budget("on = \"http\"\nsli = \"error_ratio\"", limits),
        &["line 6: budget \"b\": at_most 1s is a duration"],
    );
    let learned = "dynamic = { floor = 200 }";
    says(
        &budget("on = \"http\"\nquantile = 0.9", learned),
        &[
            "line 6: budget \"b\": dynamic: floor 200 is a plain number, and a quantile is a duration: write floor = \"200ms\"",
        ],
    );
}

#[test]
fn key_figures_have_one_unit_for_all() {
    let kpi = |rest: &str| format!("[[kpi]]\nname = \"k\"\non = \"http\"\n{rest}");
    for (rest, expected) in [
        (
            "quantile = 0.9\ntarget = 200",
            "line 1: kpi \"k\": unit is missing, for a quantile is a duration: write unit = \"ms\" or unit = \"s\"",
        ),
        (
            "sli = \"error_ratio\"\nunit = \"ms\"\nmax = 1",
            "line 5: kpi \"k\": unit \"ms\" does not fit, for an error ratio is a share: write unit = \"%\", or leave the unit out",
        ),
        (
            "sli = \"throughput\"\nunit = \"s\"\ntarget = 1",
            "line 5: kpi \"k\": unit \"s\" does not fit, for a throughput is operations per second: write unit = \"/s\", or leave the unit out",
        ),
        (
            "sli = \"throughput\"\nunit = \"%\"\ntarget = 500\nmin = 1",
            "line 5: kpi \"k\": unit \"%\" does not fit, for a throughput is operations per second: write unit = \"/s\", or leave the unit out",
        ),
        (
            "sli = \"throughput\"\nunit = \"MB/s\"\ntarget = 1",
            "line 5: kpi \"k\": unit \"MB/s\" does not fit, for a throughput is operations per second: write unit = \"/s\", or leave the unit out",
        ),
        (
            "sli = \"error_ratio\"\nunit = \"%gauge\"\ntarget = 0.5",
            "line 5: kpi \"k\": unit \"%gauge\" does not fit, for an error ratio is a share: write unit = \"%\", or leave the unit out",
        ),
        (
            "quantile = 0.9\nunit = \"ms\"\ntarget = 200\ndynamic = { floor = 50 }",
            "line 7: kpi \"k\": dynamic: floor 50 is a plain number, and a quantile is a duration: write floor = \"200ms\"",
        ),
        (
            "sli = \"error_ratio\"\nunit = \"%\"\ntarget = 1\ndynamic = { floor = \"100ms\" }",
            "line 7: kpi \"k\": dynamic: floor 100ms is a duration, and an error ratio is a share: write 0.01 for 1 %",
        ),
        (
            "sli = \"error_ratio\"\nunit = \"%\"\ntarget = 120",
            "line 6: kpi \"k\": target 120 % is not from 0 % to 100 %: write 1 for 1 %",
        ),
    ] {
        assert_eq!(said(&kpi(rest)), [expected]);
    }
    is_sound(&kpi("quantile = 0.9\nunit = \"ms\"\ntarget = 200"));
}

#[test]
fn a_change_to_a_budget_of_the_code_is_in_its_unit() {
    let code = || Budget::quantile("p95", Select::http(), 0.95).at_most(Duration::from_millis(200));
    let changed = |table: &str| {
        let toml = format!("[[budget]]\nname = \"p95\"\n{table}");
        let builder = Plimsoll::builder().manual_tick().budget(code());
        builder
            .toml(&toml)
            .build()
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    for (table, key) in [
        ("at_most = 300", "at_most"),
        ("critical = 3", "critical"),
        ("dynamic = { floor = 1 }", "dynamic: floor"),
    ] {
        let said = changed(table);
        assert!(said.starts_with("1 mistake"), "{said}");
        assert!(
            said.contains(&format!("line 3: budget \"p95\": {key} ")),
            "{said}"
        );
        assert!(said.contains("a quantile is a duration"), "{said}");
    }
}

#[test]
fn rust_is_told_what_to_write_in_rust() {
    let told = |budget: Budget| {
        let built = Plimsoll::builder().manual_tick().budget(budget).build();
        built.map(|_| ()).unwrap_err().problems()[0].to_string()
    };
    let p95 = Budget::quantile("b", Select::http(), 0.95);
    assert_eq!(
        told(p95.at_most(200.0)),
        "budget \"b\": at_most 200 is a plain number, and a quantile is a duration: write Duration::from_millis(200)"
    );
    let age = Budget::age("b", Selector::new("plimsoll_ticks_total"));
    let clears = Limit::from(Duration::from_secs(9)).clear(5.0);
    assert!(told(age.critical(clears)).starts_with("budget \"b\": critical: clear 5 is a plain"));
    let errors = Budget::error_ratio("b", Select::http());
    let of_kpi = |kpi: Kpi| told(kpi.budgets().remove(0));
    assert_eq!(
        of_kpi(Kpi::new(Budget::quantile("b", Select::http(), 0.95)).target(200.0)),
        "budget \"b\": unit is missing, for a quantile is a duration: write KpiUnit::Milliseconds or KpiUnit::Seconds"
    );
    let seconds = Kpi::new(errors.clone()).unit(KpiUnit::Seconds);
    assert!(of_kpi(seconds.target(1.0)).ends_with("write KpiUnit::Percent, or leave the unit out"));
    assert_eq!(
        told(errors.at_most(Duration::from_secs(5))),
        "budget \"b\": at_most 5s is a duration, and an error ratio is a share: write 0.01 for 1 %"
    );
}
