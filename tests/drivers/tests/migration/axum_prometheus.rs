//! From axum-prometheus 0.10: `Naming::axum_prometheus()`.

use axum::Router;
use axum::routing::get;
use axum_prometheus::PrometheusMetricLayerBuilder;
use plimsoll::Naming;
use tokio::runtime::Runtime;

use super::compared::Same::{Labels, Values};
use super::compared::{Same, compare, plain, questions_of};
use super::site;

/// What dashboards ask: the questions of the page.
#[rustfmt::skip]
const DASHBOARD: &[(&str, Same)] = &[
    ("sum by (endpoint) (rate(axum_http_requests_total{$job}[1m]))", Labels),
    ("sum by (method, endpoint) (increase(axum_http_requests_total{$job}[1m]))", Labels),
    ("sum(rate(axum_http_requests_total{$job,status=~\"5..\"}[1m])) / sum(rate(axum_http_requests_total{$job}[1m]))", Values),
    ("sum by (status) (rate(axum_http_requests_total{$job}[1m])) / ignoring(status) group_left sum(rate(axum_http_requests_total{$job}[1m]))", Values),
    ("sum by (endpoint) (rate(axum_http_requests_total{$job,status=~\"4..|5..\"}[1m]))", Labels),
    ("histogram_quantile(0.5, sum by (le, endpoint) (rate(axum_http_requests_duration_seconds_bucket{$job}[1m])))", Labels),
    ("histogram_quantile(0.95, sum by (le, endpoint) (rate(axum_http_requests_duration_seconds_bucket{$job}[1m])))", Labels),
    ("histogram_quantile(0.99, sum by (le) (rate(axum_http_requests_duration_seconds_bucket{$job}[1m])))", Labels),
    ("sum by (endpoint) (rate(axum_http_requests_duration_seconds_sum{$job}[1m])) / sum by (endpoint) (rate(axum_http_requests_duration_seconds_count{$job}[1m]))", Labels),
    ("sum by (method, endpoint) (axum_http_requests_pending{$job})", Values),
    ("sum by (method, endpoint) (axum_http_response_body_size_sum{$job})", Values),
];

/// What makes sure that nothing hides behind those.
#[rustfmt::skip]
const MORE: &[(&str, Same)] = &[
    ("sum by (method, endpoint, status) (axum_http_requests_total{$job})", Values),
    ("sum by (method, endpoint, status) (axum_http_requests_duration_seconds_count{$job})", Values),
    ("topk(2, sum by (endpoint) (axum_http_requests_total{$job}))", Values),
    ("sum by (endpoint) (axum_http_requests_duration_seconds_bucket{$job,le=\"+Inf\"})", Values),
    // Before version 3 Prometheus takes `le` as it comes: theirs is `1`, ours `1.0`.
    ("group by (le) (label_replace(axum_http_requests_duration_seconds_bucket{$job}, \"le\", \"$1\", \"le\", \"(.*)\\\\.0\"))", Values),
    // No label more and none less.
    ("group without (job, instance) (axum_http_requests_total{$job})", Values),
    ("group without (job, instance) (axum_http_requests_duration_seconds_count{$job})", Values),
    ("group without (job, instance) (axum_http_requests_pending{$job})", Values),
    ("sum by (endpoint) (axum_http_requests_pending{$job}) > 0", Values),
    ("sum by (method, endpoint) (axum_http_response_body_size_count{$job})", Values),
];

/// Its recorder is the process's: once only.
fn serve_theirs(runtime: &Runtime) -> String {
    let _entered = runtime.enter();
    let (layer, handle) = PrometheusMetricLayerBuilder::new()
        .enable_response_body_size(true)
        .with_default_metrics()
        .build_pair();
    let app: Router = site::app().layer(layer);
    let page = get(move || std::future::ready(handle.render()));
    site::serve(runtime, app.route("/metrics", page))
}

#[test]
fn the_page_has_these_questions() {
    let page = include_str!("../../../../docs/migrating-from-axum-prometheus.md");
    assert_eq!(questions_of(page), plain(DASHBOARD));
}

#[test]
#[ignore = "needs Prometheus: tests/run"]
fn the_same_promql_keeps_working() {
    let runtime = site::runtime();
    let theirs = serve_theirs(&runtime);
    let ours = site::serve_ours(&runtime, Naming::axum_prometheus());
    compare(
        [&theirs, &ours],
        "sum(axum_http_requests_total{$job})",
        "sum(axum_http_requests_pending{$job})",
        &[DASHBOARD, MORE].concat(),
    );
    what_changes(&theirs, &ours);
}

/// Here the same requests are meant to be told otherwise, as the page on migrating says.
fn what_changes(theirs: &str, ours: &str) {
    let (total, pending) = ("axum_http_requests_total", "axum_http_requests_pending");
    // Those under way at the end of `compare` were hung up on.
    let never = r#"endpoint="/never""#;
    site::until_exported(ours, total, &[never, r#"status="499""#], "2");
    for address in [theirs, ours] {
        site::until_exported(address, pending, &[never], "0");
    }
    let page = super::get(theirs, "/metrics");
    let counted = |line: &str| line.starts_with(total) && line.contains(never);
    assert!(!page.lines().any(counted), "{page}");

    // A path that no route takes, and a method that nobody knows.
    for (address, method, endpoint) in [(theirs, "", "/nowhere/7"), (ours, "_OTHER", "unmatched")] {
        site::ask(address, "GET", "/nowhere/7", 404);
        site::ask(address, "BREW", "/users/7", 405);
        let endpoint = format!(r#"endpoint="{endpoint}""#);
        site::until_exported(address, total, &[&endpoint, r#"status="404""#], "1");
        let method = format!(r#"method="{method}""#);
        site::until_exported(address, total, &[&method, r#"status="405""#], "1");
    }

    // Sizes have buckets.
    for (address, kind) in [(theirs, "summary"), (ours, "histogram")] {
        let kind = format!("# TYPE axum_http_response_body_size {kind}");
        assert!(super::get(address, "/metrics").contains(&kind));
    }
}
