//! What a client can send to invent a series: nothing.

use std::future::ready;

use axum::Router;
use axum::routing::get;
use tokio::io::AsyncWriteExt;

use super::{read_until, serve};

#[tokio::test]
async fn paths_methods_and_hosts_of_a_client_are_no_labels() {
    let site = serve(Router::new().route("/users/{id}", get(|| ready(())))).await;
    let mut client = site.connect().await;
    for n in 0..50 {
        for method in ["GET".to_owned(), format!("BREW{n}")] {
            for path in ["/users", "/attack"] {
                let host = format!("evil{n}.example");
                let request =
                    format!("{method} {path}/evil{n}?evil={n} HTTP/1.1\r\nhost: {host}\r\n\r\n");
                client.write_all(request.as_bytes()).await.unwrap();
                read_until(&mut client, "\r\n\r\n").await;
            }
        }
    }
    let expected = [
        "GET /users/{id} ok: 50",
        "GET unmatched client_error: 50",
        "_OTHER /users/{id} client_error: 50",
        "_OTHER unmatched client_error: 50",
        "GET /users/{id} 200: 50",
        "GET unmatched 404: 50",
        "_OTHER /users/{id} 405: 50",
        "_OTHER unmatched 404: 50",
    ];
    site.until(&expected).await;
    let page = site.plimsoll.render();
    assert!(!page.contains("evil") && !page.contains("BREW"), "{page}");
}
