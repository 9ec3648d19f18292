//! What judging costs: one tick over some series and budgets, and over the conditions of SLOs. For 10,000 series see `peers`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::{Budget, Expr, ManualClock, Outcome, Plimsoll, Select, Selector};

fn tick(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tick");
    for (series, budgets) in [(10, 5), (100, 20), (1_000, 20)] {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = (0..budgets).fold(builder, |builder, number| {
            let select = Select::operation(format!("work-{number}"));
            builder.budget(Budget::error_ratio(format!("errors-{number}"), select).at_most(0.001))
        });
        let plimsoll = builder
            .budget(
                Budget::quantile("p95", Select::operation("work-0"), 0.95)
                    .at_most(Duration::from_millis(200)),
            )
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

/// 100 SLOs with four pairs of windows each: what their counters cost, and what their conditions add.
fn conditions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conditions");
    for (name, conditions) in [("100 SLOs, unjudged", false), ("100 SLOs, 8 windows", true)] {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = (0..100).fold(builder, |builder, slo| {
            let select = Select::operation(format!("work-{slo}"));
            let builder =
                builder.budget(Budget::error_ratio(format!("slo-{slo}"), select).at_most(1.0));
            let pairs = BURNS.iter().filter(|_| conditions);
            pairs.fold(builder, |builder, burn| {
                let name = format!("slo-{slo}-{}h", burn.0);
                builder.budget(Budget::value(name, burn_rate(slo, burn)).at_most(f64::MAX))
            })
        });
        let plimsoll = builder.build().expect("no mistakes");
        let tick = || {
            clock.advance(Duration::from_secs(60));
            plimsoll.tick();
        };
        // Every window is full, and what is old is thinned.
        for at in 0..4_400 {
            let operation = plimsoll.operation(&format!("work-{}", at % 100));
            operation.record(
                [Outcome::Ok, Outcome::Error][at / 100 % 2],
                Duration::from_millis(1),
            );
            tick();
        }
        group.bench_function(name, |bencher| bencher.iter(tick));
    }
    group.finish();
}

/// Hours of the long window, and how fast the error budget of 0.1 % may burn.
const BURNS: [(u64, f64); 4] = [(1, 14.4), (6, 6.0), (24, 3.0), (72, 1.0)];

/// The error ratio of the long window where it is too high in both windows.
fn burn_rate(slo: usize, (hours, factor): &(u64, f64)) -> Expr {
    let ratio = |range: Duration| {
        let rate = |name: &str| {
            let selector = Selector::new(name).label("budget", format!("slo-{slo}"));
            Expr::rate(selector.label("level", "target"), range).sum()
        };
        rate("plimsoll_sli_bad_total") / rate("plimsoll_sli_valid_total")
    };
    let long = Duration::from_secs(hours * 3600);
    let (long, short) = (ratio(long), ratio(long / 12));
    long.greater(factor * 0.001)
        .and(short.greater(factor * 0.001))
}

criterion_group!(benches, tick, conditions);
criterion_main!(benches);
