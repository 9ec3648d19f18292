//! What does a scrape of 1,000 label sets cost, from the cells to the text, beside the exporter's own histograms?
#![allow(clippy::unwrap_used, missing_docs, reason = "bench")]

use criterion::{Criterion, criterion_group, criterion_main};
use metrics_exporter_prometheus::PrometheusBuilder;
use plimsoll::export::Format;
use plimsoll::{Naming, Plimsoll};

const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// A hundred values under each of 1,000 label sets.
fn fill(recorder: &dyn metrics::Recorder) {
    metrics::with_local_recorder(&recorder, || {
        for route in 0..1_000 {
            let route = format!("/api/v1/items/{route}");
            let requests = metrics::histogram!(
                "request_seconds", "method" => "GET", "route" => route, "status" => "200"
            );
            (1..=100).for_each(|i| requests.record(f64::from(i) / 250.0));
        }
    });
}

fn render(c: &mut Criterion) {
    let plimsoll = Plimsoll::builder().naming(Naming::otel()).build().unwrap();
    fill(&plimsoll.metrics_recorder());
    let lines = |page: &str| {
        page.lines()
            .filter(|line| line.starts_with("request_seconds"))
            .count()
    };
    assert_eq!(lines(&plimsoll.render()), 17_000);

    let exporter = PrometheusBuilder::new().set_buckets(&BOUNDS).unwrap();
    let recorder = exporter.build_recorder();
    fill(&recorder);
    let handle = recorder.handle();
    assert_eq!(lines(&handle.render()), 17_000);

    let mut group = c.benchmark_group("1,000 label sets, 17,000 lines");
    group.sample_size(30);
    group.bench_function("families", |b| b.iter(|| plimsoll.families()));
    group.bench_function("render", |b| b.iter(|| plimsoll.render()));
    let mut page = Vec::new();
    for (name, format) in [
        ("render_to, text", Format::Text),
        (
            "render_to, OpenMetrics",
            Format::OpenMetrics { created: false },
        ),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                page.clear();
                plimsoll.render_to(format, &mut page).unwrap();
            });
        });
    }
    group.bench_function("metrics-exporter-prometheus", |b| {
        b.iter(|| handle.render())
    });
    group.finish();
}

criterion_group!(benches, render);
criterion_main!(benches);
