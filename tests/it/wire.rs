//! The HTTP layer over real sockets: `axum::serve` on a loopback port, clients that speak HTTP/1.1 by hand or by hyper.

mod ends;
mod http1;
mod http2;
mod labels;
mod streams;
mod unchanged;
mod upgrade;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use plimsoll::http::MeasureLayer;
use plimsoll::{Builder, ManualClock, Naming, Plimsoll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A served router and what is counted of it.
struct Site {
    plimsoll: Plimsoll,
    address: SocketAddr,
}

fn plimsoll() -> Builder {
    Plimsoll::builder().naming(Naming::classic()).manual_tick()
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Serves as it is, without a layer of ours.
async fn serve_bare(app: Router) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn serve(app: Router) -> Site {
    Site::of(plimsoll().build().unwrap(), app).await
}

/// The same with a clock of the test's own.
async fn serve_by(clock: &ManualClock, app: Router) -> Site {
    Site::of(plimsoll().clock(clock.clone()).build().unwrap(), app).await
}

impl Site {
    async fn of(plimsoll: Plimsoll, app: Router) -> Self {
        let address = serve_bare(app.layer(MeasureLayer::new(&plimsoll))).await;
        Self { plimsoll, address }
    }

    /// The samples of a family, each as its label values and its value, but for those that are 0.
    fn samples(&self, family: &str) -> Vec<String> {
        let page = self.plimsoll.render();
        let start = format!("{family}{{");
        let samples = page.lines().filter(|line| line.starts_with(&start));
        let values = samples.map(|line| line.split('"').skip(1).step_by(2).collect::<Vec<_>>());
        let numbers = page.lines().filter(|line| line.starts_with(&start));
        let numbers = numbers.map(|line| line.rsplit(' ').next().unwrap());
        values
            .zip(numbers)
            .filter(|(_, number)| *number != "0")
            .map(|(values, number)| format!("{}: {number}", values.join(" ")))
            .collect()
    }

    /// How requests ended, by method and route, and how many are under way.
    fn counts(&self) -> Vec<String> {
        let ends = self.samples("request_ends_total");
        let statuses = self.samples("requests_total");
        let under_way = self.samples("requests_in_flight").into_iter();
        let under_way = under_way.map(|sample| format!("under way {sample}"));
        ends.into_iter().chain(statuses).chain(under_way).collect()
    }

    /// Waits for the server to have noticed; the bound is for a test that fails.
    async fn until(&self, expected: &[&str]) {
        for _ in 0..1_000 {
            if self.counts() == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.counts(), expected);
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Opens a connection and sends one request without a body.
    async fn send(&self, method: &str, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let request = format!("{method} {path} HTTP/1.1\r\nhost: ship\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn http1(&self) -> hyper::client::conn::http1::SendRequest<Empty<Bytes>> {
        let io = TokioIo::new(self.connect().await);
        let (sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn http2(&self) -> hyper::client::conn::http2::SendRequest<Empty<Bytes>> {
        http2(self.address).await
    }
}

async fn http2(address: SocketAddr) -> hyper::client::conn::http2::SendRequest<Empty<Bytes>> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
    let (sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    sender
}

/// In the form that both versions of HTTP take: with the authority in the URI.
fn get(path: &str) -> Request<Empty<Bytes>> {
    let request = Request::get(format!("http://ship{path}")).header("host", "ship");
    request.body(Empty::new()).unwrap()
}

/// Reads until `end` was received.
async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains(end) {
        let read = stream.read_buf(&mut received).await.unwrap();
        assert_ne!(read, 0, "{received:?}");
    }
    String::from_utf8(received).unwrap()
}

/// Reads until the server closes the connection, orderly or not.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut received = Vec::new();
    while matches!(stream.read_buf(&mut received).await, Ok(read) if read > 0) {}
    String::from_utf8(received).unwrap()
}

/// A body that sends `half` and then never ends.
fn half() -> Body {
    let half = stream::iter([Ok::<_, std::io::Error>(Bytes::from("half"))]);
    Body::from_stream(half.chain(stream::pending()))
}

fn explode<T>() -> T {
    // Without the message that a panic prints.
    std::panic::resume_unwind(Box::new("on purpose"))
}
