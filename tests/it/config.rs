//! Four sources, one precedence, and every mistake at once.

use std::time::Duration;

use plimsoll::{Budget, Builder, Plimsoll, Select};

const MS: Duration = Duration::from_millis(1);

fn builder() -> Builder {
    Plimsoll::builder().manual_tick()
}

/// Variables as a closure.
fn vars(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    |name| {
        pairs
            .iter()
            .find(|pair| pair.0 == name)
            .map(|pair| pair.1.to_owned())
    }
}

fn limits(plimsoll: &Plimsoll) -> Vec<(String, f64)> {
    plimsoll
        .budgets()
        .into_iter()
        .map(|reading| (reading.budget, reading.limit))
        .collect()
}

#[test]
fn the_environment_has_defaults() {
    let plimsoll = builder().from_vars(|_| None).build().unwrap();
    let expected = [
        ("http-p95", 0.1),
        ("db-p95", 0.05),
        ("http-error-ratio", 0.001),
    ];
    assert_eq!(
        limits(&plimsoll),
        expected.map(|(name, limit)| (name.to_owned(), limit))
    );
    let thresholds = plimsoll.stats().thresholds;
    assert_eq!(
        (
            thresholds.slow_request,
            thresholds.slow_query,
            thresholds.error_ratio
        ),
        (100 * MS, 50 * MS, 0.001)
    );
}

#[test]
fn without_from_env_no_variable_is_read_and_no_budget_appears() {
    assert_eq!(limits(&builder().build().unwrap()), []);
}

#[test]
fn the_environment_wins_over_code() {
    let variables = vars(&[
        ("PERF_API_LATENCY_MS", "250"),
        ("PERF_DB_QUERY_MS", "7.5"),
        ("PERF_ERROR_RATE", "0.02"),
    ]);
    let plimsoll = builder()
        .budget(
            Budget::quantile("mine", Select::http(), 0.95)
                .at_most(80 * MS)
                .critical(900 * MS),
        )
        .budget(Budget::error_ratio("one-route", Select::http().label("route", "/a")).at_most(0.5))
        .from_vars(variables)
        .build()
        .unwrap();
    let expected = [
        ("mine", 0.25),
        ("mine", 0.9),
        ("one-route", 0.5),
        ("db-p95", 0.0075),
        ("http-error-ratio", 0.02),
    ];
    assert_eq!(
        limits(&plimsoll),
        expected.map(|(name, limit)| (name.to_owned(), limit))
    );
    let thresholds = plimsoll.stats().thresholds;
    assert_eq!(thresholds.slow_request, 250 * MS);
    assert_eq!(thresholds.slow_query, Duration::from_micros(7500));
    assert_eq!(thresholds.error_ratio, 0.02);
}

#[test]
fn variables_that_do_not_parse_are_errors_that_name_them() {
    let variables = vars(&[
        ("PERF_API_LATENCY_MS", "fast"),
        ("PERF_DB_QUERY_MS", "-1"),
        ("PERF_ERROR_RATE", "abc"),
    ]);
    let error = builder().from_vars(variables).build().unwrap_err();
    let fields: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| problem.field.as_str())
        .collect();
    assert_eq!(
        fields,
        ["PERF_API_LATENCY_MS", "PERF_DB_QUERY_MS", "PERF_ERROR_RATE"]
    );
    let text = error.to_string();
    assert!(
        text.contains(
            "PERF_ERROR_RATE \"abc\" is not a ratio between 0 and 1: write 0.001 for 0.1 %"
        ),
        "{text}"
    );
}

#[test]
fn all_mistakes_of_the_code_are_found_at_once() {
    let error = builder()
        .budget(Budget::quantile("a", Select::http(), 1.5).at_most(100 * MS))
        .budget(
            Budget::error_ratio("b", Select::http())
                .at_most(0.1)
                .over(Duration::ZERO),
        )
        .budget(Budget::error_ratio("b", Select::http()).at_most(f64::NAN))
        .slow_request(Duration::ZERO)
        .max_series(0)
        .build()
        .unwrap_err();
    let text = error.to_string();
    for expected in [
        "6 mistakes in the configuration",
        "budget \"a\": quantile 1.5 is not between 0 and 1: write 0.95 for p95",
        "budget \"b\": over 0ns is not a window: it takes whole milliseconds and at least two ticks of 1s",
        "budget \"b\": name is declared twice",
        "budget \"b\": at_most NaN is not a ratio between 0 and 1: write 0.01 for 1 %",
        "slow_request 0ns is outside what is measured",
        "max_series 0 leaves no room",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
}

#[cfg(feature = "config")]
mod toml {
    use super::*;
    use plimsoll::AlertState;

    #[test]
    fn a_whole_file() {
        let plimsoll = builder()
            .toml(
                r#"
                service = "gateway"
                tick = "500ms"
                max_series = 50

                [naming]
                profile = "classic"
                prefix = "bifrost_"
                errors_family = true

                [thresholds]
                slow_request = "150ms"
                slow_query = "20ms"
                query_watchdog = "5s"
                n_plus_one = 5
                max_queries = 0

                [slow_log]
                count = 2

                [[database]]
                name = "shop"
                max_statements = 1
                double_quotes = "literals"
                queries = ["orders.by_id", "orders.all"]

                [[budget]]
                name = "request-p95"
                on = "http"
                quantile = 0.95
                at_most = "200ms"
                critical = "500ms"
                over = "5s"
                for = "2s"
                keep_firing_for = "10s"
                min_events = 20

                [[budget]]
                name = "device-success"
                on = "modbus"
                labels = { device = "press-3" }
                sli = "success_ratio"
                at_least = 0.99
                "#,
            )
            .build()
            .unwrap();
        assert_eq!(plimsoll.service(), "gateway");
        let readings = plimsoll.budgets();
        let limits: Vec<_> = readings
            .iter()
            .map(|reading| (reading.budget.as_str(), reading.limit))
            .collect();
        assert_eq!(
            limits,
            [
                ("request-p95", 0.2),
                ("request-p95", 0.5),
                ("device-success", 0.99)
            ]
        );
        assert!(
            readings
                .iter()
                .all(|reading| reading.state == AlertState::Inactive)
        );
        assert_eq!(plimsoll.stats().thresholds.slow_request, 150 * MS);
        assert!(plimsoll.render().contains("queries_overdue_total 0"));
        plimsoll.operation("work").record(plimsoll::Outcome::Ok, MS);
        assert!(
            plimsoll
                .render()
                .contains("bifrost_operation_duration_seconds_count"),
            "the naming is in force"
        );
    }

    #[cfg(feature = "db")]
    #[test]
    fn what_it_says_of_a_database_wins_over_the_code() {
        use plimsoll::{Outcome, db::TopBy};

        let file = "
            [[database]]
            name = 'shop'
            max_statements = 1
            double_quotes = 'literals'
            queries = ['orders.by_id', 'orders.all']
        ";
        let plimsoll = builder().toml(file).build().unwrap();
        let quotes = plimsoll::db::DoubleQuotes::Names;
        let open = |name| {
            plimsoll
                .database(name)
                .max_statements(9)
                .double_quotes(quotes)
        };
        let sqls = ["SELECT \"a\" FROM t", "SELECT 1 FROM u", "SELECT 1 FROM v"];
        for name in ["shop", "other"] {
            let database = open(name).open();
            for sql in sqls {
                database.begin_sql(sql, None).finish_as(Outcome::Ok);
            }
            let declared = database.begin_sql("SELECT 1 FROM w", Some("orders.all"));
            declared.finish_as(Outcome::Ok);
        }
        let top = plimsoll.top_queries(20, TopBy::Count).into_iter();
        let texts = |name: &str| -> Vec<_> {
            let of = top.clone().filter(|query| query.database == name);
            let mut texts: Vec<_> = of.map(|query| (query.query, query.text)).collect();
            texts.sort_unstable();
            texts
        };
        let pair = |query: &str, text: &str| (query.to_owned(), text.to_owned());
        let expected = [
            pair("SELECT t", "SELECT ? FROM t"),
            pair("orders.all", "SELECT ? FROM w"),
            pair("other", ""),
        ];
        assert_eq!(texts("shop"), expected);
        assert_eq!(texts("other").len(), 4);
        assert_eq!(texts("other")[0], pair("SELECT t", "SELECT \"a\" FROM t"));
    }

    #[test]
    fn toml_adjusts_a_budget_of_the_code_and_the_environment_wins_over_both() {
        let code =
            || builder().budget(Budget::quantile("p95", Select::http(), 0.95).at_most(200 * MS));
        let file = "[[budget]]\nname = \"p95\"\nat_most = \"300ms\"\nwarning = \"450ms\"";
        let expected = |target| [("p95".to_owned(), target), ("p95".to_owned(), 0.45)];
        assert_eq!(limits(&code().toml(file).build().unwrap()), expected(0.3));
        let with_env = code()
            .from_vars(vars(&[("PERF_API_LATENCY_MS", "400")]))
            .toml(file)
            .build()
            .unwrap();
        assert_eq!(limits(&with_env)[..2], expected(0.4));
    }

    #[test]
    fn every_mistake_names_its_field() {
        let error = builder()
            .toml(
                r#"
                servise = "x"
                tick = "soon"
                [naming]
                profile = "fancy"
                [thresholds]
                slow_request = 7
                query_watchdog = "0s"
                n_plus_one = 1
                max_queries = -1
                [slow_log]
                count = 2000
                every = "10s"
                [[database]]
                name = "shop"
                max_statements = 40000
                double_quotes = "both"
                queries = [1]
                [[database]]
                name = "shop"
                [[database]]
                [[budget]]
                name = "a"
                on = "htpp"
                at_most = 1
                [[budget]]
                name = "b"
                on = "http"
                at_most = true
                windw = "5s"
                [[budget]]
                name = "c"
                at_most = 0.1
                "#,
            )
            .build()
            .unwrap_err();
        let text = error.to_string();
        for expected in [
            "servise is not a known key: choose one of service, tick",
            "tick \"soon\" is not a duration: write \"250ms\"",
            "naming: profile \"fancy\" is not a profile: choose otel, classic, millis or axum_prometheus",
            "thresholds: slow_request 7 is not a duration",
            "query_watchdog 0ns is no limit: give it more",
            "n_plus_one 1 makes a finding of every query: it takes at least 2, or 0 for none",
            "thresholds: max_queries -1 is not a whole number from 0 up",
            "slow_log 2000 at a time are too many: at most 1000",
            "slow_log: every is not a known key: choose one of count, period",
            "database \"shop\": max_statements 40000 is more than there may be: at most 32000",
            "database \"shop\": double_quotes \"both\" is not what they stand around: choose names or literals",
            "database \"shop\": queries [1] is not a string or a list of strings",
            "database \"shop\": name stands twice: keep one of the two tables",
            "database \"#3\": name is missing: every database needs one",
            "budget \"a\": on \"htpp\" is not a kind of work: choose http,",
            "budget \"b\": at_most true is not a limit",
            "budget \"b\": sli is missing",
            "budget \"b\": windw is not a known key: choose one of name,",
            "budget \"c\": on is missing",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }

    #[test]
    fn text_that_is_no_toml_and_files_that_are_not_there() {
        let text = builder().toml("a = = b").build().unwrap_err().to_string();
        assert!(
            text.contains("toml cannot be read: TOML parse error at line 1"),
            "{text}"
        );
        let text = builder()
            .toml_file("/nowhere/plimsoll.toml")
            .build()
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("toml file /nowhere/plimsoll.toml cannot be read: No such file"),
            "{text}"
        );
    }
}
