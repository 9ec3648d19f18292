//! Everybody who counts one duration, each in its own unit and through a handle that is kept.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Key, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram as OtelHistogram, MeterProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use parking_lot::Mutex;
use plimsoll::{Buckets, Histogram, Layout, Plimsoll};

use crate::rounds::Job;
use crate::values;
use crate::{BOUNDS, P99};

/// How many different durations are recorded, again and again.
const VALUES: usize = 1 << 16;

type Run = Box<dyn Fn(usize, usize) + Send + Sync>;

/// Somebody who counts durations.
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    run: Run,
    drain: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Contender {
    fn new(name: &'static str, run: Run) -> Self {
        let drain = None;
        Self { name, run, drain }
    }

    fn draining(self, handle: &PrometheusHandle) -> Self {
        let handle = handle.clone();
        Self {
            drain: Some(Box::new(move || handle.run_upkeep())),
            ..self
        }
    }

    /// Records `count` durations, beginning at the `first`.
    pub fn record(&self, first: usize, count: usize) {
        (self.run)(first, count);
    }

    /// As a job of a comparison.
    pub fn job(&self) -> Job<'_> {
        let job = Job::new(self.name, |first, count| self.record(first, count));
        match &self.drain {
            Some(drain) => job.drain(drain),
            None => job,
        }
    }
}

/// The loop around `record`, compiled into each contender alike.
fn each<T: Copy + Send + Sync + 'static>(
    values: &'static [T],
    record: impl Fn(T) + Send + Sync + 'static,
) -> Run {
    Box::new(move |first, count| {
        let (mut from, mut left) = (first % VALUES, count);
        while left > 0 {
            let to = VALUES.min(from + left);
            for value in &values[from..to] {
                record(black_box(*value));
            }
            (from, left) = (0, left - (to - from));
        }
    })
}

pub const PLIMSOLL: &str = "plimsoll, 11 exact bounds";
pub const UNBOUNDED: &str = "plimsoll, no bounds";
pub const FACADE: &str = "plimsoll behind the `metrics` facade, handle";
pub const ATOMIC: &str = "histogram 1.6.4 `AtomicHistogram(7, 42)`";
pub const METRIKEN: &str = "metriken 0.11.5 `ShardedCounterHistogram(7, 42)`";
pub const EXPORTER: &str = "metrics 0.24.6 + exporter 0.18.3, handle";
pub const EXPORTER_MACRO: &str = "metrics 0.24.6 + exporter 0.18.3, `histogram!` with 2 labels";
pub const MUTEX: &str = "hdrhistogram 7.6.0 (2 digits) in a `parking_lot::Mutex`";
pub const LOOP: &str = "floor: the loop alone, part of every figure";
pub const FETCH_ADD: &str = "floor: the loop and one relaxed `fetch_add`";

/// The contenders that are cheap to make and read no clock: nanoseconds in, one count more.
pub fn plain() -> Vec<Contender> {
    let nanos: &'static [u64] = values::log_normal(VALUES).leak();
    let seconds: &'static [f64] = values::seconds(nanos).leak();
    let bounded = histogram(&BOUNDS);
    let unbounded = histogram(&[]);
    let atomic = histogram::AtomicHistogram::new(7, 42).expect("valid powers");
    let sharded: &'static metriken::ShardedCounterHistogram =
        Box::leak(Box::new(metriken::ShardedCounterHistogram::new(7, 42)));
    let mutex = Mutex::new(hdr());
    let options = prometheus::HistogramOpts::new("seconds", "Durations.").buckets(BOUNDS.to_vec());
    let prometheus = prometheus::Histogram::with_opts(options).expect("valid options");
    let client = prometheus_client::metrics::histogram::Histogram::new(BOUNDS);
    let counter = AtomicU64::new(0);
    vec![
        Contender::new(PLIMSOLL, each(nanos, move |ns| bounded.record(ns))),
        Contender::new(UNBOUNDED, each(nanos, move |ns| unbounded.record(ns))),
        Contender::new(METRIKEN, each(nanos, |ns| drop(sharded.increment(ns)))),
        Contender::new(ATOMIC, each(nanos, move |ns| drop(atomic.increment(ns)))),
        Contender::new(
            MUTEX,
            each(nanos, move |ns| mutex.lock().saturating_record(ns)),
        ),
        Contender::new(
            "prometheus 0.14.0",
            each(seconds, move |s| prometheus.observe(s)),
        ),
        Contender::new(
            "prometheus-client 0.25.2",
            each(seconds, move |s| client.observe(s)),
        ),
        Contender::new(LOOP, each(nanos, |_| ())),
        Contender::new(FETCH_ADD, each(nanos, move |ns| add(&counter, ns))),
    ]
}

/// A sum that nobody orders anything by, hence `Relaxed`.
fn add(sum: &AtomicU64, ns: u64) {
    sum.fetch_add(ns, Ordering::Relaxed);
}

/// Everybody. Installs the exporter's recorder as the process-wide one, so it can be called once.
pub fn all() -> Vec<Contender> {
    let mut all = plain();
    all.extend(facade());
    all.extend(exporter());
    all.extend(opentelemetry());
    all
}

/// plimsoll's histogram of durations.
pub fn histogram(bounds: &[f64]) -> Histogram {
    Histogram::new(Buckets::new(Layout::durations(), bounds).expect("valid bounds"))
}

/// hdrhistogram's, 1 ns to 1 h, two significant digits: about plimsoll's resolution.
pub fn hdr() -> hdrhistogram::Histogram<u64> {
    hdrhistogram::Histogram::new_with_bounds(1, 3_600_000_000_000, 2).expect("valid range")
}

/// The upper end of the bucket that holds the p99.
pub fn p99(buckets: &histogram::Histogram) -> u64 {
    let bucket = buckets.quantile_bucket(P99).expect("a valid quantile");
    bucket.expect("not empty").end()
}

/// The exporter's recorder with the 11 bounds.
pub fn exporter_recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
    builder.expect("bounds are given").build_recorder()
}

/// A kept handle of the facade.
pub fn handle(recorder: &impl Recorder, name: &'static str) -> metrics::Histogram {
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    recorder.register_histogram(&Key::from_name(name), &metadata)
}

fn facade() -> Vec<Contender> {
    let nanos = values::log_normal(VALUES);
    let seconds: &'static [f64] = values::seconds(&nanos).leak();
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .build()
        .expect("no mistakes");
    let recorder = plimsoll.metrics_recorder();
    let kept = handle(&recorder, "facade_seconds");
    let labelled = each(seconds, labelled);
    let under_local: Run = Box::new(move |first, count| {
        metrics::with_local_recorder(&recorder, || labelled(first, count));
    });
    vec![
        Contender::new(FACADE, each(seconds, move |s| kept.record(s))),
        Contender::new(
            "plimsoll behind the facade, `histogram!` with 2 labels",
            under_local,
        ),
    ]
}

/// One record through the macro, whose label values are not known before it runs.
fn labelled(seconds: f64) {
    let (method, route) = black_box(("GET", "/api/v1/items/{id}"));
    metrics::histogram!("labelled_seconds", "method" => method, "route" => route).record(seconds);
}

fn exporter() -> Vec<Contender> {
    let nanos = values::log_normal(VALUES);
    let seconds: &'static [f64] = values::seconds(&nanos).leak();
    let recorder = exporter_recorder();
    let page = recorder.handle();
    let kept = handle(&recorder, "kept_seconds");
    metrics::set_global_recorder(recorder).expect("the only one");
    vec![
        Contender::new(EXPORTER, each(seconds, move |s| kept.record(s))).draining(&page),
        Contender::new(EXPORTER_MACRO, each(seconds, labelled)).draining(&page),
    ]
}

fn opentelemetry() -> Vec<Contender> {
    let nanos = values::log_normal(VALUES);
    let seconds: &'static [f64] = values::seconds(&nanos).leak();
    // Without a reader the SDK counts nothing; this one never comes round.
    let reader = PeriodicReader::builder(InMemoryMetricExporter::default())
        .with_interval(std::time::Duration::from_secs(86_400))
        .build();
    let provider = Arc::new(SdkMeterProvider::builder().with_reader(reader).build());
    let make = |name: &'static str| -> (Arc<SdkMeterProvider>, OtelHistogram<f64>) {
        let meter = provider.meter("peers");
        let builder = meter.f64_histogram(name).with_boundaries(BOUNDS.to_vec());
        (provider.clone(), builder.build())
    };
    let bare = make("bare_seconds");
    let attributed = make("attributed_seconds");
    vec![
        Contender::new(
            "opentelemetry_sdk 0.33.1, no attributes",
            each(seconds, move |s| bare.1.record(s, &[])),
        ),
        Contender::new(
            "opentelemetry_sdk 0.33.1, 3 attributes",
            each(seconds, move |s| attributed.1.record(s, &attributes())),
        ),
    ]
}

fn attributes() -> [KeyValue; 3] {
    [
        KeyValue::new("http.request.method", black_box("GET")),
        KeyValue::new("http.route", black_box("/api/v1/items/{id}")),
        KeyValue::new("http.response.status_code", black_box(200)),
    ]
}
