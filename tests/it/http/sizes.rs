//! How many bytes a response had, and when it began.

use std::future::ready;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use plimsoll::http::MeasureLayer;
use plimsoll::{ManualClock, Plimsoll};
use tower::ServiceExt;

use super::{plimsoll, request};

/// Seven chunks of 10,000 bytes.
fn stream() -> Body {
    let chunks =
        stream::iter(0..7).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 10_000])));
    Body::from_stream(chunks)
}

fn app(plimsoll: &Plimsoll) -> Router {
    Router::new()
        .route("/stream", get(|| ready(stream())))
        .route("/nothing", get(|| ready(StatusCode::NO_CONTENT)))
        .route("/text", get(|| ready("afloat")))
        .layer(MeasureLayer::new(plimsoll))
}

/// (number of responses, bytes) of a route.
fn sizes(plimsoll: &Plimsoll, route: &str) -> (String, String) {
    let page = plimsoll.render();
    let value = |suffix: &str| {
        let start = format!("http_server_response_body_size_bytes{suffix}");
        let of_route = |line: &&str| line.starts_with(&start) && line.contains(route);
        let line = page.lines().find(of_route).unwrap_or("0");
        line.rsplit(' ').next().unwrap().to_owned()
    };
    (value("_count"), value("_sum"))
}

fn pair(count: &str, sum: &str) -> (String, String) {
    (count.to_owned(), sum.to_owned())
}

#[tokio::test]
async fn bytes_are_counted_as_they_go_out() {
    let plimsoll = plimsoll();
    let app = app(&plimsoll);
    for (path, count, bytes) in [
        ("/stream", "1", "70000.0"),
        ("/nothing", "1", "0.0"),
        ("/text", "1", "6.0"),
    ] {
        let response = app.clone().oneshot(request("GET", path)).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(sizes(&plimsoll, path), pair(count, bytes), "{path}");
    }
}

#[tokio::test]
async fn what_is_dropped_half_way_counts_as_far_as_it_went() {
    let plimsoll = plimsoll();
    let response = app(&plimsoll)
        .oneshot(request("GET", "/stream"))
        .await
        .unwrap();
    let mut body = response.into_body();
    for _ in 0..3 {
        body.frame().await.unwrap().unwrap();
    }
    drop(body);
    assert_eq!(sizes(&plimsoll, "/stream"), pair("1", "30000.0"));
    let dropped = r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/stream",http_response_status_code="499",error_type="body_dropped"} 1"#;
    assert!(plimsoll.render().contains(dropped), "{}", plimsoll.render());
}

#[tokio::test]
async fn a_request_without_a_response_has_no_size() {
    let plimsoll = plimsoll();
    drop(app(&plimsoll).oneshot(request("GET", "/text")));
    let text = app(&plimsoll).oneshot(request("GET", "/text"));
    drop(text);
    assert_eq!(sizes(&plimsoll, "/text"), pair("0", "0"));
}

#[tokio::test]
async fn the_beginning_of_a_response_is_timed_apart() {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .build()
        .unwrap();
    let slow = {
        let clock = clock.clone();
        get(move || {
            clock.advance(Duration::from_millis(40));
            ready(stream())
        })
    };
    let layer = MeasureLayer::new(&plimsoll).first_byte();
    let app: Router = Router::new().route("/stream", slow).layer(layer);
    let response = app.oneshot(request("GET", "/stream")).await.unwrap();
    clock.advance(Duration::from_millis(80));
    response.into_body().collect().await.unwrap();
    let page = plimsoll.render();
    for line in [
        r#"http_server_first_byte_duration_seconds_sum{http_request_method="GET",http_route="/stream"} 0.04"#,
        r#"http_server_request_duration_seconds_sum{http_request_method="GET",http_route="/stream",http_response_status_code="200",error_type=""} 0.12"#,
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
    }
}
