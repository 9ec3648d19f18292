use std::time::{Duration, UNIX_EPOCH};

use crate::Plimsoll;
use crate::budget::{Budget, Select};
use crate::expr::{Expr, Offset, Selector};
use crate::generate::{Declaration, Operations};
use crate::slo::{BurnAlert, Calendar, Maintenance, Severity, Slo};

const HOUR: Duration = Duration::from_secs(3600);

fn selector(text: &str) -> Selector {
    match Expr::parse(text) {
        Ok(Expr::Select(selector)) => selector,
        other => panic!("{text}: {other:?}"),
    }
}

fn expr(text: &str) -> Expr {
    Expr::parse(text).expect(text)
}

/// One of each kind, with every option at least once.
fn slos() -> Vec<Slo> {
    let select = Select::http()
        .label("route", "/a \"b\"*")
        .except("method", "GET");
    let maintenance = Maintenance::new(UNIX_EPOCH + HOUR, UNIX_EPOCH + 2 * HOUR, "it's \"on\"");
    let burns = [
        BurnAlert::new(Severity::Page, 0.1 + 0.2, 3 * HOUR),
        BurnAlert::new(Severity::Ticket, 1e-3, 72 * HOUR),
    ];
    let orders = Slo::availability("orders", Select::operation("order")).objective(0.99);
    let queries =
        Slo::latency("queries", Select::db(), Duration::from_micros(1_500)).objective(0.9);
    let (of_orders, of_queries) = (orders.clone(), queries.clone());
    vec![
        Slo::availability("api \\ 'x'", select)
            .objective(0.9995)
            .rolling(90)
            .per("route")
            .per("method")
            .min_events(20)
            .confidence(0.95)
            .absent_after(90 * Duration::from_secs(1))
            .sustained_half_window()
            .maintenance(maintenance.clone())
            .maintenance(maintenance.every(24 * HOUR))
            .burn_alerts(burns),
        orders,
        queries
            .burn_alerts([])
            .calendar(Calendar::Month, Offset::minutes(-90).expect("an offset")),
        Slo::good_ratio(
            "good",
            selector("good_total{a!=\"b\",c=~\"d|e\"}"),
            selector("all_total"),
        )
        .objective(0.5)
        .reachable_burn_alerts(),
        Slo::bad_ratio(
            "bad",
            selector("bad_total"),
            selector("all_total{a=\"{}\"}"),
        )
        .objective(0.999),
        Slo::time_based("up", Expr::select(selector("connected{line=\"1\"}"))).objective(0.99),
        Slo::time_based("short", expr("queue_depth < 5 and connected == 1")).objective(0.99),
        Slo::time_slice(
            "throughout",
            expr("min_over_time(connected[5m]) > 0"),
            HOUR / 12,
        )
        .objective(0.99),
        Slo::time_slice(
            "other",
            expr("min_over_time(connected[10m]) > 0"),
            HOUR / 12,
        )
        .objective(0.99),
        Slo::ratio_time_slices(
            "mean",
            expr("1 - rate(good_total[5m]) / rate(all_total[5m])"),
            HOUR / 12,
        )
        .objective(0.999)
        .calendar(Calendar::Week, Offset::UTC),
        Slo::weighted(
            "weighted",
            [(&of_orders, 3.0), (&of_queries.clone().rolling(28), 0.25)],
        )
        .objective(0.99),
        Slo::all_of("all", [&of_orders, &of_queries])
            .objective(0.9)
            .reachable_burn_alerts(),
    ]
}

fn declared(slos: impl IntoIterator<Item = Slo>) -> Declaration {
    let families = [
        "good_total",
        "all_total",
        "bad_total",
        "connected",
        "queue_depth",
    ];
    let builder = Plimsoll::builder()
        .service("shop \"of\" all")
        .tick(Duration::from_millis(500));
    let builder = families
        .into_iter()
        .fold(builder, |builder, family| builder.expect_family(family));
    let builder = slos
        .into_iter()
        .fold(builder, |builder, slo| builder.slo(slo));
    builder.declaration().expect("it is sound")
}

#[test]
fn what_is_written_is_read_as_it_was() {
    let operations = Operations::new()
        .job("shop")
        .targets(["a:1", "b:2"])
        .scrape_interval(Duration::from_secs(5))
        .runbook_url("https://example.org/x")
        .receivers("a", "b", "c \"d\"")
        .escalation(Duration::ZERO, "on-call")
        .escalation(HOUR, "lead");
    // Parts of a weighted mean have its period.
    let mut slos = slos();
    slos[2] = slos[2].clone().rolling(28);
    let declaration = declared(slos)
        .operations(operations)
        .expect("they are sound");
    let text = super::write(&declaration).expect("all of it can be said");
    let read = Declaration::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(read.slos, declaration.slos, "{text}");
    assert_eq!(read.service, declaration.service);
    assert_eq!(
        (read.tick, &read.expected),
        (declaration.tick, &declaration.expected)
    );
    assert_eq!(read.extras.operations, declaration.extras.operations);
    assert_eq!(super::write(&read), Ok(text));
}

#[test]
fn each_kind_by_itself_is_read_as_it_was() {
    for slo in slos().into_iter().filter(|slo| !slo.is_composite()) {
        let declaration = declared([slo.clone()]);
        let text = super::write(&declaration).expect("it can be said");
        let read = Declaration::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read.slos, [slo], "{text}");
    }
}

#[test]
fn what_is_no_slo_is_refused_by_name() {
    let twice = Select::http().label("route", "/a*").label("route", "*b");
    let mut declaration = Plimsoll::builder()
        .service("shop")
        .naming(crate::Naming::classic())
        .target("shop", "a:1")
        .budget(Budget::error_ratio("errors", Select::http()).at_most(0.01))
        .slo(Slo::availability("api", twice).objective(0.99))
        .declaration()
        .expect("it is sound");
    declaration.remembers = true;
    let error = super::write(&declaration).expect_err("it cannot be said");
    let fields: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| &*problem.field)
        .collect();
    assert_eq!(
        fields,
        [
            "budget \"errors\"",
            "naming",
            "target",
            "state_file",
            "slo \"api\": labels"
        ]
    );
}
