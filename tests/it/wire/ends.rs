//! Requests that end otherwise than they should.

use std::future::{Future, pending, ready};
use std::io;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use futures_util::{StreamExt, stream};

use super::{explode, half, read_to_end, read_until, serve};

fn half_of_nine() -> impl Future<Output = Response> {
    let response = Response::builder().header("content-length", "9");
    ready(response.body(half()).unwrap())
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_is_counted_as_499() {
    let site = serve(Router::new().route("/slow", get(pending::<Body>))).await;
    let client = site.send("GET", "/slow").await;
    site.until(&["under way GET /slow: 1"]).await;
    drop(client);
    site.until(&["GET /slow cancelled: 1", "GET /slow 499: 1"])
        .await;
    let stats = site.plimsoll.stats();
    assert_eq!((stats.total, stats.errors), (1, 0));
    assert_eq!(stats.operations[0].cancelled, 1);
    assert_eq!(site.samples("response_size_bytes_count"), [""; 0]);
}

#[tokio::test]
async fn a_client_that_leaves_half_way_is_counted_as_499() {
    let app = Router::new()
        .route("/endless", get(|| ready(half())))
        .route("/cut", get(half_of_nine));
    for path in ["/endless", "/cut"] {
        let site = serve(app.clone()).await;
        let mut client = site.send("GET", path).await;
        read_until(&mut client, "half").await;
        site.until(&[&format!("under way GET {path}: 1")]).await;
        drop(client);
        let expected = [
            format!("GET {path} body_dropped: 1"),
            format!("GET {path} 499: 1"),
        ];
        site.until(&expected.each_ref().map(String::as_str)).await;
        assert_eq!(site.plimsoll.stats().operations[0].cancelled, 1);
        assert_eq!(
            site.samples("response_size_bytes_sum"),
            [format!("GET {path}: 4.0")]
        );
    }
}

/// Sends `half`, lets it go out, and then ends as `end` does.
fn half_and(end: fn() -> io::Result<Bytes>) -> Body {
    let half = stream::iter([Ok(Bytes::from("half"))]);
    let end = stream::once(async move {
        tokio::task::yield_now().await;
        end()
    });
    Body::from_stream(half.chain(end))
}

#[tokio::test]
async fn a_body_that_fails_half_way_is_an_error() {
    let broken = || ready(half_and(|| Err(io::Error::other("disk on fire"))));
    let site = serve(Router::new().route("/broken", get(broken))).await;
    let received = read_to_end(site.send("GET", "/broken").await).await;
    assert!(received.starts_with("HTTP/1.1 200"), "{received}");
    assert!(received.ends_with("half\r\n"), "no last chunk: {received}");
    site.until(&["GET /broken body_error: 1", "GET /broken 200: 1"])
        .await;
    assert_eq!(site.plimsoll.stats().errors, 1);
}

#[tokio::test]
async fn a_panic_in_the_handler_closes_the_connection_and_is_an_error() {
    let site = serve(Router::new().route("/panic", get(|| async { explode::<Body>() }))).await;
    let received = read_to_end(site.send("GET", "/panic").await).await;
    assert_eq!(received, "");
    site.until(&["GET /panic panic: 1", "GET /panic 500: 1"])
        .await;
    assert_eq!(site.plimsoll.stats().errors, 1);
}

#[tokio::test]
async fn a_panic_in_the_body_closes_the_connection_and_is_an_error() {
    let panics = || ready(half_and(explode));
    let site = serve(Router::new().route("/panic", get(panics))).await;
    let received = read_to_end(site.send("GET", "/panic").await).await;
    assert!(received.starts_with("HTTP/1.1 200"), "{received}");
    assert!(received.ends_with("half\r\n"), "no last chunk: {received}");
    site.until(&["GET /panic panic: 1", "GET /panic 500: 1"])
        .await;
    assert_eq!(site.plimsoll.stats().errors, 1);
}

#[tokio::test]
async fn a_server_error_stays_one_whoever_leaves() {
    let handler = || async {
        let response = Response::builder().status(503);
        response.body(half()).unwrap()
    };
    let site = serve(Router::new().route("/down", get(handler))).await;
    let mut client = site.send("GET", "/down").await;
    read_until(&mut client, "half").await;
    drop(client);
    site.until(&["GET /down server_error: 1", "GET /down 503: 1"])
        .await;
}
