//! Fields and mends are those of whoever reads of them.

use plimsoll::{Budget, Expr, Plimsoll, Select, Selector, Slo};

use super::{said, says};

#[test]
fn a_family_is_told_by_the_key_that_names_it() {
    let tables = r#"
[[budget]]
name = "depth"
gauge = "depht"
at_most = 3
[[budget]]
name = "hits"
hits = "hist_total"
misses = "plimsoll_ticks_total"
at_least = 0.5
[[budget]]
name = "parts"
part = "plimsoll_ticks_total"
whole = "al_total"
at_most = 0.5
[[slo]]
name = "bad"
bad = "bda_total"
valid = "plimsoll_ticks_total"
objective = 0.9
calendar = "day"
burn_alerts = false
[[slo]]
name = "state"
state = "sate"
objective = 0.9
burn_alerts = false
"#;
    says(
        tables,
        &[
            "line 4: budget \"depth\": gauge names depht, which this process does not export",
            "line 8: budget \"hits\": hits names hist_total",
            "line 14: budget \"parts\": whole names al_total",
            "line 18: slo \"bad\": bad names bda_total",
            "line 25: slo \"state\": state names sate",
        ],
    );
    for line in said(tables) {
        assert!(line.contains("expect_families = [\""), "{line}");
        assert!(!line.contains("Builder"), "{line}");
    }
}

#[cfg(feature = "promql")]
#[test]
fn promql_is_told_by_its_key_and_what_only_prometheus_adds_is_left_out() {
    let tables = r#"
[[budget]]
name = "condition"
condition = 'plimsoll_ticks_total{job="a"} > 3'
[[budget]]
name = "when"
on = "http"
sli = "throughput"
at_least = 1
when = "wehn"
[[slo]]
name = "ratio"
error_ratio = "raito"
slice = "5m"
objective = 0.9
burn_alerts = false
"#;
    says(
        tables,
        &[
            "line 4: budget \"condition\": condition asks for job=\"a\", a label that Prometheus adds when it scrapes: leave it out",
            "line 10: budget \"when\": when names wehn",
            "line 13: slo \"ratio\": error_ratio names raito",
        ],
    );
}

#[test]
fn rust_is_told_in_its_own_words() {
    let value = Expr::select(Selector::new("depht")).sum();
    let state = Expr::select(Selector::new("plimsoll_ticks_total").label("job", "a"));
    let built = Plimsoll::builder()
        .manual_tick()
        .budget(Budget::value("depth", value).at_most(3.0))
        .slo(Slo::time_based("state", state).objective(0.99))
        .build();
    assert_eq!(
        built.map(|_| ()).unwrap_err().to_string(),
        "2 mistakes in the configuration\n  \
         budget \"depth\": value names depht, which this process does not export: correct the name, or announce it with \
         Builder::expect_family(\"depht\") if its instrument comes later\n  \
         slo \"state\": condition asks for job=\"a\", a label that Prometheus adds when it scrapes: say which one that is \
         with Builder::target(job, instance), or leave it out"
    );
}

#[test]
fn shares_and_days_say_what_to_write() {
    let limit = |limit: &str| format!("[[budget]]\nname = \"b\"\non = \"http\"\n{limit}");
    for (toml, expected) in [
        (
            limit("sli = \"error_ratio\"\nat_most = nan"),
            "at_most NaN is not a ratio between 0 and 1: write 0.01 for 1 %",
        ),
        (
            limit("sli = \"success_ratio\"\nat_least = -0.1"),
            "at_least -0.1 is not a ratio between 0 and 1: write 0.99 for 99 %",
        ),
        (
            limit("sli = \"throughput\"\nat_least = -0.1"),
            "at_least -0.1 is negative: write 100 for 100 operations per second",
        ),
        (
            limit("sli = \"throughput\"\nat_least = nan"),
            "at_least NaN is not a number: write one, such as 100",
        ),
        (
            "[[slo]]\nname = \"s\"\non = \"http\"\nobjective = 0.99\nrolling = \"30d\"".to_owned(),
            "rolling \"30d\" is not a number of days: write 30 for 30 days",
        ),
    ] {
        let said = said(&toml);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].ends_with(expected), "{said:?}");
    }
}

#[test]
fn names_stand_in_one_line() {
    says(
        "service = \"a\\nb\"\n[[budget]]\nname = \"a\\tb\"\non = \"http\"\nsli = \"error_ratio\"\nat_most = 0.1\n\
         [[slo]]\nname = \"a\\u2028b\"\non = \"http\"\nobjective = 0.999",
        &[
            r#"line 1: service "a\nb" has a line break or another control character: write it in one line"#,
            r#"line 3: budget "a\tb": name "a\tb" has a line break"#,
            r#"line 8: slo "a\u{2028}b": name "a\u{2028}b" has a line break"#,
        ],
    );
    says(
        "service = \"\"",
        &["line 1: service is empty: write a name"],
    );
    let unnamed = Plimsoll::builder().manual_tick().build().unwrap();
    assert_eq!(unnamed.service(), "service");
    let errors = || Budget::error_ratio("a\nb", Select::http()).at_most(0.1);
    assert!(Plimsoll::builder().budget(errors()).build().is_err());
    assert!(unnamed.add_budget(errors()).is_err());
}

#[test]
fn a_renamed_label_is_told_where_it_is_renamed() {
    says(
        "[naming]\nprofile = \"classic\"\nprefix = \"9\"\n[naming.rename]\n\"requests_totl\" = \"a\"\n\
         [naming.rename_label]\n\"requests_total.status\" = \"job\"\n\"requests_total\" = \"a\"",
        &[
            "line 3: naming: prefix \"9\" must match",
            "line 5: naming: rename: requests_totl is no family of this profile: did you mean \"requests_total\"?",
            "line 7: naming: rename_label: requests_total.status would be called \"job\"",
            "line 8: naming: rename_label: requests_total names no label: write \"family.label\"",
        ],
    );
}
