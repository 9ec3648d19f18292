//! A router, and the requests that it gets.

use std::future::pending;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, post};
use plimsoll::http::MeasureLayer;
use plimsoll::{Naming, Plimsoll};
use tokio::runtime::Runtime;

/// Requests of one round: method, path, the status of the answer, how many.
const ROUND: [(&str, &str, u16, usize); 5] = [
    ("GET", "/users/7", 200, 12),
    ("GET", "/users/8", 200, 8),
    ("POST", "/orders", 201, 5),
    ("GET", "/users/none", 400, 3),
    ("GET", "/fails", 500, 2),
];

/// How many requests a round has.
pub(super) fn round() -> usize {
    ROUND.iter().map(|(.., times)| times).sum()
}

pub(super) fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().worker_threads(2).build().unwrap()
}

/// What is measured. Every answer has a body of known length.
pub(super) fn app() -> Router {
    Router::new()
        .route(
            "/users/{id}",
            get(|Path(id): Path<u32>| async move { format!("user {id}") }),
        )
        .route("/orders", post(|| async { (StatusCode::CREATED, "taken") }))
        .route(
            "/fails",
            get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "sorry") }),
        )
        .route("/never", get(pending::<Body>))
}

/// Serves it on a free port.
pub(super) fn serve(runtime: &Runtime, app: Router) -> String {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    runtime.spawn(async { axum::serve(listener, app).await });
    address
}

/// Serves what is measured by plimsoll under these names. This is the whole of the change.
pub(super) fn serve_ours(runtime: &Runtime, naming: Naming) -> String {
    let plimsoll = Plimsoll::builder().naming(naming).build().unwrap();
    let app = app()
        .layer(MeasureLayer::new(&plimsoll))
        .route("/metrics", plimsoll::export::handler(&plimsoll));
    serve(runtime, app)
}

/// Sends a request and leaves it at that.
pub(super) fn send(address: &str, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: ship\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

/// Waits until the page at `address` has a sample of this family with these labels and this value; the bound is for a test
/// that fails.
pub(super) fn until_exported(address: &str, family: &str, labels: &[&str], value: &str) {
    let is_it = |line: &str| {
        let rest = line.strip_prefix(family);
        rest.is_some_and(|rest| rest.starts_with('{'))
            && labels.iter().all(|label| line.contains(label))
            && line.ends_with(&format!(" {value}"))
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let page = super::get(address, "/metrics");
        if page.lines().any(is_it) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "no {family} {labels:?} {value} in {page}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Sends a request and reads its answer.
pub(super) fn ask(address: &str, method: &str, path: &str, status: u16) {
    let mut answer = String::new();
    let mut stream = send(address, method, path);
    stream.read_to_string(&mut answer).unwrap();
    let expected = format!("HTTP/1.1 {status}");
    assert!(answer.starts_with(&expected), "{path}: {answer}");
}

/// Sends a round of requests and reads every answer.
pub(super) fn send_round(address: &str) {
    for (method, path, status, times) in ROUND {
        (0..times).for_each(|_| ask(address, method, path, status));
    }
}
