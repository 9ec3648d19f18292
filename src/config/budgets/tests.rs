//! What is written in TOML is what would be written in Rust.

use std::time::Duration;

use crate::band::{Dynamic, Method};
use crate::budget::{Budget, BudgetTree, Hours, Kpi, KpiUnit, Limit, Multiple, Schedule, Select};
use crate::config::parse_toml;
use crate::expr::{Aggregation, Expr, Grouping, Offset, Selector};

const MS: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);

fn parse(text: &str) -> (Vec<Budget>, String) {
    let mut problems = Vec::new();
    let settings = parse_toml(text, std::path::Path::new("."), &mut problems);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    (settings.budgets, problems.join("\n"))
}

fn says(text: &str, expected: impl IntoIterator<Item = Budget>) {
    let (budgets, problems) = parse(text);
    assert_eq!(problems, "");
    assert_eq!(budgets, Vec::from_iter(expected));
}

#[test]
fn a_level_can_be_a_table() {
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        quantile = 0.95
        at_most = "200ms"
        warning = { multiple = 1.5 }
        critical = { limit = "500ms", clear = "400ms", over = "5m", for = "2m", keep_firing_for = "1m" }
        over = "1m"
        for = "10s"
        min_events = 20
        min_bad = 3
        confidence = 0.95
        absent_after = "10m"
        warm_up = "30s"
        "#,
        [Budget::quantile("api", Select::http(), 0.95)
            .at_most(200 * MS)
            .warning(Multiple(1.5))
            .critical(
                Limit::from(500 * MS)
                    .clear(400 * MS)
                    .over(5 * MINUTE)
                    .sustained(2 * MINUTE)
                    .keep_firing(MINUTE),
            )
            .over(MINUTE)
            .sustained(Duration::from_secs(10))
            .min_events(20)
            .min_bad(3)
            .confidence(0.95)
            .absent_after(10 * MINUTE)
            .warm_up(Duration::from_secs(30))],
    );
}

#[test]
fn every_sli_can_be_said() {
    let counter = Selector::new;
    says(
        r#"
        [[budget]]
        name = "import"
        on = "operation"
        labels = { operation = "import" }
        sli = "freshness"
        at_most = "1h"

        [[budget]]
        name = "backup"
        gauge = "backup_timestamp_seconds"
        sli = "age"
        at_most = "1d"

        [[budget]]
        name = "depth"
        gauge = "queue_depth"
        labels = { queue = "a" }
        at_most = 100

        [[budget]]
        name = "cache"
        hits = "hits_total"
        misses = "misses_total"
        at_least = 0.95

        [[budget]]
        name = "refused"
        part = "refused_total"
        whole = "asked_total"
        at_most = 0.01

        [[budget]]
        name = "rate"
        on = "http"
        sli = "throughput"
        warning = 100

        [[budget]]
        name = "free"
        gauge = "free_connections"
        aggregation = "min"
        higher_is_better = true
        critical = 5
        "#,
        [
            Budget::freshness("import", Select::operation("import")).at_most(60 * MINUTE),
            Budget::age("backup", counter("backup_timestamp_seconds")).at_most(24 * 60 * MINUTE),
            Budget::value(
                "depth",
                Expr::select(counter("queue_depth").label("queue", "a")).sum(),
            )
            .at_most(100.0),
            Budget::hit_ratio("cache", counter("hits_total"), counter("misses_total"))
                .at_least(0.95),
            Budget::ratio("refused", counter("refused_total"), counter("asked_total"))
                .at_most(0.01),
            Budget::throughput("rate", Select::http()).warning(100.0),
            Budget::value(
                "free",
                Expr::select(counter("free_connections"))
                    .aggregate(Aggregation::Min, Grouping::default()),
            )
            .higher_is_better()
            .critical(5.0),
        ],
    );
}

#[test]
fn a_schedule_can_be_said() {
    let schedule = Schedule::at(Offset::minutes(-330).expect("it is there"))
        .period("business", Hours::daily(9, 18).weekdays(), [1.0, 0.9, 0.95])
        .pause("night", Hours::daily(22, 6).on([1, 3]))
        .otherwise("off-peak", 1.2);
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        sli = "error_ratio"
        at_most = 0.001
        [budget.schedule]
        offset = "-05:30"
        otherwise = { name = "off-peak", times = 1.2 }
        [[budget.schedule.period]]
        name = "business"
        hours = "9..18"
        days = "weekdays"
        times = [1.0, 0.9, 0.95]
        [[budget.schedule.period]]
        name = "night"
        hours = "22..6"
        days = ["mon", "wed"]
        pause = true
        "#,
        [Budget::error_ratio("api", Select::http())
            .at_most(0.001)
            .schedule(schedule)],
    );
}

#[test]
fn key_figures_and_trees_can_be_said() {
    let kpi = Kpi::new(Budget::throughput("rps", Select::http()).over(5 * MINUTE))
        .unit(KpiUnit::PerSecond)
        .target(5000.0)
        .min(1000.0);
    let tree = BudgetTree::new("checkout", 200 * MS)
        .quantile(0.99)
        .sure()
        .on(Select::http().label("route", "/checkout"))
        .share("auth", 30 * MS)
        .split("db", 0.5, |db| {
            db.on(Select::db()).share("cart", 0.5).remainder("net")
        })
        .remainder("own code");
    let expected = kpi
        .budgets()
        .into_iter()
        .chain(tree.budgets().expect("it is there"));
    says(
        r#"
        [[kpi]]
        name = "rps"
        on = "http"
        sli = "throughput"
        unit = "/s"
        target = 5000
        min = 1000
        over = "5m"

        [[budget_tree]]
        name = "checkout"
        total = "200ms"
        quantile = 0.99
        sure = true
        on = "http"
        labels = { route = "/checkout" }
        remainder = "own code"
        [[budget_tree.share]]
        name = "auth"
        of = "30ms"
        [[budget_tree.share]]
        name = "db"
        of = 0.5
        on = "db"
        remainder = "net"
        [[budget_tree.share.share]]
        name = "cart"
        of = 0.5
        "#,
        expected,
    );
}

#[test]
fn a_key_figure_takes_what_a_budget_takes() {
    let schedule = Schedule::at(Offset::UTC)
        .period("day", Hours::daily(8, 20), 1.0)
        .otherwise("night", 1.5);
    let measure = Budget::quantile("p95", Select::http().label("method", "GET"), 0.95)
        .per("route")
        .over(5 * MINUTE)
        .sustained(MINUTE)
        .keep_firing(2 * MINUTE)
        .min_events(20)
        .min_bad(3)
        .confidence(0.95)
        .absent_after(10 * MINUTE)
        .warm_up(MINUTE)
        .schedule(schedule);
    let kpi = Kpi::new(measure)
        .unit(KpiUnit::Milliseconds)
        .target(200.0)
        .max(2000.0);
    let budgets = kpi.budgets();
    assert_eq!(budgets[1].absent_after, None, "the levels say so already");
    says(
        r#"
        [[kpi]]
        name = "p95"
        on = "http"
        labels = { method = "GET" }
        quantile = 0.95
        per = "route"
        unit = "ms"
        target = 200
        max = 2000
        over = "5m"
        for = "1m"
        keep_firing_for = "2m"
        min_events = 20
        min_bad = 3
        confidence = 0.95
        absent_after = "10m"
        warm_up = "1m"
        [kpi.schedule]
        otherwise = { name = "night", times = 1.5 }
        [[kpi.schedule.period]]
        name = "day"
        hours = "8..20"
        "#,
        budgets,
    );
}

#[test]
fn a_key_figure_can_learn_its_levels_and_keep_its_bounds() {
    let users = Budget::value("users", Expr::select(Selector::new("users")).sum());
    let kpi = Kpi::new(users.dynamic(Dynamic::default())).max(10_000.0);
    let budgets = kpi.budgets();
    let problems = |budget: &Budget| budget.problems(Duration::from_secs(1), &[]);
    assert_eq!(budgets.iter().flat_map(problems).collect::<Vec<_>>(), []);
    says(
        "[[kpi]]\nname = \"users\"\ngauge = \"users\"\nmax = 10000\ndynamic = {}",
        budgets,
    );
}

#[cfg(feature = "promql")]
#[test]
fn a_condition_can_say_when() {
    let depth = || Expr::select(Selector::new("depth"));
    let rate = || Budget::throughput("rate", Select::http());
    says(
        r#"
        [[budget]]
        name = "rate"
        on = "http"
        sli = "throughput"
        at_least = 10
        when = "sum(depth) > 0"

        [[kpi]]
        name = "rps"
        on = "http"
        sli = "throughput"
        target = 10
        when = "depth"
        "#,
        [
            rate().at_least(10.0).when(depth().sum().greater(0.0)),
            Budget::throughput("rps", Select::http())
                .at_least(10.0)
                .when(depth()),
        ],
    );
    let (_, problems) = parse("[[budget]]\nname = \"b\"\non = \"http\"\nwhen = \"sum(\"");
    assert!(problems.contains("budget \"b\": when "), "{problems}");
    let mut problems = Vec::new();
    let text = "[[budget]]\nname = \"rate\"\nwhen = \"depth\"";
    let stronger = parse_toml(text, std::path::Path::new("."), &mut problems);
    let code = crate::config::Settings {
        budgets: vec![rate().at_least(10.0)],
        ..Default::default()
    };
    let changed = code.under(stronger, &mut problems).budgets;
    assert_eq!(changed, [rate().at_least(10.0).when(depth())]);
}

#[cfg(not(feature = "promql"))]
#[test]
fn without_a_reader_of_promql_a_condition_is_refused() {
    let (_, problems) = parse("[[budget]]\nname = \"b\"\non = \"http\"\nwhen = \"depth\"");
    assert!(problems.contains("budget \"b\": when is PromQL, which takes the feature promql"));
}

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
            "schedule: period: hours \"9-18\" is not from one hour to another",
        ),
        (
            budget("gauge = \"g\"\nschedule = { period = [{ name = \"a\", days = \"Monday\" }] }"),
            "schedule: period: days [\"Monday\"] are not days",
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
fn limits_can_be_learned() {
    says(
        r#"
        [[budget]]
        name = "api"
        on = "http"
        quantile = 0.95
        dynamic = { method = "hour_of_week", sensitivity = 1.5, margin = 0.2, floor = "200ms", offset = "+01:00", window = "14d", relearn_after = "24h", every = "1m" }

        [[budget]]
        name = "depth"
        gauge = "depth"
        at_most = 1000
        dynamic = { method = "classic" }
        "#,
        [
            Budget::quantile("api", Select::http(), 0.95).dynamic(
                Dynamic::default()
                    .sensitivity(1.5)
                    .margin(0.2)
                    .floor(0.2)
                    .offset_minutes(60)
                    .window(14 * 24 * 60 * MINUTE)
                    .relearn_after(24 * 60 * MINUTE)
                    .every(MINUTE),
            ),
            Budget::value("depth", Expr::select(Selector::new("depth")).sum())
                .at_most(1000.0)
                .dynamic(Dynamic::new(Method::Classic)),
        ],
    );
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

#[test]
fn a_budget_of_the_code_can_be_made_to_learn() {
    let mut problems = Vec::new();
    let text = "[[budget]]\nname = \"b\"\ndynamic = { floor = 0.1 }";
    let stronger = parse_toml(text, std::path::Path::new("."), &mut problems);
    let declared = Budget::error_ratio("b", Select::http()).at_most(0.05);
    let code = crate::config::Settings {
        budgets: vec![declared.clone()],
        ..Default::default()
    };
    let settings = code.under(stronger, &mut problems);
    assert_eq!(
        settings.budgets,
        [declared.dynamic(Dynamic::default().floor(0.1))]
    );
}

/// The conditions of everything that a text declares, a line each.
fn promql(toml: &str) -> String {
    let (budgets, problems) = parse(toml);
    assert_eq!(problems, "", "{toml}");
    let rules = budgets.iter().flat_map(|budget| {
        let keys = budget
            .select()
            .map_or(&[][..], |select| select.domain.keys());
        assert_eq!(budget.problems(Duration::from_secs(1), keys), [], "{toml}");
        budget.rule_group().rules
    });
    rules.map(|rule| format!("{}\n", rule.expr)).collect()
}

/// In `docs/budgets.md` what comes of a piece of TOML stands behind it; `BLESS=1` writes it there.
#[test]
fn the_page_shows_what_comes_of_its_examples() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/budgets.md");
    let page = std::fs::read_to_string(path).expect("it is there");
    let mut blocks = page.split("```toml\n");
    let mut expected = blocks.next().expect("it is there").to_owned();
    for block in blocks {
        let (toml, rest) = block.split_once("```").expect("it is there");
        let (between, rest) = rest.split_once("```promql\n").expect("it is there");
        let (_, rest) = rest.split_once("```").expect("it is there");
        let promql = promql(toml);
        expected += &format!("```toml\n{toml}```{between}```promql\n{promql}```{rest}");
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &expected).expect("it is there");
    } else {
        assert!(
            page == expected,
            "run with BLESS=1 and look at what changed"
        );
    }
}
