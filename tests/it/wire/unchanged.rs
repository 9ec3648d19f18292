//! A measured server sends what a bare one sends.

use std::convert::Infallible;
use std::future::ready;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::{any, get};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{http2, read_to_end, serve, serve_bare};

const PATHS: [&str; 7] = [
    "/text",
    "/stream",
    "/trailers",
    "/none",
    "/unchanged",
    "/teapot",
    "/nowhere",
];

/// Two chunks and trailers.
fn trailers() -> Response {
    let chunks = ["a", "b"].map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::from(chunk))));
    let trailers =
        HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"end\""))]);
    let frames = stream::iter(chunks).chain(stream::iter([Ok(Frame::trailers(trailers))]));
    let response = Response::builder().header("trailer", "etag");
    response.body(Body::new(StreamBody::new(frames))).unwrap()
}

fn app() -> Router {
    let stream = || {
        let chunk = |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 10_000]));
        Body::from_stream(stream::iter(0..7).map(chunk))
    };
    let with_status = |status: u16| {
        let response = Response::builder().status(status).header("x-kind", "a");
        response
            .header("x-kind", "b")
            .body(Body::from("short"))
            .unwrap()
    };
    Router::new()
        .route("/text", any(|| ready("afloat")))
        .route("/stream", get(move || ready(stream())))
        .route("/trailers", get(|| ready(trailers())))
        .route("/none", get(move || ready(with_status(204))))
        .route("/unchanged", get(move || ready(with_status(304))))
        .route("/teapot", get(move || ready(with_status(418))))
}

/// Every byte but those of the date.
async fn raw(address: std::net::SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Trailers are sent only to those who say that they take them.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: ship\r\nte: trailers\r\nconnection: close, te\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let received = read_to_end(stream).await;
    let lines = received.split_inclusive("\r\n");
    lines.filter(|line| !line.starts_with("date: ")).collect()
}

#[tokio::test]
async fn the_bytes_of_http1_are_the_same() {
    let (bare, measured) = (serve_bare(app()).await, serve(app()).await);
    for method in ["GET", "HEAD", "DELETE"] {
        for path in PATHS {
            let expected = raw(bare, method, path).await;
            assert!(expected.starts_with("HTTP/1.1 "), "{expected}");
            assert_eq!(
                raw(measured.address, method, path).await,
                expected,
                "{method} {path}"
            );
        }
    }
    let trailers = raw(measured.address, "GET", "/trailers").await;
    assert!(
        trailers.ends_with("\r\n0\r\netag: \"end\"\r\n\r\n"),
        "{trailers}"
    );
    let total = 3 * PATHS.len() as u64 + 1;
    assert_eq!(measured.plimsoll.stats().total, total);
}

/// Status, headers, bytes and trailers.
type Answer = (http::StatusCode, HeaderMap, Bytes, Option<HeaderMap>);

async fn answer(address: std::net::SocketAddr, path: &str) -> Answer {
    let response = http2(address).await.send_request(super::get(path)).await;
    let (mut head, body) = response.unwrap().into_parts();
    head.headers.remove("date");
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    (head.status, head.headers, body.to_bytes(), trailers)
}

#[tokio::test]
async fn the_frames_of_http2_are_the_same() {
    let (bare, measured) = (serve_bare(app()).await, serve(app()).await);
    for path in PATHS {
        let expected = answer(bare, path).await;
        assert_eq!(answer(measured.address, path).await, expected, "{path}");
    }
    let (_, _, body, trailers) = answer(measured.address, "/trailers").await;
    assert_eq!(
        (body, trailers.unwrap()["etag"].to_str().unwrap()),
        (Bytes::from("ab"), "\"end\"")
    );
}
