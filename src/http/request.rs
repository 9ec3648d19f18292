//! Bytes of request bodies, counted where they are read.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::RequestHead;
use super::share::{Counted, Share};
use crate::registry::Extra;

/// Counts the bytes that a service reads of each request's body, under the request's method and route; made by
/// [`MeasureLayer::request_bytes`](super::MeasureLayer::request_bytes).
///
/// A layer of its own, because the service behind it gets another type of body. Cost: finding the route once more, and a
/// histogram for each method and route; with axum, which boxes what is not its own body, one allocation.
#[derive(Debug, Clone, Copy)]
pub struct RequestBytesLayer {
    pub(super) share: &'static Share,
}

/// A service whose request bodies are counted. It answers exactly as `S` does.
#[derive(Debug, Clone, Copy)]
pub struct CountRequestBytes<S> {
    inner: S,
    share: &'static Share,
}

pin_project! {
    /// A request's body: the very frames, size hint and errors of the body it wraps.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
        read: Read,
    }
}

/// Counts when it is dropped, at the latest.
#[derive(Debug)]
struct Read {
    /// `None` for a route that is excluded, and once it is counted.
    counted: Option<Counted>,
    bytes: u64,
}

impl Read {
    fn end(&mut self) {
        if let Some(counted) = self.counted.take() {
            counted.extra(Extra::RequestBytes).record(self.bytes);
        }
    }
}

impl Drop for Read {
    fn drop(&mut self) {
        self.end();
    }
}

impl<S> Layer<S> for RequestBytesLayer {
    type Service = CountRequestBytes<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let share = self.share;
        CountRequestBytes { inner, share }
    }
}

impl<S, B> Service<Request<B>> for CountRequestBytes<S>
where
    S: Service<Request<RequestBody<B>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let counted = self.share.find(&RequestHead::new(&request));
        let read = Read { counted, bytes: 0 };
        self.inner
            .call(request.map(|inner| RequestBody { inner, read }))
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let polled = this.inner.poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.data_ref();
                this.read.bytes += data.map_or(0, |data| data.remaining() as u64);
            }
            Poll::Ready(_) => this.read.end(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
