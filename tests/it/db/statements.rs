//! Queries by their SQL: which statement, how it ended, how many rows; and nothing of what is in it.

use std::time::Duration;

use futures_util::FutureExt;
use plimsoll::db::{Database, DoubleQuotes, ErrorClass, Status, TopBy};
use plimsoll::{Budget, ManualClock, Naming, Outcome, Plimsoll, Select};

fn new() -> (Plimsoll, Database) {
    with(Naming::otel())
}

fn with(naming: Naming) -> (Plimsoll, Database) {
    let plimsoll = Plimsoll::builder().naming(naming).build().unwrap();
    let shop = plimsoll.database("shop").open();
    (plimsoll, shop)
}

/// The values of a family's samples whose line has all of these, in the order of the page.
fn values(plimsoll: &Plimsoll, family: &str, with: &[&str]) -> Vec<f64> {
    let page = plimsoll.render();
    let lines = page.lines().filter(|line| {
        line.starts_with(&format!("{family}{{")) && with.iter().all(|part| line.contains(part))
    });
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn handles_can_be_shared_and_one_name_is_one_table() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let (plimsoll, shop) = new();
    shared(&shop);
    shop.begin_sql("SELECT 1", None).finish_as(Outcome::Ok);
    let again = plimsoll.database("shop").max_statements(0).open();
    again.begin_sql("SELECT 2", None).finish_as(Outcome::Ok);
    let top = plimsoll.top_queries(10, TopBy::Count);
    assert_eq!((top.len(), top[0].count, &*top[0].text), (1, 2, "SELECT ?"));
    assert_eq!((&*top[0].database, again.name()), ("shop", "shop"));
}

#[test]
fn the_summary_or_the_name_is_a_label() {
    let (plimsoll, shop) = new();
    for id in 0..3 {
        let sql = format!("SELECT * FROM orders WHERE id = {id}");
        shop.begin_sql(&sql, None).finish_as(Outcome::Ok);
    }
    let sql = "SELECT name FROM orders WHERE id = 7";
    shop.begin_sql(sql, Some("orders.by_id"))
        .finish_as(Outcome::Ok);
    plimsoll.db("devices").guard("list").finish_as(Outcome::Ok);
    let count = |query: &str| {
        let label = format!("db_query_summary=\"{query}\"");
        let family = "db_client_operation_duration_seconds_count";
        values(&plimsoll, family, &[&label])
    };
    assert_eq!(count("SELECT orders"), [3.0]);
    assert_eq!(count("orders.by_id"), [1.0]);
    assert_eq!(count("list devices"), [1.0]);
    let page = plimsoll.render();
    assert!(page.contains("db_operation_name=\"SELECT\",db_collection_name=\"orders\",db_query_summary=\"orders.by_id\",outcome=\"ok\""));
}

#[test]
fn the_names_of_other_profiles_have_a_family_by_statement() {
    for (naming, family) in [
        (Naming::classic(), "db_statement_duration_seconds_count"),
        (Naming::millis(), "db_statement_duration_ms_count"),
        (
            Naming::axum_prometheus(),
            "db_statement_duration_seconds_count",
        ),
    ] {
        let (plimsoll, shop) = with(naming);
        for sql in ["SELECT a FROM t", "SELECT b FROM t", "DELETE FROM t"] {
            shop.begin_sql(sql, None).fail(ErrorClass::Retryable);
        }
        assert_eq!(values(&plimsoll, family, &["query=\"SELECT t\""]), [2.0]);
        assert_eq!(values(&plimsoll, family, &["query=\"DELETE t\""]), [1.0]);
        let class = ["operation=\"SELECT\",model=\"t\",class=\"retryable\""];
        assert_eq!(values(&plimsoll, "db_errors_total", &class), [2.0]);
    }
}

#[test]
fn every_end_has_its_word_and_errors_their_class() {
    let (plimsoll, shop) = new();
    let begin = || shop.begin_sql("SELECT * FROM t", None);
    begin().finish(&Ok::<_, ()>(()));
    begin().partial();
    begin().timed_out();
    begin().fail(ErrorClass::from_sqlstate("23505"));
    begin().fail(ErrorClass::NoData);
    begin().finish(&Err::<(), _>("failed"));
    drop(begin());
    let family = "db_client_operation_duration_seconds_count";
    for (outcome, count) in [
        ("ok", 2.0),
        ("partial", 1.0),
        ("timeout", 1.0),
        ("error", 2.0),
        ("cancelled", 1.0),
    ] {
        let label = format!("outcome=\"{outcome}\"");
        assert_eq!(values(&plimsoll, family, &[&label]), [count], "{outcome}");
    }
    for class in ["timeout", "constraint", "other"] {
        let label = format!("error_type=\"{class}\"");
        let errors = values(&plimsoll, "db_client_errors_total", &[&label]);
        assert_eq!(errors, [1.0], "{class}");
    }
    let line = &plimsoll.stats().operations[0];
    assert_eq!((line.count, line.errors, line.cancelled), (7, 3, 1));
    let top = &plimsoll.top_queries(1, TopBy::Total)[0];
    assert_eq!((top.count, top.errors), (7, 3));
}

#[test]
fn what_somebody_else_timed_ends_in_each_way_too() {
    let (plimsoll, shop) = new();
    let ms = Duration::from_millis(1);
    let ends: [(Status, &str); 6] = [
        (Outcome::Ok.into(), "ok"),
        (Status::partial(), "partial"),
        (Status::timeout(), "timeout"),
        (Outcome::Cancelled.into(), "cancelled"),
        (Outcome::Error.into(), "error"),
        (ErrorClass::Constraint.into(), "error"),
    ];
    for (end, _) in ends {
        plimsoll.track_db_query("list", "devices", ms, end);
        shop.track_sql("SELECT * FROM t", None, ms, end);
    }
    for query in ["list devices", "SELECT t"] {
        let of = |family: &str, label: String| {
            let query = format!("db_query_summary=\"{query}\"");
            values(&plimsoll, family, &[&query, &label])
        };
        for (_, outcome) in ends {
            let times = ends.iter().filter(|end| end.1 == outcome).count();
            let label = format!("outcome=\"{outcome}\"");
            let counted = of("db_client_operation_duration_seconds_count", label);
            assert_eq!(counted, [times as f64], "{query} {outcome}");
        }
        for class in ["timeout", "other", "constraint"] {
            let label = format!("error_type=\"{class}\"");
            assert_eq!(of("db_client_errors_total", label), [1.0], "{class}");
        }
    }
}

#[test]
fn errors_of_a_declared_operation_stand_at_zero() {
    let (plimsoll, shop) = new();
    plimsoll.db("devices").declare(["list"]);
    let errors = || {
        values(
            &plimsoll,
            "db_client_errors_total",
            &["\"list devices\"", "other"],
        )
    };
    assert_eq!(errors(), [0.0]);
    shop.declare_queries(["orders.by_id"]);
    shop.begin_sql("SELECT * FROM orders", Some("orders.by_id"))
        .finish_as(Outcome::Ok);
    let errors = values(&plimsoll, "db_client_errors_total", &["\"orders.by_id\""]);
    assert_eq!(errors, [0.0]);
}

#[test]
fn rows_are_recorded_where_they_were_told() {
    let (plimsoll, shop) = new();
    let mut guard = shop.begin_sql("SELECT * FROM t", None);
    guard.rows(3);
    guard.rows(4);
    guard.finish_as(Outcome::Ok);
    let mut empty = shop.begin_sql("SELECT * FROM t", None);
    empty.rows(0);
    empty.finish_as(Outcome::Ok);
    shop.begin_sql("SELECT * FROM t", None)
        .finish_as(Outcome::Ok);
    let rows = |suffix: &str, with: &[&str]| {
        let family = format!("db_client_response_returned_rows{suffix}");
        values(&plimsoll, &family, with)
    };
    assert_eq!(rows("_sum", &[]), [7.0]);
    assert_eq!(rows("_count", &[]), [2.0]);
    assert_eq!(rows("_bucket", &["le=\"0.0\""]), [1.0]);
}

#[test]
fn a_classifier_tells_failures_apart() {
    let (plimsoll, _) = new();
    let db = plimsoll
        .db("devices")
        .classify(|code: &&str| ErrorClass::from_sqlstate(code));
    let failing = |code: &'static str| db.time("list", async move { Err::<(), _>(code) });
    for code in ["40001", "02000", "57014", "08006"] {
        let result = failing(code).now_or_never().unwrap();
        assert_eq!(result, Err(code));
    }
    assert_eq!(db.time_sync("list", || Err::<(), _>("40P01")), Err("40P01"));
    let errors = |class: &str| values(&plimsoll, "db_client_errors_total", &[class]);
    assert_eq!(errors("retryable"), [2.0]);
    assert_eq!(errors("timeout"), [1.0]);
    assert_eq!(errors("connection"), [1.0]);
    assert_eq!(plimsoll.stats().operations[0].errors, 4);
    let ms = Duration::from_millis(1);
    plimsoll.track_db_query("list", "devices", ms, ErrorClass::Connection);
    plimsoll.track_db_query("list", "devices", ms, Status::partial());
    assert_eq!(errors("connection"), [2.0]);
    assert_eq!(plimsoll.stats().operations[0].count, 7);
}

#[test]
fn queries_under_way_are_in_flight() {
    let (plimsoll, shop) = new();
    let open = shop.begin_sql("SELECT * FROM t", None);
    let active = || values(&plimsoll, "db_client_active_operations", &["\"SELECT t\""]);
    assert_eq!(active(), [1.0]);
    open.finish_as(Outcome::Ok);
    assert_eq!(active(), [0.0]);
}

#[test]
fn a_budget_can_be_one_statements() {
    let clock = ManualClock::new();
    let mut builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let select = || Select::db().label("query", "SELECT orders");
    for budget in Budget::db_latency("orders", select()) {
        builder = builder.budget(budget.min_events(1));
    }
    let all = Budget::error_ratio("each", Select::db()).at_most(0.5);
    let plimsoll = builder.budget(all.per("query")).build().unwrap();
    let events = plimsoll.subscribe();
    let shop = plimsoll.database("shop").open();
    for (sql, ms) in [("SELECT * FROM orders", 80), ("SELECT * FROM slow", 900)] {
        let guard = shop.begin_sql(sql, None);
        clock.advance(Duration::from_millis(ms));
        guard.finish_as(Outcome::Ok);
    }
    clock.advance(Duration::from_secs(1));
    plimsoll.tick();
    let mut breached: Vec<_> = std::iter::from_fn(|| events.try_recv())
        .map(|event| format!("{} {}", event.budget, event.level))
        .collect();
    breached.sort();
    assert_eq!(breached, ["orders-p50 critical", "orders-p95 warning"]);
    let parts = plimsoll.budgets();
    let labels = |value: &str| {
        let is = |label: &(&str, String)| label.0 == "query" && label.1 == value;
        parts.iter().any(|part| part.labels.iter().any(is))
    };
    assert!(labels("SELECT orders") && labels("SELECT slow"));
}

#[test]
fn the_most_expensive_statements_come_first() {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder().clock(clock.clone()).build().unwrap();
    let run = |database: &Database, sql: &str, times: u32, ms: u64| {
        for _ in 0..times {
            let guard = database.begin_sql(sql, None);
            clock.advance(Duration::from_millis(ms));
            guard.finish_as(Outcome::Ok);
        }
    };
    let (shop, log) = (
        plimsoll.database("shop").open(),
        plimsoll.database("log").open(),
    );
    run(&shop, "SELECT a FROM t WHERE id = 1", 100, 1);
    run(&shop, "SELECT b FROM t", 3, 50);
    run(&log, "INSERT INTO lines VALUES (1)", 1, 120);
    plimsoll.track_db_query("list", "devices", Duration::from_millis(40), Outcome::Ok);
    let first = |by| {
        let top = plimsoll.top_queries(2, by).into_iter();
        top.map(|query| (query.database, query.text))
            .collect::<Vec<_>>()
    };
    let of = |database: &str, text: &str| (database.to_owned(), text.to_owned());
    let (a, b) = (
        of("shop", "SELECT a FROM t WHERE id = ?"),
        of("shop", "SELECT b FROM t"),
    );
    let insert = of("log", "INSERT INTO lines VALUES (?)");
    assert_eq!(first(TopBy::Total), [b.clone(), insert.clone()]);
    assert_eq!(first(TopBy::Mean), [insert, b.clone()]);
    assert_eq!(first(TopBy::Count), [a, b]);
    let all = plimsoll.top_queries(10, TopBy::Mean);
    let queries: Vec<_> = all.iter().map(|query| &*query.query).collect();
    assert_eq!(
        queries,
        ["INSERT lines", "SELECT t", "list devices", "SELECT t"]
    );
    let list = &all[2];
    assert_eq!(
        (list.total, list.mean),
        (Duration::from_millis(40), Duration::from_millis(40))
    );
    assert_eq!((&*list.database, &*list.text), ("", ""));
    assert_eq!(all[1].mean, Duration::from_millis(50));
}

#[test]
fn ten_thousand_statements_share_what_there_is_and_declared_names_stay() {
    let (plimsoll, shop) = new();
    shop.declare_queries(["late"]);
    let statements = |word: &str| {
        for table in 0..10_000 {
            let sql = format!("SELECT * FROM {word}{table}");
            shop.begin_sql(&sql, None).finish_as(Outcome::Ok);
        }
        values(&plimsoll, "plimsoll_shard_bytes", &[])
    };
    let bytes = statements("t");
    let more = statements("u");
    assert!(
        more.iter()
            .zip(&bytes)
            .all(|(more, bytes)| more - bytes < 4096.0)
    );
    shop.begin_sql("SELECT * FROM late", Some("late"))
        .finish_as(Outcome::Ok);
    let top = plimsoll.top_queries(usize::MAX, TopBy::Count);
    assert_eq!((top.len(), top[0].count), (256 + 1 + 1, 20_000 - 256));
    assert_eq!((&*top[0].query, &*top[0].text), ("other", ""));
    assert!(
        top.iter()
            .any(|query| query.query == "late" && query.count == 1)
    );
    let overflow = values(&plimsoll, "plimsoll_statement_overflow_total", &["shop"]);
    assert_eq!(overflow, [(20_000 - 256) as f64]);
    assert_eq!(plimsoll.stats().operations.len(), 256 + 1 + 1);
}

#[test]
fn declared_names_are_above_the_cap_on_label_sets() {
    let plimsoll = Plimsoll::builder().max_series(1).build().unwrap();
    let shop = plimsoll.database("shop").open();
    shop.declare_queries(["declared"]);
    for name in ["first", "second", "declared"] {
        shop.begin_sql("SELECT 1", Some(name))
            .finish_as(Outcome::Ok);
    }
    let operations = plimsoll.stats().operations;
    let queries: Vec<_> = operations.iter().map(|line| &*line.labels[2].1).collect();
    assert_eq!(queries, ["declared", "first", "other"]);
}

#[test]
fn whatever_comes_in_is_counted_and_no_secret_comes_out() {
    let (plimsoll, shop) = new();
    let mysql = plimsoll.database("mysql");
    let mysql = mysql.double_quotes(DoubleQuotes::Literals).open();
    let long = format!("SELECT * FROM t WHERE a = '{}", "s3cret".repeat(200_000));
    let texts = [
        "",
        "\0\0 s\0elect",
        "SELEC FRM WHERE WHERE (((",
        "/* s3cret */ SELECT 1 -- s3cret",
        "SELECT * FROM users WHERE password = 's3cret' AND n = \"s3cret",
        "ALTER USER app PASSWORD 's3cret'",
        &long,
    ];
    for sql in texts {
        shop.begin_sql(sql, None).fail(ErrorClass::Syntax);
        shop.begin_sql(sql, Some("named")).finish_as(Outcome::Ok);
    }
    mysql
        .begin_sql("SELECT * FROM users WHERE name = \"s3cret\"", None)
        .finish_as(Outcome::Ok);
    let guard = shop.begin_bytes(b"SELECT \xff\xfe FROM bytes WHERE a = '\xc3s3cret'", None);
    let begun = format!("{guard:?}");
    guard.finish_as(Outcome::Ok);
    let top = plimsoll.top_queries(usize::MAX, TopBy::Count);
    let count: u64 = top.iter().map(|query| query.count).sum();
    assert_eq!(count, 2 * texts.len() as u64 + 2);
    assert!(top.iter().any(|query| query.query == "SELECT bytes"));
    let page = plimsoll.render();
    assert!(!page.contains('\0'));
    for shown in [
        page,
        format!("{:?}", plimsoll.stats()),
        format!("{top:?}"),
        format!("{plimsoll:?} {shop:?} {begun}"),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn a_future_is_timed_by_its_statement() {
    let (plimsoll, shop) = new();
    let sql = String::from("UPDATE t SET a = 1");
    let query = shop.time_sql(&sql, std::future::ready(Err::<(), _>("failed")));
    drop(sql);
    assert_eq!(query.now_or_never(), Some(Err("failed")));
    drop(shop.time_sql("SELECT 1", std::future::ready(Ok::<_, ()>(()))));
    let top = plimsoll.top_queries(9, TopBy::Count);
    assert_eq!(
        (top.len(), top[0].errors, &*top[0].query),
        (1, 1, "UPDATE t")
    );
}
