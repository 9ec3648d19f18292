//! What is refused, and with which words.

use super::parse;

#[test]
fn mistakes_name_the_field() {
    let budget = |rest: &str| format!("[[budget]]\nname = \"b\"\n{rest}");
    for (text, expected) in [
        (
            budget("on = \"http\"\nsli = \"error_ratio\"\nat_most = { over = \"5m\" }"),
            "budget \"b\": at_most: multiple is missing, and so is limit",
        ),
        (
            budget("on = \"http\"\nsli = \"error_ratio\"\nat_most = { limit = 1, multiple = 2 }"),
            "at_most: multiple stands beside limit",
        ),
        (
            budget("on = \"http\"\nsli = \"error_ratio\"\nat_most = { limit = 1, cleer = 2 }"),
            "budget \"b\": at_most: cleer is not a known key: choose one of limit, multiple, clear",
        ),
        (
            budget("on = \"http\"\ngauge = \"g\""),
            "on is one of several",
        ),
        (budget("hits = \"h\""), "misses is missing"),
        (budget("misses = \"h\""), "misses needs hits"),
        (
            budget("gauge = \"g\"\naggregation = \"count\""),
            "aggregation \"count\" is not one: choose sum, max, min or avg",
        ),
        (
            budget("gauge = \"g\"\nsli = \"age\"\naggregation = \"max\""),
            "aggregation is only for the value of a gauge",
        ),
        (
            budget("hits = \"h\"\nmisses = \"m\"\naggregation = \"max\""),
            "aggregation is only for the value of a gauge",
        ),
        (
            budget("gauge = \"g\"\nsli = \"throughput\""),
            "sli \"throughput\" is none of a gauge",
        ),
        (
            budget("gauge = \"g\"\nschedule = { offset = \"CET\" }"),
            "schedule: offset \"CET\" is no distance from UTC",
        ),
        (
            budget("gauge = \"g\"\nschedule = { period = [{ name = \"a\", hours = \"9-18\" }] }"),
            "schedule: period 1: hours \"9-18\" is not from one hour to another",
        ),
        (
            budget("gauge = \"g\"\nschedule = { period = [{ name = \"a\", days = \"Monday\" }] }"),
            "schedule: period 1: days [\"Monday\"] are not days",
        ),
        (
            budget("gauge = \"g\"\nschedule = { otherwise = { name = \"a\", times = [1, 2] } }"),
            "schedule: otherwise: times has neither one number nor those of",
        ),
        (
            "[[kpi]]\nname = \"k\"".to_owned(),
            "kpi \"k\": on is missing",
        ),
        (
            "[[kpi]]\nname = \"k\"\ncondition = \"g > 1\"\ntarget = 1".to_owned(),
            "kpi \"k\": condition has a limit itself",
        ),
        (
            "[[kpi]]\nname = \"k\"\ngauge = \"g\"\nmin_evnts = 1".to_owned(),
            "kpi \"k\": min_evnts is not a known key",
        ),
        (
            "[[kpi]]\nname = \"k\"\ngauge = \"g\"\nunit = \"m\"".to_owned(),
            "unit \"m\" is not one",
        ),
        (
            "[[budget_tree]]\nname = \"t\"".to_owned(),
            "budget_tree \"t\": total is missing",
        ),
        (
            "[[budget_tree]]\nname = \"t\"\ntotal = \"1s\"\nshare = [{ name = \"a\", of = 0.5 }]"
                .to_owned(),
            "budget_tree \"t\": share of \"t\" shares out a 500ms = 500ms of 1s: share out the remaining 500ms",
        ),
    ] {
        let (_, problems) = parse(&text);
        assert!(
            problems.contains(expected),
            "{problems:?} should say {expected:?}"
        );
    }
}

#[test]
fn ten_megabytes_are_no_configuration() {
    let text = "# nothing\n".repeat(1 << 20);
    let (budgets, problems) = parse(&text);
    assert!(budgets.is_empty());
    assert!(problems.starts_with("toml has 10485760 bytes, more than the 1048576 that are read"));
}

#[test]
fn mistakes_in_what_is_to_be_learned_are_named() {
    let dynamic = |table: &str| {
        let head = "[[budget]]\nname = \"b\"\non = \"http\"\nsli = \"error_ratio\"\n";
        parse(&format!("{head}dynamic = {table}")).1
    };
    for (table, expected) in [
        (
            "{ method = \"ewma\" }",
            "dynamic: method \"ewma\" is not one: choose hour_of_week or classic",
        ),
        (
            "{ flor = 0.2 }",
            "dynamic: flor is not a known key: choose one of method, window, sensitivity, margin, floor, offset, relearn_after, every",
        ),
        (
            "{ offset = \"CET\" }",
            "dynamic: offset \"CET\" is no distance from UTC",
        ),
        ("\"on\"", "dynamic \"on\" is not a table"),
    ] {
        let problems = dynamic(table);
        assert!(problems.contains(expected), "{problems}");
    }
}

#[cfg(not(feature = "promql"))]
#[test]
fn without_a_reader_of_promql_a_condition_is_refused() {
    let (_, problems) = parse("[[budget]]\nname = \"b\"\non = \"http\"\nwhen = \"depth\"");
    assert!(problems.contains("budget \"b\": when is PromQL, which takes the feature promql"));
}
