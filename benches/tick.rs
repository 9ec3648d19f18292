//! What judging costs: one tick over many series and budgets.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::{Budget, Builder, ManualClock, Outcome, Plimsoll, Select};

/// `count` values in each of ten octaves from 0.1 ms on, others for each `seed`.
fn durations(seed: usize, count: usize) -> impl Iterator<Item = Duration> {
    let within = move |nth| 1.0 + (nth * 37 + seed * 11) as f64 % 100.0 / 100.0;
    let octave = |octave| 100e-6 * f64::from(1 << octave);
    (0..10).flat_map(move |at| {
        (0..count).map(move |nth| Duration::from_secs_f64(octave(at) * within(nth)))
    })
}

fn p95(name: &str, select: Select) -> Budget {
    Budget::quantile(name, select, 0.95).at_most(Duration::from_millis(200))
}

fn few(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick");
    for (series, budgets) in [(10, 5), (100, 20), (1_000, 20)] {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = (0..budgets).fold(builder, |builder, number| {
            let select = Select::operation(format!("work-{number}"));
            builder.budget(Budget::error_ratio(format!("errors-{number}"), select).at_most(0.001))
        });
        let plimsoll = builder
            .budget(p95("p95", Select::operation("work-0")))
            .build()
            .expect("no mistakes");
        for number in 0..series {
            let operation = plimsoll.operation(&format!("work-{number}"));
            (0..100).for_each(|ms| operation.record(Outcome::Ok, Duration::from_millis(ms)));
        }
        group.bench_function(format!("{series} series, {budgets} budgets"), |bencher| {
            bencher.iter(|| {
                clock.advance(Duration::from_secs(1));
                plimsoll.tick();
            });
        });
    }
    group.finish();
}

/// Two budgets over all queries, and two on each of ten.
fn of_queries(builder: Builder) -> Builder {
    let errors = |name: &str, select| Budget::error_ratio(name, select).at_most(0.001);
    let all = builder
        .budget(p95("p95", Select::db()))
        .budget(errors("errors", Select::db()));
    (0..10).fold(all, |builder, number| {
        let select = || Select::db().label("operation", format!("query-{number}"));
        builder
            .budget(p95(&format!("p95-{number}"), select()))
            .budget(errors(&format!("errors-{number}"), select()))
    })
}

/// Ten thousand series of which some got a hundred records since the tick before.
fn many(criterion: &mut Criterion) {
    const SERIES: usize = 10_000;
    let mut group = criterion.benchmark_group("tick");
    group.sample_size(20);
    let clock = ManualClock::new();
    let plimsoll = of_queries(Plimsoll::builder().clock(clock.clone()).manual_tick())
        .max_series(2 * SERIES)
        .shard_memory(1 << 30)
        .build()
        .expect("no mistakes");
    let names: Vec<String> = (0..SERIES).map(|n| format!("query-{n}")).collect();
    let record = |at: usize, count| {
        for duration in durations(at, count) {
            plimsoll.track_db_query(&names[at], "orders", duration, Outcome::Ok);
        }
    };
    (0..SERIES).for_each(|at| record(at, 1));
    for active in [0, 1_000] {
        group.throughput(Throughput::Elements(SERIES as u64));
        group.bench_function(format!("{SERIES} series, {active} active"), |bencher| {
            bencher.iter_custom(|rounds| {
                let round = |_| {
                    (0..active).for_each(|at| record(at * 10, 10));
                    clock.advance(Duration::from_secs(1));
                    let start = Instant::now();
                    plimsoll.tick();
                    start.elapsed()
                };
                (0..rounds).map(round).sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, few, many);
criterion_main!(benches);
