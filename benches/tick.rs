//! What judging costs: one tick over some series and budgets. For 10,000 series see `peers`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::{Budget, ManualClock, Outcome, Plimsoll, Select};

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

criterion_group!(benches, tick);
criterion_main!(benches);
