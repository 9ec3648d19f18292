//! From an OpenTelemetry layer (axum-otel-metrics 0.14 and opentelemetry-prometheus 0.32): the default names.

use axum::Router;
use axum::routing::get;
use axum_otel_metrics::HttpMetricsLayerBuilder;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use plimsoll::Naming;
use tokio::runtime::Runtime;

use super::compared::Same::{Labels, Values};
use super::compared::{Same, compare, plain, questions_of};
use super::site;

/// What dashboards ask: the questions of the page.
#[rustfmt::skip]
const DASHBOARD: &[(&str, Same)] = &[
    ("sum by (http_route) (rate(http_server_request_duration_seconds_count{$job}[1m]))", Labels),
    ("sum(rate(http_server_request_duration_seconds_count{$job,http_response_status_code=~\"5..\"}[1m])) / sum(rate(http_server_request_duration_seconds_count{$job}[1m]))", Values),
    ("sum by (http_response_status_code) (rate(http_server_request_duration_seconds_count{$job}[1m])) / ignoring(http_response_status_code) group_left sum(rate(http_server_request_duration_seconds_count{$job}[1m]))", Values),
    ("histogram_quantile(0.5, sum by (le, http_route) (rate(http_server_request_duration_seconds_bucket{$job}[1m])))", Labels),
    ("histogram_quantile(0.95, sum by (le, http_route, http_request_method) (rate(http_server_request_duration_seconds_bucket{$job}[1m])))", Labels),
    ("histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{$job}[1m])))", Labels),
    ("sum by (http_route) (rate(http_server_request_duration_seconds_sum{$job}[1m])) / sum by (http_route) (rate(http_server_request_duration_seconds_count{$job}[1m]))", Labels),
    ("sum by (http_request_method) (http_server_active_requests{$job})", Values),
    ("sum by (http_request_method, http_route) (http_server_response_body_size_bytes_sum{$job})", Values),
];

/// What makes sure that nothing hides behind those.
#[rustfmt::skip]
const MORE: &[(&str, Same)] = &[
    ("sum by (http_request_method, http_route, http_response_status_code) (http_server_request_duration_seconds_count{$job})", Values),
    ("sum by (http_route) (http_server_request_duration_seconds_bucket{$job,le=\"+Inf\"})", Values),
    // Before version 3 Prometheus takes `le` as it comes: theirs is `1`, ours `1.0`.
    ("group by (le) (label_replace(http_server_request_duration_seconds_bucket{$job}, \"le\", \"$1\", \"le\", \"(.*)\\\\.0\"))", Values),
    ("sum by (http_request_method, http_route) (http_server_response_body_size_bytes_count{$job})", Values),
];

fn serve_theirs(runtime: &Runtime) -> String {
    let registry = prometheus::Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
    let provider = SdkMeterProvider::builder()
        .with_reader(exporter.build().unwrap())
        .build();
    let layer = HttpMetricsLayerBuilder::new()
        .with_provider(provider.clone())
        .build();
    let app: Router = site::app().layer(layer);
    let page = get(move || {
        // As long as it is served: when the last provider goes, nothing is counted any more.
        let _kept = &provider;
        let families = registry.gather();
        std::future::ready(
            prometheus::TextEncoder::new()
                .encode_to_string(&families)
                .unwrap(),
        )
    });
    site::serve(runtime, app.route("/metrics", page))
}

#[test]
fn the_page_has_these_questions() {
    let page = include_str!("../../../../docs/migrating-from-opentelemetry.md");
    assert_eq!(questions_of(page), plain(DASHBOARD));
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn the_same_promql_keeps_working() {
    let runtime = site::runtime();
    let theirs = serve_theirs(&runtime);
    let ours = site::serve_ours(&runtime, Naming::otel());
    compare(
        [&theirs, &ours],
        "sum(http_server_request_duration_seconds_count{$job})",
        "sum(http_server_active_requests{$job})",
        &[DASHBOARD, MORE].concat(),
    );
    what_changes(&theirs, &ours);
}

/// Here the same requests are meant to be told otherwise, as the page on migrating says.
fn what_changes(theirs: &str, ours: &str) {
    let count = "http_server_request_duration_seconds_count";
    // Those under way at the end of `compare` were hung up on.
    let never = r#"http_route="/never""#;
    let cancelled = [
        never,
        r#"http_response_status_code="499""#,
        r#"error_type="cancelled""#,
    ];
    site::until_exported(ours, count, &cancelled, "2");
    let page = super::get(theirs, "/metrics");
    let counted = |line: &str| line.starts_with(count) && line.contains(never);
    assert!(!page.lines().any(counted), "{page}");

    // A path that no route takes; and labels of theirs that ours has not.
    let not_found = r#"http_response_status_code="404""#;
    let more = [
        not_found,
        r#"http_route="""#,
        r#"server_address="ship""#,
        r#"url_scheme="http""#,
        r#"otel_scope_name="axum-otel-metrics""#,
    ];
    site::ask(theirs, "GET", "/nowhere/7", 404);
    site::until_exported(theirs, count, &more, "1");
    site::ask(ours, "GET", "/nowhere/7", 404);
    let unmatched = [not_found, r#"http_route="unmatched""#];
    site::until_exported(ours, count, &unmatched, "1");
    let page = super::get(ours, "/metrics");
    for label in ["server_address", "url_scheme", "otel_scope_name"] {
        assert!(!page.contains(label), "{page}");
    }
}
