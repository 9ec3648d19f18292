//! Native histograms, asked of a real Prometheus 3.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use plimsoll::export::{Format, NativeSchema, listen};
use plimsoll::{Outcome, Plimsoll};

use super::Prometheus;

const VALUES: usize = 20_000;

/// Log-normal around 2 ms, in nanoseconds, ascending; the same ones each time.
fn log_normal() -> Vec<u64> {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let normal = |a: f64, b: f64| (-2.0 * a.ln()).sqrt() * (TAU * b).cos();
    let mut values: Vec<u64> = (0..VALUES)
        .map(|_| (2e6 * (1.2 * normal(uniform(), uniform())).exp()) as u64)
        .collect();
    values.sort_unstable();
    values
}

fn recorded(schema: i8, values: &[u64]) -> Plimsoll {
    let schema = NativeSchema::nearest(schema);
    let builder = Plimsoll::builder().format(Format::Protobuf { schema });
    let plimsoll = builder.build().unwrap();
    let publish = plimsoll.operation("publish");
    for &value in values {
        publish.record(Outcome::Ok, Duration::from_nanos(value));
    }
    plimsoll
}

/// The only value of `query`, once there is one.
async fn ask(prometheus: &Prometheus, query: &str) -> f64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let samples = prometheus.query(query);
        if let [(_, value)] = samples[..] {
            return value;
        }
        assert!(Instant::now() < deadline, "{query}: {samples:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn prometheus_reads_quantiles_from_native_histograms() {
    let values = log_normal();
    let (fine, coarse) = (recorded(6, &values), recorded(3, &values));
    let fine = listen(&fine, "127.0.0.1:0").await.unwrap();
    let coarse = listen(&coarse, "127.0.0.1:0").await.unwrap();
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, scrape_protocols: [PrometheusProto]}}\nscrape_configs:\n\
         - job_name: native\n  static_configs:\n  - targets: ['{}']\n    labels: {{schema: '6'}}\n  \
         - targets: ['{}']\n    labels: {{schema: '3'}}\n",
        fine.local_addr(),
        coarse.local_addr()
    );
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    let flags = ["--enable-feature=native-histograms"];
    let prometheus = Prometheus::start(&binary, &flags, &config);

    let exact_sum = values.iter().sum::<u64>() as f64 / 1e9;
    for (schema, width) in [(6, 0.0109), (3, 0.0906)] {
        let series = format!("operation_duration_seconds{{schema=\"{schema}\"}}");
        let count = ask(&prometheus, &format!("histogram_count({series})")).await;
        assert_eq!(count, VALUES as f64);
        let sum = ask(&prometheus, &format!("histogram_sum({series})")).await;
        assert!((sum - exact_sum).abs() < 1e-9 * exact_sum);
        for q in [0.5, 0.9, 0.99, 0.999] {
            let exact = values[(q * VALUES as f64).ceil() as usize - 1] as f64 / 1e9;
            let asked = ask(&prometheus, &format!("histogram_quantile({q}, {series})")).await;
            let error = (asked / exact - 1.0).abs();
            eprintln!(
                "schema {schema}, quantile {q}: {asked} for {exact}, off by {:.3} %",
                error * 100.0
            );
            assert!(
                error <= width,
                "schema {schema}, quantile {q}: {asked} for {exact}"
            );
        }
        // Counts between two of the schema's bounds are exact: 2^-9 s and 2^-7 s.
        let between = values
            .iter()
            .filter(|&&value| (1_953_126..=7_812_500).contains(&value))
            .count();
        let fraction = format!("histogram_fraction(2^-9, 2^-7, {series})");
        let fraction = ask(&prometheus, &fraction).await;
        assert!(
            (fraction * VALUES as f64 - between as f64).abs() < 1e-6,
            "{fraction} for {between}"
        );
    }
    let targets = super::get(&prometheus.address, "/api/v1/targets");
    assert_eq!(
        targets.matches("\"health\":\"up\",").count(),
        2,
        "{targets}"
    );
}
