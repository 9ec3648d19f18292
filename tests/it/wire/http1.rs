//! Connections that live on, and layers that are applied anew.

use std::future::ready;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{any, get};
use http::StatusCode;
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use plimsoll::http::MeasureLayer;
use tokio::io::AsyncWriteExt;

use super::{Site, half, listen, plimsoll, read_until, serve};

fn users() -> Router {
    Router::new().route(
        "/users/{id}",
        get(|Path(id): Path<u32>| async move { id.to_string() }),
    )
}

/// Sends as many requests on one connection and reads each answer to its end.
async fn ask(site: &Site, requests: u32) {
    let mut client = site.http1().await;
    for id in 0..requests {
        client.ready().await.unwrap();
        let response = client
            .send_request(super::get(&format!("/users/{id}")))
            .await;
        let body = response.unwrap().into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), id.to_string());
    }
}

#[tokio::test]
async fn a_hundred_requests_on_one_connection_are_a_hundred() {
    let site = serve(users()).await;
    ask(&site, 100).await;
    site.until(&["GET /users/{id} ok: 100", "GET /users/{id} 200: 100"])
        .await;
    let stats = site.plimsoll.stats();
    assert_eq!((stats.total, stats.errors), (100, 0));
}

#[tokio::test]
async fn a_layer_applied_to_each_connection_counts_into_one_series() {
    let site = serve(users()).await;
    futures_util::future::join_all((0..4).map(|_| ask(&site, 25))).await;
    site.until(&["GET /users/{id} ok: 100", "GET /users/{id} 200: 100"])
        .await;
}

#[tokio::test]
async fn a_layer_applied_to_each_request_counts_into_one_series() {
    let plimsoll = plimsoll().build().unwrap();
    // As it is, without `with_state`: axum applies the layers when a request comes.
    let app: Router<()> = users().layer(MeasureLayer::new(&plimsoll));
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        loop {
            let io = TokioIo::new(listener.accept().await.unwrap().0);
            let service = TowerToHyperService::new(app.clone());
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
        }
    });
    let site = Site { plimsoll, address };
    futures_util::future::join_all((0..4).map(|_| ask(&site, 25))).await;
    site.until(&["GET /users/{id} ok: 100", "GET /users/{id} 200: 100"])
        .await;
}

#[tokio::test]
async fn a_body_with_a_length_is_finished_though_the_server_stops_polling() {
    let with_length = || {
        let response = Response::builder().header("content-length", "4");
        ready(response.body(half()).unwrap())
    };
    let app = Router::new()
        .route("/sized", get(with_length))
        .route("/text", get(|| ready("half")));
    for path in ["/sized", "/text"] {
        let site = serve(app.clone()).await;
        // Another request on the connection: the server had to drop the first body for that.
        let mut client = site.send("GET", path).await;
        read_until(&mut client, "half").await;
        let again = format!("GET {path} HTTP/1.1\r\nhost: ship\r\n\r\n");
        client.write_all(again.as_bytes()).await.unwrap();
        read_until(&mut client, "half").await;
        let expected = [format!("GET {path} ok: 2"), format!("GET {path} 200: 2")];
        site.until(&expected.each_ref().map(String::as_str)).await;
        assert_eq!(
            site.samples("response_size_bytes_sum"),
            [format!("GET {path}: 8.0")]
        );
    }
}

#[tokio::test]
async fn without_a_body_on_the_wire_the_headers_are_the_end() {
    let with_status = |Path(status): Path<u16>| {
        let response = Response::builder().status(status);
        ready(response.body(half()).unwrap())
    };
    let app = Router::new()
        .route("/status/{status}", any(with_status))
        .route("/none", get(|| ready(StatusCode::NO_CONTENT)));
    for (method, path, route, end, status) in [
        ("HEAD", "/status/200", "/status/{status}", "ok", 200),
        (
            "HEAD",
            "/status/404",
            "/status/{status}",
            "client_error",
            404,
        ),
        ("GET", "/status/204", "/status/{status}", "ok", 204),
        ("GET", "/status/304", "/status/{status}", "ok", 304),
        ("GET", "/none", "/none", "ok", 204),
    ] {
        let site = serve(app.clone()).await;
        // The connection stays open, so nothing is dropped because of its end.
        let mut client = site.send(method, path).await;
        let head = read_until(&mut client, "\r\n\r\n").await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
        let expected = [
            format!("{method} {route} {end}: 1"),
            format!("{method} {route} {status}: 1"),
        ];
        site.until(&expected.each_ref().map(String::as_str)).await;
    }
}
