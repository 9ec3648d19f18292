//! Queries of a request: those that repeat, and the one that it hangs on.

use std::sync::mpsc::channel;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::get;
use plimsoll::db::sqlx::Pool;
use plimsoll::http::MeasureLayer;
use plimsoll::{ManualClock, Plimsoll, TraceId};
use sqlx::Sqlite;
use tower::ServiceExt;

use crate::site::{Gate, Site, site_of};

const SOON: Duration = Duration::from_secs(20);
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The orders, each with a query of its own, `times` over.
async fn orders<const TIMES: usize>(State(pool): State<Pool<Sqlite>>) -> String {
    let mut names = String::new();
    for _ in 0..TIMES {
        let ids: Vec<(i64,)> = sqlx::query_as("SELECT id FROM orders")
            .fetch_all(&pool)
            .await
            .expect("three");
        for (id,) in ids {
            let sql = "SELECT name FROM orders WHERE id = ?";
            let name: String = sqlx::query_scalar(sql)
                .bind(id)
                .fetch_one(pool.named("orders.name"))
                .await
                .expect("one");
            names.push_str(&name);
        }
    }
    names
}

fn app(site: &Site) -> Router {
    Router::new()
        .route("/few", get(orders::<3>))
        .route("/many", get(orders::<4>))
        .layer(MeasureLayer::new(&site.plimsoll).trace_ids())
        .with_state(site.pool.clone())
}

fn request(path: &str) -> Request {
    let request = Request::get(path).header("traceparent", TRACEPARENT);
    request.body(Body::empty()).expect("a valid request")
}

fn watched() -> (plimsoll::Builder, ManualClock) {
    let clock = ManualClock::new();
    (
        Plimsoll::builder().clock(clock.clone()).manual_tick(),
        clock,
    )
}

#[tokio::test]
async fn a_query_for_each_row_is_found() {
    let ((builder, clock), (send, found)) = (watched(), channel());
    let builder = builder.on_query_finding(move |it| send.send(it.clone()).expect("heard"));
    let site = site_of(builder).await;
    for path in ["/few", "/many"] {
        let answer = app(&site).oneshot(request(path)).await.expect("infallible");
        assert!(answer.status().is_success());
    }
    clock.advance(Duration::from_secs(10));
    site.plimsoll.tick();
    let found = found.recv_timeout(SOON).expect("a finding");
    let route = found.label("route");
    assert_eq!(
        (route, &*found.query, found.count),
        ("/many", "orders.name", 12)
    );
    assert_eq!(found.trace_id, TraceId::from_traceparent(TRACEPARENT));
    let total = |route| {
        let label = ("http_route", route);
        site.value("http_server_n_plus_one_requests_total", &[label])
    };
    assert_eq!((total("/few"), total("/many")), (0.0, 1.0));
}

#[tokio::test]
async fn the_query_that_a_request_hangs_on_is_told_of_while_it_runs() {
    let ((builder, clock), (send, running)) = (watched(), channel());
    let limit = Duration::from_secs(5);
    let builder = builder.query_watchdog(limit, move |it| send.send(it.clone()).expect("heard"));
    let site = site_of(builder).await;
    let gate = Gate::before(&site.pool).await;
    let shut = gate.shut().await;
    let mut answer = app(&site).oneshot(request("/few"));
    site.begun(&mut answer).await;
    clock.advance(Duration::from_secs(6));
    site.plimsoll.tick();
    let query = running.recv_timeout(SOON).expect("a query");
    assert_eq!((query.name(), query.age.as_secs()), ("SELECT orders", 6));
    assert_eq!(query.trace_id, TraceId::from_traceparent(TRACEPARENT));
    drop(shut);
    assert!(answer.await.expect("infallible").status().is_success());
}
