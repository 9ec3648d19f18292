//! What no layer can be cheaper than.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::Request;
use pin_project_lite::pin_project;
use plimsoll::{Clock, TscClock};
use tower::{Layer, Service};

/// Forwards: axum boxes whatever a layer makes.
#[derive(Clone)]
pub(super) struct Noop;

impl<S> Layer<S> for Noop {
    type Service = Forwarding<S>;

    fn layer(&self, inner: S) -> Forwarding<S> {
        Forwarding(inner)
    }
}

#[derive(Clone)]
pub(super) struct Forwarding<S>(S);

impl<S: Service<Request>> Service<Request> for Forwarding<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.0.call(request)
    }
}

/// A way to time a request.
pub(super) trait Time: Send + Sync + 'static {
    type Mark: Copy + Send;
    fn now(&self) -> Self::Mark;
    fn ns_since(&self, mark: Self::Mark) -> u64;
}

/// `Instant`.
pub(super) struct ByInstant;

impl Time for ByInstant {
    type Mark = Instant;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn ns_since(&self, mark: Instant) -> u64 {
        mark.elapsed().as_nanos() as u64
    }
}

impl Time for TscClock {
    type Mark = u64;

    fn now(&self) -> u64 {
        self.now_ns()
    }

    fn ns_since(&self, mark: u64) -> u64 {
        self.now_ns() - mark
    }
}

/// Times a request up to its headers and adds that to one number.
pub(super) struct Floor<C>(Arc<Sum<C>>);

struct Sum<C> {
    time: C,
    /// Independent of everything else, hence `Relaxed`.
    total_ns: AtomicU64,
}

impl<C> Floor<C> {
    pub(super) fn new(time: C) -> Self {
        let total_ns = AtomicU64::new(0);
        Self(Arc::new(Sum { time, total_ns }))
    }
}

impl<C> Clone for Floor<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S, C> Layer<S> for Floor<C> {
    type Service = Timed<S, C>;

    fn layer(&self, inner: S) -> Timed<S, C> {
        let sum = self.0.clone();
        Timed { inner, sum }
    }
}

pub(super) struct Timed<S, C> {
    inner: S,
    sum: Arc<Sum<C>>,
}

impl<S: Clone, C> Clone for Timed<S, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            sum: self.sum.clone(),
        }
    }
}

impl<S: Service<Request>, C: Time> Service<Request> for Timed<S, C> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = TimedFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        TimedFuture {
            started: self.sum.time.now(),
            sum: self.sum.clone(),
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    pub(super) struct TimedFuture<F, C: Time> {
        #[pin]
        inner: F,
        started: C::Mark,
        sum: Arc<Sum<C>>,
    }
}

impl<F: Future, C: Time> Future for TimedFuture<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.inner.poll(cx);
        if polled.is_ready() {
            let elapsed_ns = this.sum.time.ns_since(*this.started);
            this.sum.total_ns.fetch_add(elapsed_ns, Ordering::Relaxed);
        }
        polled
    }
}
