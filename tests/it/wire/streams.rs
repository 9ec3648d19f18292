//! Bodies that take their time, and how much they carry.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use plimsoll::ManualClock;
use tokio::sync::Notify;

use super::{read_until, serve, serve_by};

#[tokio::test]
async fn a_stream_is_under_way_and_timed_until_its_end() {
    let clock = ManualClock::new();
    let go = Arc::new(Notify::new());
    let handler = {
        let (clock, go) = (clock.clone(), go.clone());
        get(move || async move {
            let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from("first"))]);
            let last = stream::once(async move {
                go.notified().await;
                clock.advance(Duration::from_millis(120));
                Ok(Bytes::from("last"))
            });
            Body::from_stream(first.chain(last))
        })
    };
    let site = serve_by(&clock, Router::new().route("/stream", handler)).await;
    let mut client = site.send("GET", "/stream").await;
    let head = read_until(&mut client, "first").await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert_eq!(site.counts(), ["under way GET /stream: 1"]);
    go.notify_one();
    read_until(&mut client, "\r\n0\r\n\r\n").await;
    site.until(&["GET /stream ok: 1", "GET /stream 200: 1"])
        .await;
    let duration = site.samples("request_duration_seconds_sum");
    assert_eq!(duration, ["GET /stream: 0.12"]);
}

#[tokio::test]
async fn chunks_are_counted_once_each() {
    let handler = || async {
        let chunk = |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 10_000]));
        Body::from_stream(stream::iter(0..7).map(chunk))
    };
    let site = serve(Router::new().route("/stream", get(handler))).await;
    let mut client = site.http1().await;
    let response = client.send_request(super::get("/stream")).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), 70_000);
    site.until(&["GET /stream ok: 1", "GET /stream 200: 1"])
        .await;
    assert_eq!(
        site.samples("response_size_bytes_count"),
        ["GET /stream: 1"]
    );
    assert_eq!(
        site.samples("response_size_bytes_sum"),
        ["GET /stream: 70000.0"]
    );
}
