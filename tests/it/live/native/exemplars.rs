//! Exemplars, from the page to Prometheus' storage.

use plimsoll::TraceId;
use serde_json::Value;

use super::*;

/// A value in milliseconds and the byte that its trace id is made of.
type Traced = (u64, u8);

/// The bounds put them into buckets of their own, the last one above all bounds.
const FIRST: [Traced; 4] = [(3, 1), (67, 2), (900, 3), (15_000, 4)];
/// Takes the place of 67 ms on the page.
const SECOND: Traced = (70, 5);

/// What somebody who looks the exemplar up gets: trace id, value, and whether it happened in these seconds.
fn shown(exemplar: &Value, seconds: (f64, f64)) -> (String, f64, bool) {
    let at = exemplar["timestamp"].as_f64().unwrap();
    (
        exemplar["labels"]["trace_id"].as_str().unwrap().to_owned(),
        exemplar["value"].as_str().unwrap().parse().unwrap(),
        // Prometheus keeps milliseconds.
        (seconds.0 - 0.001..=seconds.1).contains(&at),
    )
}

fn id(byte: u8) -> TraceId {
    TraceId::new([byte; 16]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn exemplars_reach_prometheus() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let listener = listen(&plimsoll, "127.0.0.1:0").await.unwrap();
    let target = [listener.local_addr().to_string()];
    let jobs = [
        job("text", "OpenMetricsText1.0.0", &target),
        job("protobuf", "PrometheusProto", &target) + "  always_scrape_classic_histograms: true\n",
    ];
    let prometheus = prometheus3("exemplar-storage,native-histograms", &jobs);

    let import = plimsoll.operation("import");
    let record = |(ms, byte): Traced| {
        import.record_traced(Outcome::Ok, Duration::from_millis(ms), id(byte));
        // Exemplars of one millisecond are one to Prometheus.
        std::thread::sleep(Duration::from_millis(3));
    };
    let counted = |count: f64| {
        move |samples: &[Sample]| samples.len() == 2 && samples.iter().all(|it| it.1 == count)
    };
    let count = "operation_duration_seconds_count";
    let start = now();
    FIRST.into_iter().for_each(record);
    once(&prometheus, count, counted(4.0)).await;
    record(SECOND);
    once(&prometheus, count, counted(5.0)).await;
    let seconds = (start, now());

    let mut expected: Vec<(String, f64, bool)> = FIRST
        .into_iter()
        .chain([SECOND])
        .map(|(ms, byte)| (id(byte).to_string(), ms as f64 / 1e3, true))
        .collect();
    expected.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (series, each) in [
        ("operation_duration_seconds_bucket{job=\"text\"}", 4),
        ("operation_duration_seconds_bucket{job=\"protobuf\"}", 4),
        ("operation_duration_seconds{job=\"protobuf\"}", 1),
    ] {
        let stored = prometheus.exemplars(series, start - 1.0, seconds.1 + 1.0);
        let labels: Vec<&Value> = stored.iter().map(|it| &it.0).collect();
        assert_eq!(stored.len(), each, "{labels:?}");
        assert!(
            labels.iter().all(|it| it["operation"] == "import"),
            "{labels:?}"
        );
        let all = stored.iter().flat_map(|it| &it.1);
        let mut all: Vec<_> = all.map(|it| shown(it, seconds)).collect();
        all.sort_by(|a, b| a.1.total_cmp(&b.1));
        assert_eq!(all, expected, "{series}");
    }
    assert_eq!(prometheus.targets_up(), 2);
}
