//! Bytes of request bodies.

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use bytes::Bytes;
use futures_util::stream;
use http::Request;
use http_body_util::BodyExt;
use plimsoll::Plimsoll;
use plimsoll::http::MeasureLayer;
use tower::ServiceExt;

use super::plimsoll;

fn app(plimsoll: &Plimsoll) -> Router {
    let measure = MeasureLayer::new(plimsoll).exclude(["/health"]);
    let first = |body: Body| async move {
        let mut body = body.into_data_stream();
        let first = futures_util::StreamExt::next(&mut body).await;
        first.unwrap().unwrap().len().to_string()
    };
    Router::new()
        .route(
            "/whole",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route("/first", post(first))
        .route("/none", post(|| async { "none" }))
        .route(
            "/health",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .layer(measure.request_bytes())
        .layer(measure)
}

/// Sends seven chunks of 10,000 bytes; what came back.
async fn send(app: &Router, path: &str) -> String {
    let chunks = (0..7).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![7; 10_000])));
    let body = Body::from_stream(stream::iter(chunks));
    let request = Request::post(path).body(body).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn what_was_read_is_counted_and_not_what_was_sent() {
    let plimsoll = plimsoll();
    let app = app(&plimsoll);
    assert_eq!(send(&app, "/whole").await, "70000");
    assert_eq!(send(&app, "/first").await, "10000");
    assert_eq!(send(&app, "/none").await, "none");
    assert_eq!(send(&app, "/health").await, "70000");
    let text = plimsoll.render();
    let read = |route: &str| {
        let of = |suffix: &str| {
            let name = format!("http_server_request_body_size_bytes_{suffix}");
            let line = format!("{name}{{http_request_method=\"POST\",http_route=\"{route}\"}} ");
            let value = text.lines().find_map(|it| it.strip_prefix(line.as_str()));
            value.map(|value| value.parse::<f64>().unwrap())
        };
        (of("count"), of("sum"))
    };
    assert_eq!(read("/whole"), (Some(1.0), Some(70_000.0)));
    assert_eq!(read("/first"), (Some(1.0), Some(10_000.0)));
    assert_eq!(read("/none"), (Some(1.0), Some(0.0)));
    assert_eq!(read("/health"), (None, None));
}
