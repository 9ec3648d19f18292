//! What counting costs: one duration, one whole operation, from one thread and from two.
//!
//! Baselines: a value behind a mutex, and one shared atomic array.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use parking_lot::Mutex;
use plimsoll::{Buckets, Histogram, Layout, Outcome, Plimsoll};

const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Durations around 2 ms with a long tail, in nanoseconds.
fn durations() -> Vec<u64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let normal = |uniform: &mut dyn FnMut() -> f64| (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    (0..65_536)
        .map(|_| (2e6 * (1.2 * normal(&mut uniform)).exp()) as u64)
        .collect()
}

fn record(criterion: &mut Criterion) {
    let values = durations();
    let histogram = Histogram::new(Buckets::new(Layout::durations(), &BOUNDS).expect("bounds"));
    let oracle = hdrhistogram::Histogram::<u64>::new_with_bounds(1_000, 3_600_000_000_000, 2);
    let mutex = Mutex::new(oracle.expect("bounds"));
    let shared: Vec<AtomicU64> = (0..4096).map(|_| AtomicU64::new(0)).collect();
    let mut group = criterion.benchmark_group("record");
    for threads in [1_u32, 2] {
        group.bench_function(format!("plimsoll, {threads} threads"), |bencher| {
            bencher.iter_custom(|n| timed(threads, n, &values, |value| histogram.record(value)));
        });
        group.bench_function(
            format!("shared atomic array, {threads} threads"),
            |bencher| {
                bencher.iter_custom(|n| {
                    timed(threads, n, &values, |value| {
                        shared[(value >> 12) as usize & 4095].fetch_add(1, Ordering::Relaxed);
                    })
                });
            },
        );
        group.bench_function(
            format!("hdrhistogram in a mutex, {threads} threads"),
            |bencher| {
                bencher.iter_custom(|n| {
                    timed(threads, n, &values, |value| {
                        mutex.lock().saturating_record(value)
                    })
                });
            },
        );
    }
    group.finish();
}

/// The time per thread of `n` records by each of `threads`.
fn timed(threads: u32, n: u64, values: &[u64], record: impl Fn(u64) + Sync) -> Duration {
    let run = || {
        let start = Instant::now();
        for value in values.iter().cycle().take(n as usize) {
            record(black_box(*value));
        }
        start.elapsed()
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let own = run();
        let others: Duration = others
            .into_iter()
            .map(|other| other.join().expect("no panic"))
            .sum();
        (own + others) / threads
    })
}

fn operation(criterion: &mut Criterion) {
    let plimsoll = Plimsoll::builder()
        .manual_tick()
        .build()
        .expect("no mistakes");
    let operation = plimsoll.operation("work");
    let mut group = criterion.benchmark_group("operation");
    group.bench_function("two readings of the clock", |bencher| {
        bencher.iter(|| black_box(Instant::now()).elapsed());
    });
    group.bench_function("start and finish", |bencher| {
        bencher.iter(|| operation.start().finish(black_box(Outcome::Ok)));
    });
    group.bench_function("find, start and finish", |bencher| {
        bencher.iter(|| {
            plimsoll
                .operation(black_box("work"))
                .start()
                .finish(Outcome::Ok)
        });
    });
    group.finish();
}

criterion_group!(benches, record, operation);
criterion_main!(benches);
