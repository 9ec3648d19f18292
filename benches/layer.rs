//! What does the HTTP layer cost a request? Against a bare axum router, and against the least that any layer which times a
//! request can do: two readings of the clock and one relaxed addition.
//!
//! In process, on one thread, with the body read to its end.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    missing_debug_implementations,
    reason = "bench"
)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::routing::get;
use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use http_body_util::BodyExt;
use pin_project_lite::pin_project;
use plimsoll::Plimsoll;
use plimsoll::http::MeasureLayer;
use tower::{Layer, Service, ServiceExt};

/// The floor: times the request up to its headers and adds that to one number.
#[derive(Clone, Default)]
struct Floor(Arc<AtomicU64>);

impl<S> Layer<S> for Floor {
    type Service = Timed<S>;

    fn layer(&self, inner: S) -> Timed<S> {
        let total = self.0.clone();
        Timed { inner, total }
    }
}

#[derive(Clone)]
struct Timed<S> {
    inner: S,
    total: Arc<AtomicU64>,
}

impl<S: Service<Request>> Service<Request> for Timed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TimedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        TimedFuture {
            started: Instant::now(),
            total: self.total.clone(),
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    struct TimedFuture<F> {
        #[pin]
        inner: F,
        started: Instant,
        total: Arc<AtomicU64>,
    }
}

impl<F: Future> Future for TimedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        if polled.is_ready() {
            let elapsed = this.started.elapsed().as_nanos() as u64;
            this.total.fetch_add(elapsed, Ordering::Relaxed);
        }
        polled
    }
}

fn router() -> Router {
    let device = |Path(_): Path<u32>| async { "afloat" };
    Router::new().route("/devices/{id}", get(device))
}

fn requests(bencher: &mut Bencher<'_>, router: Router) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    // Prepared once, as for a connection; unprepared, axum would apply the layers anew for each request.
    let router: Router = router.with_state(());
    let request = || {
        let request = Request::get("/devices/7").header("accept", "text/plain");
        request.body(Body::empty()).unwrap()
    };
    bencher.iter(|| {
        runtime.block_on(async {
            let response = router.clone().oneshot(request()).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        })
    });
}

fn layers(criterion: &mut Criterion) {
    let plimsoll = Plimsoll::builder().build().unwrap();
    let mut group = criterion.benchmark_group("layer");
    group.bench_function("bare", |bencher| requests(bencher, router()));
    group.bench_function("floor", |bencher| {
        requests(bencher, router().layer(Floor::default()));
    });
    group.bench_function("measure", |bencher| {
        requests(bencher, router().layer(MeasureLayer::new(&plimsoll)));
    });
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
