//! Why it exists: not every tower service speaks HTTP. A queue consumer, a gRPC client or a cache is measured with the
//! same counts and the same rules as a request.
//!
//! ```
//! use plimsoll::{Outcome, Plimsoll, service::MeasureLayer};
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let mut lookup = ServiceBuilder::new()
//!     .layer(MeasureLayer::new(&plimsoll, "lookup"))
//!     .service_fn(|key: u32| async move { if key < 10 { Ok(key * 2) } else { Err("no such key") } });
//!
//! assert_eq!(lookup.ready().await?.call(4).await, Ok(8));
//! assert_eq!(lookup.ready().await?.call(40).await, Err("no such key"));
//! let lookups = &plimsoll.stats().operations[0];
//! assert_eq!((lookups.count, lookups.errors), (2, 1));
//! # Ok(())
//! # }
//! ```
//!
//! The duration runs from the call to the end of the returned future. A future dropped before its end counts as
//! cancelled, a panic as an error.
//!
//! # Waiting
//!
//! What a call waits for its turn, behind a concurrency limit, a rate limit or a full buffer, is no part of its duration.
//! It has a histogram of its own, `service_wait_duration_seconds`: from the first `poll_ready` that found the service busy
//! to the one that found it ready, or failed, or to the drop of a service whose caller gave up. A service that is ready
//! at once counts as a wait of 0, without a look at the clock. What is under way are calls, not waits.
//!
//! Put the layer outside whatever makes calls wait. A service counts one wait per call, however often it is asked; its
//! clones wait each for themselves. A caller who gives up and keeps the service goes on waiting until it asks again.

mod turn;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower::{Layer, Service};

pub use crate::registry::{ByResult, Classify};

use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight, Outcome};
use turn::Turn;

/// Measures every call of the service it wraps as one operation.
///
/// Cheap to clone. Cost of a call: two clock readings, another two if it had to wait, and a few plain stores; no lock, no
/// allocation.
#[derive(Debug, Clone)]
pub struct MeasureLayer<C = ByResult> {
    turn: Turn,
    classify: C,
}

impl MeasureLayer {
    /// Measures into `plimsoll`, under this operation name, which exists from now on with 0 calls.
    ///
    /// The name becomes a label value: choose one per use in the program, not one per call. It is exempt from the cap.
    pub fn new(plimsoll: &Plimsoll, operation: &str) -> Self {
        let registry = plimsoll.registry();
        let operation = registry.set(Domain::Service).declare(&[operation]);
        operation.series(Outcome::Ok);
        Self {
            turn: Turn::new(operation.clone(), registry.clock().clone()),
            classify: ByResult,
        }
    }
}

impl<C> MeasureLayer<C> {
    /// Decides by `classify` how a call ended, instead of by [`Outcome::of`].
    ///
    /// It is cloned for each call and runs inside it, so it should be quick and capture little.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// use plimsoll::{Outcome, service::MeasureLayer};
    ///
    /// // A miss is an answer too.
    /// let layer = MeasureLayer::new(&plimsoll, "cache").classify(|result: &Result<u32, &str>| match result {
    ///     Err(error) if *error != "miss" => Outcome::Error,
    ///     _ => Outcome::Ok,
    /// });
    /// # let _ = layer;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classify<F, Res, Err>(self, classify: F) -> MeasureLayer<F>
    where
        F: Fn(&Result<Res, Err>) -> Outcome + Clone,
    {
        MeasureLayer {
            turn: self.turn,
            classify,
        }
    }
}

impl<S, C: Clone> Layer<S> for MeasureLayer<C> {
    type Service = Measure<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Measure {
            inner,
            turn: self.turn.clone(),
            classify: self.classify.clone(),
        }
    }
}

/// A measured service. It answers exactly as `S` does.
#[derive(Debug, Clone)]
pub struct Measure<S, C = ByResult> {
    inner: S,
    turn: Turn,
    classify: C,
}

impl<S, C, Req> Service<Req> for Measure<S, C>
where
    S: Service<Req>,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let ready = self.inner.poll_ready(cx);
        self.turn.polled(&ready);
        ready
    }

    fn call(&mut self, request: Req) -> Self::Future {
        // Begun before the call: a service may work, and panic, before it returns its future.
        let in_flight = self.turn.start();
        ResponseFuture {
            inner: self.inner.call(request),
            classify: self.classify.clone(),
            in_flight: Some(in_flight),
        }
    }
}

pin_project! {
    /// The future of a measured call. Dropped before its end, it counts as cancelled.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C = ByResult> {
        #[pin]
        inner: F,
        classify: C,
        // `None` when done.
        in_flight: Option<InFlight>,
    }
}

impl<F, C, Res, Err> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Res, Err>>,
    C: Classify<Res, Err>,
{
    type Output = Result<Res, Err>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Out of the future while the service runs: if it panics, the unwinding itself drops this and it counts as
        // an error, even where somebody catches the panic and drops the future later.
        let in_flight = this.in_flight.take();
        let Poll::Ready(result) = this.inner.poll(cx) else {
            *this.in_flight = in_flight;
            return Poll::Pending;
        };
        if let Some(in_flight) = in_flight {
            in_flight.finish(this.classify.classify(&result));
        }
        Poll::Ready(result)
    }
}
