//! How far from the truth are the quantiles? A million values of three shapes, against the exact nearest rank.

use histogram::Histogram as Buckets;
use metrics_exporter_prometheus::PrometheusBuilder;
use plimsoll_peers::recorders::{handle, hdr, histogram};
use plimsoll_peers::{BOUNDS, table, values};

const COUNT: usize = 1_000_000;
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];
/// What plimsoll promises.
const PROMISED: f64 = 0.0055;

/// A contender: durations in nanoseconds in, [`QUANTILES`] in nanoseconds out.
type Estimate = fn(&[u64]) -> [f64; 5];

const CONTENDERS: [(&str, Estimate); 4] = [
    ("plimsoll", ours),
    ("histogram 1.6.4 (7, 42)", buckets),
    ("hdrhistogram 7.6.0 (2 digits)", hdrhistogram),
    ("metrics-exporter-prometheus 0.18.3, summary", summary),
];

fn main() {
    table::heading(
        "accuracy: quantile error in % of the exact nearest-rank value, 1,000,000 values",
    );
    println!(
        "| shape | contender | p50 | p90 | p99 | p99.9 | p99.99 |\n|---|---|---:|---:|---:|---:|---:|"
    );
    let shapes = [
        ("log-normal", values::log_normal(COUNT)),
        ("bimodal", values::bimodal(COUNT)),
        ("Pareto", values::pareto(COUNT)),
    ];
    let worst = shapes.iter().map(|(shape, nanos)| compare(shape, nanos));
    let worst = worst.fold(0.0, f64::max);
    table::targets();
    table::at_most(
        "plimsoll's greatest quantile error, %",
        worst * 100.0,
        PROMISED * 100.0,
    );
    assert!(
        worst <= PROMISED,
        "plimsoll promises {PROMISED}, erred by {worst}"
    );
}

/// Prints a line per contender; returns plimsoll's greatest error.
fn compare(shape: &str, nanos: &[u64]) -> f64 {
    let mut sorted = nanos.to_vec();
    sorted.sort_unstable();
    let errors = |estimate: Estimate| -> Vec<f64> {
        let estimates = QUANTILES.into_iter().zip(estimate(nanos));
        estimates
            .map(|(q, estimate)| error(&sorted, q, estimate))
            .collect()
    };
    let all = CONTENDERS.map(|(name, estimate)| (name, errors(estimate)));
    for (name, errors) in &all {
        let cells: Vec<String> = errors.iter().map(|e| format!("{:.3}", e * 100.0)).collect();
        println!("| {shape} | {name} | {} |", cells.join(" | "));
    }
    all[0].1.iter().copied().fold(0.0, f64::max)
}

fn error(sorted: &[u64], q: f64, estimate: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil() as usize;
    let exact = sorted[rank.clamp(1, sorted.len()) - 1] as f64;
    (estimate - exact).abs() / exact
}

fn ours(nanos: &[u64]) -> [f64; 5] {
    let histogram = histogram(&BOUNDS);
    nanos.iter().for_each(|&ns| histogram.record(ns));
    let snapshot = histogram.snapshot();
    QUANTILES.map(|q| snapshot.quantile(q).expect("not empty") * 1e9)
}

/// The middle of the bucket, as for plimsoll.
fn buckets(nanos: &[u64]) -> [f64; 5] {
    let mut buckets = Buckets::new(7, 42).expect("valid powers");
    nanos
        .iter()
        .for_each(|&ns| buckets.increment(ns).expect("in range"));
    QUANTILES.map(|q| {
        let bucket = buckets
            .quantile_bucket(q)
            .expect("valid")
            .expect("not empty");
        (bucket.start() as f64 + bucket.end() as f64) / 2.0
    })
}

fn hdrhistogram(nanos: &[u64]) -> [f64; 5] {
    let mut hdr = hdr();
    nanos.iter().for_each(|&ns| hdr.saturating_record(ns));
    QUANTILES.map(|q| hdr.value_at_quantile(q) as f64)
}

/// Drained often, which is the kindest way: one late drain would see only the newest values.
fn summary(nanos: &[u64]) -> [f64; 5] {
    let builder = PrometheusBuilder::new().set_quantiles(&QUANTILES);
    let recorder = builder.expect("quantiles are given").build_recorder();
    let (page, kept) = (recorder.handle(), handle(&recorder, "seconds"));
    for some in nanos.chunks(64) {
        some.iter().for_each(|&ns| kept.record(ns as f64 / 1e9));
        page.run_upkeep();
    }
    let page = page.render();
    QUANTILES.map(|q| {
        let sample = format!("seconds{{quantile=\"{q}\"}} ");
        let line = page.lines().find_map(|line| line.strip_prefix(&sample));
        let seconds: Option<f64> = line.and_then(|value| value.parse().ok());
        seconds.expect("the quantile is on the page") * 1e9
    })
}
