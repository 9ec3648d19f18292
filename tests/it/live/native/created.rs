//! The first error of what came into being between two scrapes.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use plimsoll::Naming;
use plimsoll::http::MeasureLayer;
use tower::ServiceExt;

use super::*;

/// The series that appear with their first error at 1.
const ERRORS: [&str; 3] = [
    "errors_total{route=\"/fresh\"}",
    "operation_duration_seconds_count{operation=\"fresh\",outcome=\"error\"}",
    "mails_lost_total",
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Prometheus 3: tests/run"]
async fn the_first_error_is_an_increase() {
    let builder = Plimsoll::builder()
        .naming(Naming::classic().errors_family())
        .format(Format::OpenMetrics { created: true });
    let plimsoll = builder.build().unwrap();
    let listener = listen(&plimsoll, "127.0.0.1:0").await.unwrap();
    let target = [listener.local_addr().to_string()];
    let jobs = [
        job("text", "OpenMetricsText1.0.0", &target),
        job("protobuf", "PrometheusProto", &target) + "  always_scrape_classic_histograms: true\n",
    ];
    let told = prometheus3("native-histograms,created-timestamp-zero-ingestion", &jobs);
    let untold = prometheus3("native-histograms", &jobs);
    let both_jobs = |samples: &[Sample], least: f64| {
        samples.len() == 2 && samples.iter().all(|sample| sample.1 >= least)
    };
    for prometheus in [&told, &untold] {
        once(prometheus, "plimsoll_build_info", |it| both_jobs(it, 1.0)).await;
    }

    let fails = get(async || StatusCode::INTERNAL_SERVER_ERROR);
    let app = Router::new()
        .route("/fresh", fails)
        .layer(MeasureLayer::new(&plimsoll));
    let request = Request::get("/fresh").body(Body::empty()).unwrap();
    drop(app.oneshot(request).await.unwrap());
    plimsoll
        .operation("fresh")
        .record(Outcome::Error, Duration::from_millis(1));
    let lost = plimsoll.counter("mails_lost_total").help("Mails lost.");
    lost.register().unwrap().increment();

    for series in ERRORS {
        for prometheus in [&told, &untold] {
            let scrapes = format!("count_over_time({series}[1m])");
            once(prometheus, &scrapes, |it| both_jobs(it, 3.0)).await;
        }
        let increase = format!("increase({series}[1m])");
        let (seen, unseen) = (told.query(&increase), untold.query(&increase));
        eprintln!("{increase}: {seen:?} with times of creation, {unseen:?} without");
        assert!(both_jobs(&seen, 1.0), "{seen:?}");
        assert!(
            unseen.len() == 2 && unseen.iter().all(|it| it.1 == 0.0),
            "{unseen:?}"
        );
        // What came into being after the moment of a scrape and before its page has its zero behind that sample: it falls to
        // 0 once, and all is counted once. No later scrape brings another zero.
        let resets = told.query(&format!("resets({series}[1m])"));
        assert!(
            resets.len() == 2 && resets.iter().all(|it| it.1 <= 1.0),
            "{resets:?}"
        );
        assert!(seen.iter().all(|it| it.1 < 2.0), "{seen:?}");
    }
    // The native histogram as well.
    let native = "histogram_count(increase(operation_duration_seconds{operation=\"fresh\"}[1m]))";
    let (seen, unseen) = (told.query(native), untold.query(native));
    eprintln!("{native}: {seen:?} with times of creation, {unseen:?} without");
    assert!(
        matches!(seen[..], [(_, increase)] if increase >= 1.0),
        "{seen:?}"
    );
    assert!(
        matches!(unseen[..], [(_, increase)] if increase == 0.0),
        "{unseen:?}"
    );
    // Who does not know what a time of creation is keeps it as a series.
    let created = "count by (job) ({__name__=~\".+_created\"})";
    assert_eq!(told.query(created), []);
    let kept = untold.query(created);
    assert!(
        matches!(&kept[..], [(labels, _)] if labels["job"] == "text"),
        "{kept:?}"
    );
    for prometheus in [&told, &untold] {
        assert_eq!(prometheus.targets_up(), 2);
    }
}
