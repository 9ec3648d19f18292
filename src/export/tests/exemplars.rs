//! Values with a trace id.

use super::formats::{OPENMETRICS, text};
use super::*;
use crate::histogram::TraceId;

fn id(n: u8) -> TraceId {
    TraceId::new([n; 16]).expect("not zero")
}

/// Two ends of one operation, each with exemplars: in the same bucket, in another, and above all bounds.
pub(super) fn traced() -> Plimsoll {
    let clock = ManualClock::new();
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    let plimsoll = builder.naming(Naming::classic()).build().expect("sound");
    let operation = plimsoll
        .registry()
        .set(Domain::Db)
        .get(&["select", "orders"]);
    let mut n = 0;
    for (outcome, ms) in [
        (Outcome::Ok, 30),
        (Outcome::Error, 40),
        (Outcome::Ok, 3_000),
        (Outcome::Error, 7_200_000),
    ] {
        clock.advance(Duration::from_secs(1));
        n += 1;
        operation.record_traced(outcome, ms * MS, id(n));
        operation.record(outcome, ms * MS);
    }
    plimsoll
}

#[test]
fn openmetrics_shows_the_latest_exemplar_of_each_bucket() {
    let page = text(&traced(), OPENMETRICS);
    let by_model = || {
        let lines = page.lines();
        lines.filter(|line| line.starts_with("db_query_duration_seconds"))
    };
    let shown: Vec<&str> = by_model()
        .filter_map(|line| line.split_once(" # "))
        .map(|it| it.1)
        .collect();
    let expected = [(2, "0.04 2.000"), (3, "3.0 3.000"), (4, "3600.0 4.000")];
    let expected = expected.map(|(n, rest)| format!("{{trace_id=\"{}\"}} {rest}", id(n)));
    assert_eq!(shown, expected);
    let buckets = by_model().filter(|line| line.contains(" # "));
    let bounds = buckets.map(|line| {
        line.split("le=")
            .nth(1)
            .and_then(|rest| rest.split('}').next())
    });
    assert_eq!(
        bounds.collect::<Vec<_>>(),
        [Some("\"0.05\""), Some("\"5.0\""), Some("\"+Inf\"")]
    );
}

#[test]
fn the_old_text_format_has_none() {
    let plimsoll = traced();
    assert!(text(&plimsoll, OPENMETRICS).contains("trace_id"));
    assert!(!plimsoll.render().contains("trace_id"));
}

#[test]
fn families_carry_them() {
    let families = traced().families();
    let of = |family: &&Family| family.name == "db_query_duration_seconds";
    let family = families.iter().find(of).expect("it was recorded");
    let Value::Histogram(distribution) = &family.samples[0].value else {
        panic!("a histogram");
    };
    let shown = distribution
        .exemplars
        .iter()
        .map(|it| (it.value, it.trace_id));
    let expected = [(0.04, id(2)), (3.0, id(3)), (3600.0, id(4))];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[cfg(feature = "native")]
#[test]
fn protobuf_shows_them_on_classic_buckets_and_on_the_native_histogram() {
    let plimsoll = traced();
    let families = super::native::decoded(&plimsoll, super::native::FINEST);
    let of = |family: &&super::native::MetricFamily| family.name == "db_query_duration_seconds";
    let family = families.iter().find(of).expect("it was recorded");
    let histogram = family.metric[0].histogram.as_ref().expect("a histogram");
    let on_buckets = histogram.bucket.iter().filter_map(|bucket| {
        let exemplar = bucket.exemplar.as_ref()?;
        Some((bucket.upper_bound, exemplar.value))
    });
    let expected = [(0.05, 0.04), (5.0, 3.0), (f64::INFINITY, 3600.0)];
    assert_eq!(on_buckets.collect::<Vec<_>>(), expected);
    assert_eq!(
        histogram.bucket.last().map(|last| last.cumulative_count),
        Some(8)
    );
    let native = histogram.exemplars.iter();
    let native: Vec<_> = native
        .map(|it| {
            (
                it.value,
                it.label[0].value.clone(),
                it.timestamp.map(|at| at.seconds),
            )
        })
        .collect();
    let expected = [(0.04, 2), (3.0, 3), (3600.0, 4)];
    let expected = expected.map(|(value, n)| (value, id(n).to_string(), Some(i64::from(n))));
    assert_eq!(native, expected);
}
