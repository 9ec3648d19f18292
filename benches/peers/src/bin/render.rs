//! What does a scrape of 10,000 label sets cost, each with a counter and a histogram of 11 bounds?

use metrics::{Key, Label, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusHandle;
use plimsoll::{Layout, Plimsoll};
use plimsoll_peers::counting::{Allocated, Counting, allocated};
use plimsoll_peers::recorders::exporter_recorder;
use plimsoll_peers::rounds::{Job, Ratio, interleave};
use plimsoll_peers::{BOUNDS, table, values};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SETS: usize = 10_000;
/// Records in each set.
const EACH: usize = 20;
const LABELS: [&str; 3] = ["method", "route", "status"];
const COUNTER: &str = "http_requests_total";
const HISTOGRAM: &str = "http_request_duration_seconds";

/// A contender and how it renders its page.
type Page<'a> = (&'static str, Box<dyn Fn() -> String + Sync + 'a>);

fn main() {
    let nanos = values::log_normal(SETS * EACH);
    let (plimsoll, registry, exporter) = (ours(&nanos), prometheus(&nanos), exporter(&nanos));
    let pages: [Page<'_>; 3] = [
        ("plimsoll", Box::new(|| plimsoll.render())),
        (
            "prometheus 0.14.0 `TextEncoder`",
            Box::new(|| encode(&registry)),
        ),
        (
            "metrics-exporter-prometheus 0.18.3",
            Box::new(|| exporter.render()),
        ),
    ];
    pages.iter().for_each(check);

    table::heading("render: 10,000 label sets, each a counter and a histogram of 11 bounds");
    let asked: Vec<_> = pages.iter().map(|(_, render)| allocated(render)).collect();
    let jobs = pages.iter().map(|(name, render)| Job::call(name, render));
    let samples = interleave(&jobs.collect::<Vec<_>>(), 1);
    table::compare(&samples);
    allocations(&pages, &asked);

    table::targets();
    let ratio = |peer: usize| Ratio::of(&samples[0], &samples[peer]);
    table::ratio_at_most("render ÷ prometheus", ratio(1), 0.35);
    table::ratio_at_most("render ÷ exporter", ratio(2), 0.2);
}

/// A page shows every record that ended before it was asked for, whoever wrote it.
fn check((name, render): &Page<'_>) {
    let page = render();
    let total = |sample: &str| -> u64 {
        let lines = page.lines().filter(|line| line.starts_with(sample));
        lines.map(value).sum()
    };
    let all = (SETS * EACH) as u64;
    assert_eq!(total("http_requests_total{"), all, "{name}");
    assert_eq!(total("http_request_duration_seconds_count{"), all, "{name}");
    let buckets = page
        .matches("http_request_duration_seconds_bucket{")
        .count();
    assert_eq!(buckets, SETS * (BOUNDS.len() + 1), "{name}");
}

fn value(line: &str) -> u64 {
    let value = line.rsplit(' ').next().and_then(|text| text.parse().ok());
    value.expect("a line ends in its value")
}

fn allocations(pages: &[Page<'_>], asked: &[(String, Allocated)]) {
    println!("\n| contender | allocations of one page | bytes of the page |\n|---|---:|---:|");
    for ((name, _), (page, asked)) in pages.iter().zip(asked) {
        let calls = table::thousands(asked.calls as f64);
        println!(
            "| {name} | {calls} | {} |",
            table::thousands(page.len() as f64)
        );
    }
}

fn labels(set: usize) -> [String; 3] {
    let method = ["GET", "POST", "PUT", "DELETE"][set % 4];
    let status = ["200", "201", "404", "500", "503"][set / 4 % 5];
    [
        method.to_owned(),
        format!("/api/v1/items/{}", set / 20),
        status.to_owned(),
    ]
}

/// Shows each label set and its durations.
fn each_set(nanos: &[u64], mut show: impl FnMut([String; 3], &[u64])) {
    for (set, nanos) in nanos.chunks(EACH).enumerate() {
        show(labels(set), nanos);
    }
}

fn ours(nanos: &[u64]) -> Plimsoll {
    let builder = Plimsoll::builder().manual_tick().max_series(SETS);
    let plimsoll = builder.build().expect("no mistakes");
    each_set(nanos, |labels, nanos| {
        let mut counter = plimsoll.counter(COUNTER).help("Requests.");
        let mut histogram = plimsoll.histogram(HISTOGRAM, Layout::durations(), &BOUNDS);
        for (key, value) in LABELS.into_iter().zip(labels) {
            counter = counter.label(key, value.clone());
            histogram = histogram.label(key, value);
        }
        let counter = counter.register().expect("a valid counter");
        let histogram = histogram.help("Durations.").register();
        let histogram = histogram.expect("a valid histogram");
        counter.add(EACH as u64);
        nanos.iter().for_each(|&ns| histogram.record(ns));
    });
    plimsoll
}

fn prometheus(nanos: &[u64]) -> Registry {
    let counters = IntCounterVec::new(Opts::new(COUNTER, "Requests."), &LABELS);
    let counters = counters.expect("a valid counter");
    let options = HistogramOpts::new(HISTOGRAM, "Durations.").buckets(BOUNDS.to_vec());
    let histograms = HistogramVec::new(options, &LABELS).expect("a valid histogram");
    let registry = Registry::new();
    registry.register(Box::new(counters.clone())).expect("new");
    registry
        .register(Box::new(histograms.clone()))
        .expect("new");
    each_set(nanos, |labels, nanos| {
        counters.with_label_values(&labels).inc_by(EACH as u64);
        let histogram = histograms.with_label_values(&labels);
        nanos
            .iter()
            .for_each(|&ns| histogram.observe(ns as f64 / 1e9));
    });
    registry
}

fn encode(registry: &Registry) -> String {
    let page = TextEncoder::new().encode_to_string(&registry.gather());
    page.expect("valid families")
}

fn exporter(nanos: &[u64]) -> PrometheusHandle {
    let recorder = exporter_recorder();
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    each_set(nanos, |labels, nanos| {
        let pairs = LABELS.into_iter().zip(labels);
        let labels: Vec<Label> = pairs.map(|(key, value)| Label::new(key, value)).collect();
        let counter = Key::from_parts(COUNTER, labels.clone());
        recorder
            .register_counter(&counter, &metadata)
            .increment(EACH as u64);
        let histogram = Key::from_parts(HISTOGRAM, labels);
        let histogram = recorder.register_histogram(&histogram, &metadata);
        nanos
            .iter()
            .for_each(|&ns| histogram.record(ns as f64 / 1e9));
    });
    recorder.handle()
}
