use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::write::float;
use super::*;
use crate::clock::ManualClock;
use crate::naming::Naming;
use crate::registry::{Domain, InstrumentKind, InstrumentValue, Outcome};
use crate::scope::{QueryLimits, Scope, StatementId};

mod exemplars;
mod formats;
mod kept;
#[cfg(feature = "native")]
mod native;

const MS: u64 = 1_000_000;

fn plimsoll(naming: Naming) -> Plimsoll {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .naming(naming)
        .build()
        .expect("sound");
    clock.advance(Duration::from_millis(2_500));
    plimsoll
}

fn record(plimsoll: &Plimsoll, domain: Domain, labels: &[&str], ended: &[(Outcome, u16, u64)]) {
    let operation = plimsoll.registry().set(domain).get(labels);
    for &(outcome, detail, duration_ns) in ended {
        operation.record((outcome, detail), duration_ns);
    }
}

/// A little of everything.
fn filled(naming: Naming) -> Plimsoll {
    use Outcome::{Cancelled, Error, Ok};
    let plimsoll = plimsoll(naming);
    let a = [
        (Ok, 200, 5 * MS),
        (Ok, 200, 5 * MS + 1),
        (Error, 500, 200 * MS),
        (Cancelled, 499, 100 * MS),
    ];
    record(&plimsoll, Domain::Http, &["GET", "/a"], &a);
    record(
        &plimsoll,
        Domain::Http,
        &["POST", "/a"],
        &[(Ok, 201, 100 * MS + 1), (Error, 0, 20_000 * MS)],
    );
    let anatomy = plimsoll.registry().set(Domain::Http).get(&["GET", "/a"]);
    anatomy.ended(
        StatementId::of(&plimsoll),
        Ok.into(),
        5 * MS,
        Some(&Scope::new(true, None, QueryLimits::default())),
    );
    record(
        &plimsoll,
        Domain::Db,
        &["select", "orders"],
        &[(Ok, 0, 50 * MS), (Error, 0, 51 * MS)],
    );
    record(&plimsoll, Domain::Service, &["price"], &[(Ok, 0, MS)]);
    record(
        &plimsoll,
        Domain::Operation,
        &["import"],
        &[(Cancelled, 0, 3_000 * MS)],
    );
    record(
        &plimsoll,
        Domain::Modbus,
        &["plc1", "read"],
        &[(Ok, 0, 2 * MS), (Error, 0, 1_000 * MS)],
    );
    record(
        &plimsoll,
        Domain::Modbus,
        &["plc2", "write"],
        &[(Ok, 0, 3 * MS)],
    );
    record(
        &plimsoll,
        Domain::Connect,
        &["modbus", "plc1"],
        &[(Ok, 0, 4 * MS), (Error, 0, 2_000 * MS)],
    );
    record(
        &plimsoll,
        Domain::Acquire,
        &["orders"],
        &[(Ok, 0, MS), (Error, 0, 5_000 * MS)],
    );
    record(&plimsoll, Domain::Create, &["orders"], &[(Ok, 0, 4 * MS)]);
    plimsoll
}

/// Registers a counter, a gauge, an observed gauge and a histogram.
fn instruments(plimsoll: &Plimsoll) {
    let instruments = &plimsoll.registry().instruments;
    let named = |name: &str| plimsoll.inner().naming.instrument(name);
    let counter = instruments.register(
        &named("jobs_total"),
        "Jobs.",
        InstrumentKind::Counter,
        &[("queue", "a")],
    );
    let Ok(InstrumentValue::Counter(cells)) = counter else {
        panic!("{counter:?}")
    };
    cells.add(0, 7);
    let gauge = instruments.register(&named("level_ratio"), "Level.", InstrumentKind::Gauge, &[]);
    let Ok(InstrumentValue::Gauge(cell)) = gauge else {
        panic!("{gauge:?}")
    };
    cell.set(0.25);
    let read = |value| std::sync::Arc::new(move || value);
    instruments
        .observe(
            &named("depth"),
            "Depth.",
            &[("queue", "a")],
            read(Some(3.0)),
        )
        .expect("new");
    instruments
        .observe(&named("depth"), "Depth.", &[("queue", "b")], read(None))
        .expect("new");
    let buckets =
        crate::Buckets::new(crate::Layout::bytes(), &[1024.0, 1_048_576.0]).expect("bounds");
    let kind = InstrumentKind::Histogram(buckets);
    let histogram = instruments.register(&named("body_bytes"), "Bodies.", kind, &[]);
    let Ok(InstrumentValue::Histogram(histogram)) = histogram else {
        panic!("{histogram:?}")
    };
    histogram.record(1024);
    histogram.record(u64::MAX);
}

fn profiles() -> [(&'static str, Naming); 5] {
    [
        ("otel", Naming::otel()),
        ("classic", Naming::classic().prefix("bifrost_")),
        ("classic_errors", Naming::classic().errors_family()),
        ("millis", Naming::millis()),
        ("axum_prometheus", Naming::axum_prometheus()),
    ]
}

fn page(naming: Naming) -> String {
    let plimsoll = filled(naming);
    instruments(&plimsoll);
    plimsoll.render()
}

/// With the feature `tracing` there is a subscriber, and it is on the page.
#[cfg(feature = "tracing")]
#[test]
fn every_profile_renders_as_its_snapshot() {
    for (name, naming) in profiles() {
        compare(&format!("{name}.prom"), &page(naming));
    }
}

/// Without the number of bytes that counters take, which is the machine's business.
#[cfg(feature = "tracing")]
fn without_bytes(text: &str) -> String {
    let mut of_bytes = false;
    let mut kept = String::new();
    for line in text.lines() {
        // In protobuf the samples are indented.
        of_bytes &= line.starts_with(' ');
        if !of_bytes && !line.starts_with("plimsoll_shard_bytes{") {
            kept.push_str(line);
            kept.push('\n');
        }
        of_bytes |= line.starts_with("plimsoll_shard_bytes Gauge");
    }
    kept
}

/// Fails where `text` is not what the snapshot holds.
#[cfg(feature = "tracing")]
fn compare(snapshot: &str, text: &str) {
    let path = format!("{}/tests/snapshots/{snapshot}", env!("CARGO_MANIFEST_DIR"));
    let text = without_bytes(&text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).expect("writable");
    }
    let kept = std::fs::read_to_string(&path).expect("a snapshot; make it with BLESS=1");
    assert!(
        text == kept,
        "{path} differs (if on purpose: BLESS=1):\n{text}"
    );
}

#[test]
#[ignore = "needs promtool: tests/run"]
fn promtool_accepts_the_pages() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    // The millisecond profile is left out: promtool asks for base units.
    for (name, naming) in profiles().into_iter().filter(|(name, _)| *name != "millis") {
        let mut promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("promtool is installed");
        let mut stdin = promtool.stdin.take().expect("piped");
        stdin.write_all(page(naming).as_bytes()).expect("read");
        drop(stdin);
        let output = promtool.wait_with_output().expect("ended");
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
    }
}

fn family(plimsoll: &Plimsoll, name: &str) -> Family {
    let found = plimsoll
        .families()
        .into_iter()
        .find(|family| family.name == name);
    found.unwrap_or_else(|| panic!("{name} is not exported"))
}

fn numbers(family: &Family) -> Vec<(Vec<&str>, u64)> {
    let samples = family.samples.iter();
    samples
        .map(|sample| {
            let values = sample.labels.iter().map(|(_, value)| value.as_str());
            let Value::Integer(number) = sample.value else {
                panic!("{family:?}")
            };
            (values.collect(), number)
        })
        .collect()
}

#[test]
fn a_pair_of_counters_has_identical_label_sets_and_errors_are_born_at_zero() {
    let plimsoll = filled(Naming::classic().errors_family());
    let pairs = [
        ("requests_total", "errors_total"),
        ("modbus_requests_total", "modbus_errors_total"),
        ("modbus_reads_total", "modbus_writes_total"),
        (
            "connections_attempted_total",
            "connections_established_total",
        ),
    ];
    for (one, other) in pairs {
        let labels = |name| -> Vec<_> {
            let samples = family(&plimsoll, name).samples.into_iter();
            samples.map(|sample| sample.labels).collect()
        };
        assert_eq!(labels(one), labels(other), "{one}, {other}");
    }
    record(
        &plimsoll,
        Domain::Http,
        &["GET", "/fresh"],
        &[(Outcome::Ok, 200, MS)],
    );
    let errors = family(&plimsoll, "errors_total");
    let errors = numbers(&errors);
    assert_eq!(
        errors,
        [
            (vec!["GET", "/a"], 1),
            (vec!["GET", "/fresh"], 0),
            (vec!["POST", "/a"], 1)
        ]
    );
    assert_eq!(
        numbers(&family(&plimsoll, "modbus_writes_total")),
        [(vec!["plc1"], 0), (vec!["plc2"], 1)]
    );
}

#[test]
fn an_operation_that_has_not_ended_is_under_way_and_attempted() {
    let plimsoll = plimsoll(Naming::classic().errors_family());
    let http = plimsoll
        .registry()
        .set(Domain::Http)
        .get(&["GET", "/a"])
        .start();
    let connect = plimsoll
        .registry()
        .set(Domain::Connect)
        .get(&["modbus", "plc1"]);
    connect.start().finish(Outcome::Error);
    let under_way = connect.start();
    assert_eq!(
        numbers(&family(&plimsoll, "requests_in_flight")),
        [(vec!["GET", "/a"], 1)]
    );
    assert_eq!(
        numbers(&family(&plimsoll, "errors_total")),
        [(vec!["GET", "/a"], 0)]
    );
    let attempted = || numbers(&family(&plimsoll, "connections_attempted_total"))[0].1;
    let established = || numbers(&family(&plimsoll, "connections_established_total"))[0].1;
    assert_eq!((attempted(), established()), (2, 0));
    under_way.finish(Outcome::Ok);
    assert_eq!((attempted(), established()), (2, 1));
    http.finish((Outcome::Ok, 200));
    assert_eq!(
        numbers(&family(&plimsoll, "requests_in_flight")),
        [(vec!["GET", "/a"], 0)]
    );
}

#[test]
fn buckets_are_exact_and_add_up_to_the_count() {
    let plimsoll = plimsoll(Naming::otel());
    let bounds = Naming::otel().bounds(Domain::Http);
    for bound in &bounds {
        let edge = (bound * 1e9).round() as u64;
        let around = [(Outcome::Ok, 200, edge), (Outcome::Ok, 200, edge + 1)];
        record(&plimsoll, Domain::Http, &["GET", "/a"], &around);
    }
    let family = family(&plimsoll, "http_server_request_duration_seconds");
    let Value::Histogram(distribution) = &family.samples[0].value else {
        panic!("{family:?}")
    };
    let expected: Vec<_> = bounds.into_iter().zip((1..).step_by(2)).collect();
    assert_eq!(distribution.buckets, expected);
    assert_eq!(distribution.count, 28);
}

#[test]
fn slow_ones_are_counted_exactly_above_the_threshold() {
    let plimsoll = filled(Naming::millis());
    assert_eq!(
        numbers(&family(&plimsoll, "slow_requests_total")),
        [(vec!["GET", "/a"], 1), (vec!["POST", "/a"], 2)]
    );
    assert_eq!(
        numbers(&family(&plimsoll, "slow_queries_total")),
        [(vec!["select", "orders"], 1)]
    );
    let rate = &family(&plimsoll, "http_error_rate").samples[0];
    assert_eq!(rate.value, Value::Float(2.0 / 6.0));
    let fresh = self::plimsoll(Naming::millis());
    assert_eq!(
        family(&fresh, "http_error_rate").samples[0].value,
        Value::Float(0.0)
    );
}

#[test]
fn label_values_and_help_are_escaped() {
    let plimsoll = plimsoll(Naming::classic());
    record(
        &plimsoll,
        Domain::Http,
        &["GET", "/\"a\\\n"],
        &[(Outcome::Ok, 200, MS)],
    );
    let instruments = &plimsoll.registry().instruments;
    instruments
        .register("x", "A \\ and\na \"line\".", InstrumentKind::Counter, &[])
        .expect("new");
    let page = plimsoll.render();
    assert!(
        page.contains("requests_total{method=\"GET\",route=\"/\\\"a\\\\\\n\",status=\"200\"} 1\n"),
        "{page}"
    );
    assert!(
        page.contains("# HELP x A \\\\ and\\na \"line\".\n"),
        "{page}"
    );
}

#[test]
fn floats_are_written_as_prometheus_writes_them() {
    let written = [
        (10.0, "10.0"),
        (0.0, "0.0"),
        (0.005, "0.005"),
        (0.0001, "0.0001"),
        (0.00005, "5e-05"),
        (999_999.0, "999999.0"),
        (1_000_000.0, "1e+06"),
        (1_234_567.0, "1.234567e+06"),
        (-2.5e-7, "-2.5e-07"),
        (1e100, "1e+100"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ];
    for (value, text) in written {
        let mut out = Vec::new();
        float(&mut out, value);
        assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn overflow_and_saturation_are_told_by_kind() {
    let plimsoll = plimsoll(Naming::otel());
    for route in 0..1_001 {
        record(&plimsoll, Domain::Http, &["GET", &route.to_string()], &[]);
    }
    record(
        &plimsoll,
        Domain::Db,
        &["select", "a"],
        &[(Outcome::Ok, 0, u64::MAX)],
    );
    instruments(&plimsoll);
    let of = |name: &str, kind: &str| {
        let family = family(&plimsoll, name);
        let numbers = numbers(&family);
        numbers
            .iter()
            .find(|(labels, _)| labels == &[kind])
            .map(|(_, number)| *number)
    };
    assert_eq!(of("plimsoll_series_overflow_total", "http"), Some(1));
    assert_eq!(of("plimsoll_series_overflow_total", "instrument"), Some(0));
    assert_eq!(of("plimsoll_values_saturated_total", "db"), Some(1));
    assert_eq!(of("plimsoll_values_saturated_total", "instrument"), Some(1));
    assert_eq!(of("plimsoll_values_saturated_total", "http"), Some(0));
}

#[test]
fn an_instrument_on_a_name_in_use_is_left_out_and_counted() {
    let plimsoll = filled(Naming::classic());
    let instruments = &plimsoll.registry().instruments;
    let counter = |name| {
        let made = instruments.register(name, "", InstrumentKind::Counter, &[]);
        made.expect("unknown to the registry");
    };
    counter("request_duration_seconds_count");
    counter("fine_total");
    let page = plimsoll.render();
    assert_eq!(page.matches("# TYPE request_duration_seconds").count(), 1);
    assert!(page.contains("\nfine_total 0\n"));
    assert!(page.contains("\nplimsoll_families_dropped_total 1\n"));
}

proptest! {
    #[test]
    fn every_projection_adds_up_to_what_was_recorded(
        ended in vec((0..3_usize, 0..3_usize, 0..4_usize, 0..20_000 * MS), 0..60)
    ) {
        let plimsoll = plimsoll(Naming::classic().errors_family());
        for &(method, route, end, duration_ns) in &ended {
            let labels = [["GET", "POST", "PUT"][method], ["/a", "/b", "/c"][route]];
            let (outcome, detail) = [
                (Outcome::Ok, 200),
                (Outcome::Ok, 404),
                (Outcome::Error, 503),
                (Outcome::Cancelled, 499),
            ][end];
            record(&plimsoll, Domain::Http, &labels, &[(outcome, detail, duration_ns)]);
        }
        if ended.is_empty() {
            return Ok(());
        }
        let total = |name| numbers(&family(&plimsoll, name)).iter().map(|(_, n)| n).sum::<u64>();
        let errors = ended.iter().filter(|(_, _, end, _)| *end == 2).count() as u64;
        prop_assert_eq!(total("requests_total"), ended.len() as u64);
        prop_assert_eq!(total("responses_total"), ended.len() as u64);
        prop_assert_eq!(total("errors_total"), errors);
        let (mut count, mut sum) = (0, 0.0);
        for sample in family(&plimsoll, "request_duration_seconds").samples {
            let Value::Histogram(distribution) = sample.value else {
                panic!("a histogram")
            };
            prop_assert!(distribution.buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
            count += distribution.count;
            sum += distribution.sum;
        }
        prop_assert_eq!(count, ended.len() as u64);
        let recorded: u64 = ended.iter().map(|(_, _, _, duration_ns)| duration_ns).sum();
        prop_assert!((sum - recorded as f64 / 1e9).abs() < 1e-9 * sum.max(1.0));
    }
}
