//! Protobuf, decoded.

use std::collections::BTreeMap;
use std::fmt::Write;

use prost::Message;

use super::*;
pub(super) use crate::export::messages::MetricFamily;
use crate::export::messages::{Histogram, Metric, MetricType};

pub(super) const FINEST: Format = Format::Protobuf {
    schema: NativeSchema::nearest(6),
};

pub(super) fn decoded(plimsoll: &Plimsoll, format: Format) -> Vec<MetricFamily> {
    let page = plimsoll.render_as(format);
    let mut rest = &page[..];
    let mut families = Vec::new();
    while !rest.is_empty() {
        families.push(MetricFamily::decode_length_delimited(&mut rest).expect("a message"));
    }
    families
}

/// The native buckets of a histogram: index and count.
fn buckets(histogram: &Histogram) -> BTreeMap<i32, u64> {
    let mut deltas = histogram.positive_delta.iter();
    let (mut index, mut count) = (0, 0);
    let mut buckets = BTreeMap::new();
    for span in &histogram.positive_span {
        index += span.offset;
        for _ in 0..span.length {
            count += deltas.next().expect("one for each bucket");
            buckets.insert(index, u64::try_from(count).expect("no negative count"));
            index += 1;
        }
    }
    assert_eq!(deltas.next(), None);
    buckets
}

fn describe(metric: &Metric) -> String {
    let labels: Vec<_> = metric
        .label
        .iter()
        .map(|label| format!("{}={:?}", label.name, label.value))
        .collect();
    let mut text = labels.join(",");
    if let Some(counter) = &metric.counter {
        let created = counter.created_timestamp.expect("always");
        let _ = write!(
            text,
            " counter {} since {}.{:09}",
            counter.value, created.seconds, created.nanos
        );
    }
    if let Some(gauge) = &metric.gauge {
        let _ = write!(text, " gauge {}", gauge.value);
    }
    if let Some(histogram) = &metric.histogram {
        let classic: Vec<_> = histogram
            .bucket
            .iter()
            .map(|it| (it.upper_bound, it.cumulative_count))
            .collect();
        let created = histogram.created_timestamp.expect("always");
        let _ = write!(
            text,
            " histogram {} {} since {}.{:09} {classic:?} schema {} zero {} to {} native {:?}",
            histogram.sample_count,
            histogram.sample_sum,
            created.seconds,
            created.nanos,
            histogram.schema,
            histogram.zero_count,
            histogram.zero_threshold,
            buckets(histogram),
        );
    }
    text
}

#[cfg(feature = "tracing")]
#[test]
fn protobuf_is_as_its_snapshot() {
    let plimsoll = filled(Naming::classic().errors_family());
    instruments(&plimsoll);
    let mut text = String::new();
    for family in decoded(&plimsoll, FINEST) {
        let kind = family.r#type();
        let _ = writeln!(
            text,
            "{} {kind:?} {:?} {}",
            family.name, family.unit, family.help
        );
        for metric in &family.metric {
            let _ = writeln!(text, "  {}", describe(metric));
        }
    }
    compare("protobuf.txt", &text);
}

#[test]
fn every_family_and_sample_of_the_text_is_in_the_protobuf() {
    let plimsoll = filled(Naming::millis());
    instruments(&plimsoll);
    let families = plimsoll.families();
    let decoded = decoded(&plimsoll, FINEST);
    assert_eq!(decoded.len(), families.len());
    for (family, decoded) in families.iter().zip(&decoded) {
        assert_eq!((&family.name, &family.help), (&decoded.name, &decoded.help));
        for (sample, metric) in family.samples.iter().zip(&decoded.metric) {
            let labels = metric.label.iter();
            let labels: Vec<_> = labels
                .map(|label| (label.name.clone(), label.value.clone()))
                .collect();
            assert_eq!(sample.labels, labels);
            match &sample.value {
                Value::Histogram(distribution) => {
                    let histogram = metric.histogram.as_ref().expect("one");
                    let classic = histogram.bucket.iter();
                    let classic: Vec<_> = classic
                        .map(|it| (it.upper_bound, it.cumulative_count))
                        .collect();
                    assert_eq!(distribution.buckets, classic);
                    assert_eq!(
                        (distribution.count, distribution.sum),
                        (histogram.sample_count, histogram.sample_sum)
                    );
                }
                Value::Integer(_) if family.kind == Kind::Counter => {
                    assert!(metric.counter.is_some())
                }
                _ => assert!(metric.gauge.is_some()),
            }
        }
        assert_eq!(family.samples.len(), decoded.metric.len());
    }
}

#[test]
fn milliseconds_have_no_native_buckets_and_seconds_have_them_from_the_start() {
    let of = |naming, name: &str| {
        let plimsoll = plimsoll(naming);
        let under_way = plimsoll
            .registry()
            .set(Domain::Http)
            .get(&["GET", "/a"])
            .start();
        let family = decoded(&plimsoll, FINEST)
            .into_iter()
            .find(|family| family.name == name);
        drop(under_way);
        family
            .and_then(|family| family.metric[0].histogram.clone())
            .expect("a histogram")
    };
    let seconds = of(Naming::classic(), "request_duration_seconds");
    assert_eq!((seconds.sample_count, seconds.schema), (0, 6));
    assert!(seconds.zero_threshold > 0.0, "that is what makes it native");
    let milliseconds = filled(Naming::millis());
    for family in decoded(&milliseconds, FINEST) {
        for histogram in family
            .metric
            .iter()
            .filter_map(|metric| metric.histogram.as_ref())
        {
            let native = histogram.zero_threshold > 0.0;
            assert_eq!(native, !family.name.ends_with("_ms"), "{}", family.name);
        }
    }
}

/// The bucket that Prometheus would put `seconds` into, by its definition.
fn bucket_of(seconds: f64, schema: i8) -> i32 {
    let bound = |index: i32| 2_f64.powf(f64::from(index) * 2_f64.powi(-i32::from(schema)));
    let mut index = (seconds.log2() * 2_f64.powi(schema.into())).ceil() as i32;
    while bound(index) < seconds {
        index += 1;
    }
    while bound(index - 1) >= seconds {
        index -= 1;
    }
    index
}

proptest! {
    #[test]
    fn native_buckets_are_an_exact_recount(
        ended in vec((0..2_usize, 0..3_usize, 0.0..41.0_f64), 1..80),
        schema in -6..8_i8,
    ) {
        let plimsoll = plimsoll(Naming::classic());
        let mut expected: BTreeMap<usize, (u64, BTreeMap<i32, u64>)> = BTreeMap::new();
        let schema = NativeSchema::nearest(schema);
        let threshold = 2_f64.powf(-1276.0 / 64.0);
        for &(route, status, magnitude) in &ended {
            let duration_ns = magnitude.exp2() as u64;
            let ended = (Outcome::Ok, [200, 201, 404][status], duration_ns);
            record(&plimsoll, Domain::Http, &["GET", ["/a", "/b"][route]], &[ended]);
            let seconds = duration_ns as f64 / 1e9;
            let (zero, buckets) = expected.entry(route).or_default();
            if seconds <= threshold {
                *zero += 1;
            } else {
                *buckets.entry(bucket_of(seconds, schema.number())).or_default() += 1;
            }
        }
        let families = decoded(&plimsoll, Format::Protobuf { schema });
        let family = families.iter().find(|family| family.name == "request_duration_seconds");
        let shown = family.expect("exported").metric.iter().map(|metric| {
            let histogram = metric.histogram.as_ref().expect("one");
            assert_eq!(histogram.schema, i32::from(schema.number()));
            assert!((histogram.zero_threshold - threshold).abs() < 1e-20);
            (histogram.zero_count, buckets(histogram))
        });
        prop_assert_eq!(shown.collect::<Vec<_>>(), expected.into_values().collect::<Vec<_>>());
    }
}

#[test]
fn protobuf_is_served_to_those_who_ask_for_it() {
    let prometheus_3 = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;\
                        q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                        text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    assert_eq!(Format::negotiate(Some(prometheus_3)), FINEST);
    let as_text =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text";
    assert_eq!(Format::negotiate(Some(as_text)), Format::Text);
    let coarse = Format::Protobuf {
        schema: NativeSchema::nearest(3),
    };
    let plimsoll = Plimsoll::builder().format(coarse).build().expect("sound");
    assert_eq!(plimsoll.negotiate(Some(prometheus_3)), coarse);
}

#[cfg(feature = "metrics")]
#[test]
fn the_facade_is_on_every_page() {
    let plimsoll = plimsoll(Naming::otel());
    metrics::with_local_recorder(&plimsoll.metrics_recorder(), || {
        metrics::counter!("orders", "shop" => "a").increment(3);
        metrics::counter!("sold_total").increment(4);
        metrics::gauge!("level_ratio").set(1.5);
        metrics::histogram!("packing_seconds").record(0.02);
    });
    let lines = |format, expected: [&str; 5]| {
        let page = String::from_utf8(plimsoll.render_as(format)).expect("text");
        for line in expected {
            assert!(
                page.lines().any(|it| it == line),
                "{line} is not in\n{page}"
            );
        }
    };
    let shared = ["orders{shop=\"a\"} 3", "sold_total 4", "level_ratio 1.5"];
    lines(
        Format::Text,
        [
            shared[0],
            shared[1],
            shared[2],
            "# TYPE orders counter",
            "# TYPE sold_total counter",
        ],
    );
    let openmetrics = Format::OpenMetrics { created: false };
    lines(
        openmetrics,
        [
            shared[0],
            shared[1],
            shared[2],
            "# TYPE orders unknown",
            "# TYPE sold counter",
        ],
    );

    let families = decoded(&plimsoll, FINEST);
    let family = |name: &str| {
        families
            .iter()
            .find(|family| family.name == name)
            .expect("there")
    };
    let counter = |name| family(name).metric[0].counter.expect("a counter").value;
    assert_eq!((counter("orders"), counter("sold_total")), (3.0, 4.0));
    assert_eq!(family("orders").metric[0].label[0].value, "a");
    assert_eq!(family("orders").r#type(), MetricType::Counter);
    assert_eq!(family("level_ratio").unit, "ratio");
    assert_eq!(
        family("level_ratio").metric[0]
            .gauge
            .expect("a gauge")
            .value,
        1.5
    );
    let packing = family("packing_seconds").metric[0]
        .histogram
        .clone()
        .expect("a histogram");
    assert_eq!(buckets(&packing), BTreeMap::from([(bucket_of(0.02, 6), 1)]));
}
