//! Streams of one HTTP/2 connection end each for itself.

use std::future::{pending, ready};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use super::{Site, explode, half, serve};

/// `/gate` answers when it is let through; the others never end, each in its own way.
async fn site(gate: &Arc<Semaphore>) -> Site {
    let gate = gate.clone();
    let gated = move || {
        let gate = gate.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            "through"
        }
    };
    let app = Router::new()
        .route("/gate", get(gated))
        .route("/slow", get(pending::<Body>))
        .route("/endless", get(|| ready(half())))
        .route("/panic", get(|| async { explode::<Body>() }));
    serve(app).await
}

#[tokio::test]
async fn concurrent_streams_are_under_way_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let site = site(&gate).await;
    let client = site.http2().await;
    let asked = join_all((0..10).map(|_| {
        let mut client = client.clone();
        tokio::spawn(async move {
            let response = client.send_request(super::get("/gate")).await.unwrap();
            assert_eq!(response.version(), http::Version::HTTP_2);
            response.into_body().collect().await.unwrap().to_bytes()
        })
    }));
    site.until(&["under way GET /gate: 10"]).await;
    gate.add_permits(10);
    for body in asked.await {
        assert_eq!(body.unwrap(), "through");
    }
    site.until(&["GET /gate ok: 10", "GET /gate 200: 10"]).await;
}

#[tokio::test]
async fn a_reset_stream_is_cancelled_and_its_neighbours_live_on() {
    let gate = Arc::new(Semaphore::new(0));
    let site = site(&gate).await;
    let mut client = site.http2().await;

    let mut slow = Box::pin(client.send_request(super::get("/slow")));
    let mut neighbour = Box::pin(client.send_request(super::get("/gate")));
    // Polled so that they are sent; neither of them ends by itself.
    tokio::select! {
        _ = &mut slow => panic!("it never ends"),
        _ = &mut neighbour => panic!("nobody let it through"),
        () = site.until(&["under way GET /gate: 1", "under way GET /slow: 1"]) => {}
    }
    drop(slow);
    site.until(&[
        "GET /slow cancelled: 1",
        "GET /slow 499: 1",
        "under way GET /gate: 1",
    ])
    .await;

    let mut endless = client
        .send_request(super::get("/endless"))
        .await
        .unwrap()
        .into_body();
    let frame = endless.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "half");
    drop(endless);
    let ends = ["GET /endless body_dropped: 1", "GET /slow cancelled: 1"];
    let statuses = ["GET /endless 499: 1", "GET /slow 499: 1"];
    site.until(&[
        ends[0],
        ends[1],
        statuses[0],
        statuses[1],
        "under way GET /gate: 1",
    ])
    .await;

    gate.add_permits(1);
    let response = neighbour.await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "through"
    );
    let through = ["GET /gate ok: 1", "GET /gate 200: 1"];
    site.until(&[
        ends[0],
        through[0],
        ends[1],
        statuses[0],
        through[1],
        statuses[1],
    ])
    .await;
}

#[tokio::test]
async fn a_panic_ends_its_stream_alone() {
    let gate = Arc::new(Semaphore::new(1));
    let site = site(&gate).await;
    let mut client = site.http2().await;
    client.send_request(super::get("/panic")).await.unwrap_err();
    let response = client.send_request(super::get("/gate")).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "through"
    );
    let expected = [
        "GET /gate ok: 1",
        "GET /panic panic: 1",
        "GET /gate 200: 1",
        "GET /panic 500: 1",
    ];
    site.until(&expected).await;
}
