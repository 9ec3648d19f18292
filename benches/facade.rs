//! What does a value cost through the `metrics` facade, beside the exporter's own histogram: through a handle that is
//! kept, and through the macro, which looks the histogram up each time?
//!
//! Rounds of both alternate, so that whatever else the machine does falls on both; the medians and their ratio are
//! printed. The exporter's values are drained between its rounds, outside the time: it is measured at its best.
#![allow(clippy::unwrap_used, missing_docs, reason = "bench")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use metrics_exporter_prometheus::PrometheusBuilder;
use plimsoll::Plimsoll;

const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
const ROUNDS: usize = 81;
const VALUES: u32 = 65_536;

/// Durations from 0.1 ms to 6 s, in seconds.
fn values() -> Vec<f64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let uniform = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let values = (0..VALUES).map(uniform);
    values.map(|u: f64| 1e-4 * (11.0 * u).exp()).collect()
}

/// Nanoseconds per value of one round.
fn round(values: &[f64], mut record: impl FnMut(f64)) -> f64 {
    let start = Instant::now();
    for value in values {
        record(black_box(*value));
    }
    start.elapsed().as_nanos() as f64 / f64::from(VALUES)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Alternates rounds of `ours` and `theirs`, and prints both medians and the median of the ratios.
fn compare(what: &str, mut ours: impl FnMut() -> f64, mut theirs: impl FnMut() -> f64) {
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (ours(), theirs())).collect();
    let of = |side: fn(&(f64, f64)) -> f64| median(rounds.iter().map(side).collect());
    println!(
        "{what}: plimsoll {:.2} ns, metrics-exporter-prometheus {:.2} ns, ratio {:.2}",
        of(|round| round.0),
        of(|round| round.1),
        of(|round| round.0 / round.1),
    );
}

fn facade(criterion: &mut Criterion) {
    let values = values();
    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    let ours = plimsoll.metrics_recorder();
    let exporter = PrometheusBuilder::new().set_buckets(&BOUNDS).unwrap();
    let exporter = exporter.build_recorder();
    let drain = exporter.handle();
    let handle = |recorder: &dyn metrics::Recorder| {
        metrics::with_local_recorder(
            &recorder,
            || metrics::histogram!("request_seconds", "method" => "GET", "route" => "/"),
        )
    };
    let (our_handle, their_handle) = (handle(&ours), handle(&exporter));

    compare(
        "handle",
        || round(&values, |value| our_handle.record(value)),
        || {
            let time = round(&values, |value| their_handle.record(value));
            drain.run_upkeep();
            time
        },
    );
    let by_macro = |recorder: &dyn metrics::Recorder| {
        metrics::with_local_recorder(&recorder, || {
            round(&values, |value| {
                metrics::histogram!("request_seconds", "method" => "GET", "route" => "/")
                    .record(value);
            })
        })
    };
    compare(
        "macro",
        || by_macro(&ours),
        || {
            let time = by_macro(&exporter);
            drain.run_upkeep();
            time
        },
    );

    let mut group = criterion.benchmark_group("facade");
    for (name, handle) in [
        ("plimsoll", &our_handle),
        ("metrics-exporter-prometheus", &their_handle),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| {
                let mut time = Duration::ZERO;
                for done in (0..n).step_by(values.len()) {
                    let some = values.iter().take((n - done) as usize);
                    let start = Instant::now();
                    some.for_each(|value| handle.record(black_box(*value)));
                    time += start.elapsed();
                    drain.run_upkeep();
                }
                time
            });
        });
    }
    group.finish();
}

criterion_group!(benches, facade);
criterion_main!(benches);
