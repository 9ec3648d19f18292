//! What judging costs: one tick over some series and budgets, and over the conditions of SLOs. For 10,000 series see `peers`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::{AlertState, Budget, ManualClock, Outcome, Plimsoll, Select, Slo};

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

/// 100 SLOs with the usual four pairs of windows, all full: what counting them costs, and what judging adds.
fn conditions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("conditions");
    for (name, judged, bad_of) in [
        ("100 SLOs, unjudged", false, 10_000),
        ("100 SLOs, 8 windows, quiet", true, 10_000),
        ("100 SLOs, 8 windows, all alerts fire", true, 2),
    ] {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = (0..100).fold(builder, |builder, number| {
            let select = Select::operation(format!("work-{number}"));
            let slo = Slo::availability(format!("slo-{number}"), select).objective(0.999);
            builder.slo(match judged {
                true => slo,
                false => slo.burn_alerts([]),
            })
        });
        let plimsoll = builder.build().expect("no mistakes");
        let operations: Vec<_> = (0..100)
            .map(|number| plimsoll.operation(&format!("work-{number}")))
            .collect();
        let mut ticks = 0_u64;
        let mut tick = |length: u64| {
            let outcome = [Outcome::Ok, Outcome::Error][usize::from(ticks.is_multiple_of(bad_of))];
            for operation in &operations {
                operation.record(outcome, Duration::from_millis(1));
            }
            clock.advance(Duration::from_secs(length));
            plimsoll.tick();
            ticks += 1;
        };
        // As dense with age as ticks of a second are kept.
        let mut left = 4 * 86_400;
        while left > 0 {
            let length = (left / 400).max(1);
            tick(length);
            left -= length;
        }
        let firing = plimsoll
            .slos()
            .iter()
            .map(|slo| {
                slo.alerts
                    .iter()
                    .filter(|alert| alert.state == AlertState::Firing)
                    .count()
            })
            .sum::<usize>();
        assert_eq!(firing, if bad_of == 2 { 400 } else { 0 });
        group.bench_function(name, |bencher| bencher.iter(|| tick(1)));
    }
    group.finish();
}

criterion_group!(benches, tick, conditions);
criterion_main!(benches);
