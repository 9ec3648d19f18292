//! Native histograms, exemplars and times of creation, asked of a real Prometheus 3.

mod created;
mod exemplars;
mod merged;

use std::f64::consts::TAU;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use plimsoll::export::{Format, NativeSchema, listen};
use plimsoll::{Outcome, Plimsoll};

use super::prometheus::{Prometheus, Sample};

const VALUES: usize = 20_000;
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
/// The greatest difference between two values in one bucket of schema 6.
const WIDTH: f64 = 0.0109;

/// The same numbers each time.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Above 0 and below 1.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (TAU * b).cos()
    }

    /// Around `median`, in whole nanoseconds.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> u64 {
        (median * (sigma * self.normal()).exp()) as u64
    }
}

/// The nearest-rank quantile of `values`, which ascend, in seconds.
pub(super) fn nearest_rank(values: &[u64], q: f64) -> f64 {
    values[(q * values.len() as f64).ceil() as usize - 1] as f64 / 1e9
}

/// Seconds since 1970, as Prometheus counts them.
pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs_f64()
}

/// A job of Prometheus that reads `targets` in the format that Prometheus calls `protocol`.
fn job(name: &str, protocol: &str, targets: &[String]) -> String {
    format!(
        "- job_name: '{name}'\n  scrape_protocols: [{protocol}]\n  \
         static_configs: [{{targets: ['{}']}}]\n",
        targets.join("','")
    )
}

/// Prometheus 3 with these `features`, at these `jobs` every second.
fn prometheus3(features: &str, jobs: &[String]) -> Prometheus {
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{}",
        jobs.concat()
    );
    let binary = std::env::var("PLIMSOLL_PROMETHEUS3").expect("set by tests/run");
    Prometheus::start(&binary, &[&format!("--enable-feature={features}")], &config)
}

/// What `query` returns, once it is `enough`.
async fn once(
    prometheus: &Prometheus,
    query: &str,
    enough: impl Fn(&[Sample]) -> bool,
) -> Vec<Sample> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let samples = prometheus.query(query);
        if enough(&samples) {
            return samples;
        }
        assert!(Instant::now() < deadline, "{query}: {samples:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The only value of `query`, once there is one.
async fn ask(prometheus: &Prometheus, query: &str) -> f64 {
    once(prometheus, query, |samples| samples.len() == 1).await[0].1
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

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn prometheus_reads_quantiles_from_native_histograms() {
    let mut random = Random(7);
    let mut values: Vec<u64> = (0..VALUES).map(|_| random.log_normal(2e6, 1.2)).collect();
    values.sort_unstable();
    let (fine, coarse) = (recorded(6, &values), recorded(3, &values));
    let fine = listen(&fine, "127.0.0.1:0").await.unwrap();
    let coarse = listen(&coarse, "127.0.0.1:0").await.unwrap();
    let target = |listener: &plimsoll::export::Listener| [listener.local_addr().to_string()];
    let jobs = [
        job("schema 6", "PrometheusProto", &target(&fine)),
        job("schema 3", "PrometheusProto", &target(&coarse)),
    ];
    let prometheus = prometheus3("native-histograms", &jobs);

    let exact_sum = values.iter().sum::<u64>() as f64 / 1e9;
    for (schema, width) in [(6, WIDTH), (3, 0.0906)] {
        let series = format!("operation_duration_seconds{{job=\"schema {schema}\"}}");
        let count = ask(&prometheus, &format!("histogram_count({series})")).await;
        assert_eq!(count, VALUES as f64);
        let sum = ask(&prometheus, &format!("histogram_sum({series})")).await;
        assert!((sum - exact_sum).abs() < 1e-9 * exact_sum);
        for q in QUANTILES {
            let exact = nearest_rank(&values, q);
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
    assert_eq!(prometheus.targets_up(), 2);
}
