//! The layer under `axum::serve`, with a client that speaks HTTP/1.1 by hand.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use plimsoll::Plimsoll;
use plimsoll::http::MeasureLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{line, lines, plimsoll};

/// A body that sends `half` and then never ends.
fn half() -> Body {
    let half = stream::iter([Ok::<_, std::io::Error>(Bytes::from("half"))]);
    Body::from_stream(half.chain(stream::pending()))
}

fn half_with_length(length: &str) -> Response {
    let response = Response::builder().header("content-length", length);
    response.body(half()).unwrap()
}

async fn serve(plimsoll: &Plimsoll) -> SocketAddr {
    let app = Router::new()
        .route("/text", get(|| async { "half" }))
        .route("/sized", get(|| async { half_with_length("4") }))
        .route("/cut", get(|| async { half_with_length("9") }))
        .route("/endless", get(|| async { half() }))
        .route("/slow", get(std::future::pending::<()>))
        .layer(MeasureLayer::new(plimsoll));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn send(address: SocketAddr, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: ship\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads until `end` was received.
async fn read_until(stream: &mut TcpStream, end: &str) {
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains(end) {
        assert_ne!(
            stream.read_buf(&mut received).await.unwrap(),
            0,
            "{received:?}"
        );
    }
}

/// Waits for the server to notice; the bound is for a test that fails.
async fn until(plimsoll: &Plimsoll, operation: &str, counts: [u64; 4]) {
    for _ in 0..1_000 {
        if lines(plimsoll) == [line(operation, counts)] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(lines(plimsoll), [line(operation, counts)]);
}

#[tokio::test]
async fn a_body_with_a_length_is_finished_though_the_server_stops_polling() {
    for path in ["/text", "/sized"] {
        let plimsoll = plimsoll();
        let mut client = send(serve(&plimsoll).await, "GET", path).await;
        read_until(&mut client, "half").await;
        until(&plimsoll, &format!("GET {path}"), [1, 0, 0, 0]).await;
    }
}

#[tokio::test]
async fn a_head_request_is_finished_though_nobody_reads_its_body() {
    let plimsoll = plimsoll();
    let mut client = send(serve(&plimsoll).await, "HEAD", "/endless").await;
    read_until(&mut client, "\r\n\r\n").await;
    until(&plimsoll, "HEAD /endless", [1, 0, 0, 0]).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_is_counted() {
    let plimsoll = plimsoll();
    let client = send(serve(&plimsoll).await, "GET", "/slow").await;
    until(&plimsoll, "GET /slow", [0, 0, 0, 1]).await;
    drop(client);
    until(&plimsoll, "GET /slow", [1, 0, 1, 0]).await;
}

#[tokio::test]
async fn a_client_that_leaves_half_way_is_counted() {
    for path in ["/endless", "/cut"] {
        let plimsoll = plimsoll();
        let operation = format!("GET {path}");
        let mut client = send(serve(&plimsoll).await, "GET", path).await;
        read_until(&mut client, "half").await;
        until(&plimsoll, &operation, [0, 0, 0, 1]).await;
        drop(client);
        until(&plimsoll, &operation, [1, 0, 1, 0]).await;
    }
}
