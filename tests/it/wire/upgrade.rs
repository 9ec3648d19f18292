//! A connection that becomes one of another protocol is over as a request.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{read_until, serve};

/// Sends back what comes, for as long as it comes.
fn echo(mut request: Request) {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        tokio::io::copy(&mut from, &mut to).await
    });
}

async fn talks(client: &mut TcpStream) {
    client.write_all(b"ahoy").await.unwrap();
    assert_eq!(read_until(client, "ahoy").await, "ahoy");
}

#[tokio::test]
async fn an_upgraded_connection_is_not_under_way() {
    let upgrade = |request| async {
        echo(request);
        let response = Response::builder().status(101);
        let response = response
            .header("connection", "upgrade")
            .header("upgrade", "x");
        response.body(Body::empty()).unwrap()
    };
    let site = serve(Router::new().route("/x", get(upgrade))).await;
    let mut client = site.connect().await;
    let request = "GET /x HTTP/1.1\r\nhost: ship\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut client, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let expected = ["GET /x upgraded: 1", "GET /x 101: 1"];
    site.until(&expected).await;
    talks(&mut client).await;
    assert_eq!(site.counts(), expected);
    assert_eq!(site.plimsoll.stats().operations[0].in_flight, 0);
}

#[tokio::test]
async fn a_tunnel_is_not_under_way() {
    let tunnel = |request| async {
        echo(request);
    };
    let site = serve(Router::new().fallback(any(tunnel))).await;
    let mut client = site.connect().await;
    let request = "CONNECT harbour:443 HTTP/1.1\r\nhost: harbour:443\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut client, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let expected = ["CONNECT unmatched ok: 1", "CONNECT unmatched 200: 1"];
    site.until(&expected).await;
    talks(&mut client).await;
    assert_eq!(site.counts(), expected);
}
