//! What a condition costs: its selectors find one series each, or many.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use plimsoll::expr::{Grouping, Labels, Samples, eval};
use plimsoll::{Expr, Selector};

/// So many series of each family, with a sample each second for ten minutes, or two for many series.
fn given(series: usize) -> Samples {
    let mut samples = Samples::new();
    let moments = if series == 1 { 0..=600 } else { 599..=600 };
    for name in ["bad_total", "valid_total"] {
        for at in 0..series {
            let le = (at % 20) as f64;
            let labels = [
                ("__name__", name.to_owned()),
                ("route", format!("/{}", at / 20)),
                ("le", le.to_string()),
            ];
            let labels = Labels::new(labels);
            for second in moments.clone() {
                samples.insert(&labels, second * 1000, (second * 7) as f64);
            }
        }
    }
    samples
}

fn expr(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("expr");
    let rate = |name: &str| Expr::rate(Selector::new(name), Duration::from_secs(300));
    let ratio = || rate("bad_total").sum() / rate("valid_total").sum();
    let one = given(1);
    let burn = ratio().greater(0.0144).and(ratio().greater(0.0144));
    for (name, expr) in [("ratio > x", ratio().greater(0.01)), ("two windows", burn)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| eval(&expr, &one, 600_000).expect("a value"));
        });
    }
    let many = given(10_000);
    for (name, expr) in [
        (
            "10,000 elements by route",
            rate("bad_total").sum_by(["route"]),
        ),
        (
            "10,000 elements without le",
            rate("bad_total")
                .aggregate(plimsoll::expr::Aggregation::Sum, Grouping::without(["le"])),
        ),
        ("10,000 pairs", rate("bad_total") / rate("valid_total")),
        (
            "500 quantiles of 20 buckets",
            rate("bad_total").histogram_quantile(0.9),
        ),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| eval(&expr, &many, 600_000).expect("a value"));
        });
    }
    group.finish();
}

criterion_group!(benches, expr);
criterion_main!(benches);
