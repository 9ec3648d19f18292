//! From the call to the response's headers.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::Measured;
use super::classify::{ByStatus, ClassifyEnd, ClassifyHead};
use super::readers::places;
use super::record::Inner;
use super::share::{Counted, here, record_here};
use super::unwinding::Unwinding;
use super::{ResponseBody, end};
use crate::registry::{Acted, InFlight, Places};

pin_project! {
    /// The future of a measured request. Dropped before the headers, it counts as cancelled, with status 499.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, H = ByStatus> {
        #[pin]
        pub(super) inner: Inner<F>,
        // Gone when done.
        pub(super) classify: Option<H>,
        pub(super) asked: Asked,
        pub(super) first_byte: bool,
        // Nothing, for an excluded route and when done.
        pub(super) in_flight: InFlight<Counted>,
    }

    impl<F, H> PinnedDrop for ResponseFuture<F, H> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // SAFETY: this is the end of what it is a part of.
            unsafe { this.inner.finish(record_here(this.in_flight)) };
        }
    }
}

/// What a request's method says of the response's body.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    Head,
    Connect,
    Whole,
}

impl Asked {
    #[inline]
    pub(super) fn by(method: &Method) -> Self {
        match *method {
            Method::HEAD => Self::Head,
            Method::CONNECT => Self::Connect,
            _ => Self::Whole,
        }
    }

    /// True where HTTP has no body on the wire: servers drop such a body unread, which is no sign of a lost client.
    #[inline]
    fn is_bodiless(self, status: StatusCode) -> bool {
        match status.as_u16() {
            100..=199 | 204 | 304 => true,
            200..=299 => !matches!(self, Self::Whole),
            _ => matches!(self, Self::Head),
        }
    }
}

impl<F, H, B, E> Future for ResponseFuture<F, H>
where
    F: Future<Output = Result<Response<B>, E>>,
    H: ClassifyHead<E>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B, H::End>>, E>;

    // Inlined, like all that is generic on the way: else axum's wrappers copy the request and the response once more.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let lent = Unwinding::lend(this.in_flight);
        let here = here(lent.0);
        let entered = here.enter();
        let polled = this.inner.pinned().poll(cx);
        drop(entered);
        // By reference: the response is moved once, at the end, where nothing is left to be cleaned up.
        let measured = match &polled {
            Poll::Pending => Measured::default(),
            Poll::Ready(Ok(response)) => {
                if *this.first_byte {
                    lent.0.first_byte();
                }
                let classify = this.classify.take();
                let classify = classify.map(|classify| classify.head(response));
                to_the_end(lent.0, classify, *this.asked, response)
            }
            Poll::Ready(Err(error)) => {
                if let Some(classify) = this.classify.take() {
                    let judged = classify.error(error);
                    let end = judged.end_or(lent.0, end::without_response);
                    lent.0.end(end);
                }
                Measured::default()
            }
        };
        lent.back();
        polled.map_ok(|response| response.map(|inner| ResponseBody::new(inner, measured)))
    }
}

/// What the body is to end: nothing, if nobody will read it and the request ended here.
#[inline]
fn to_the_end<B: Body, N: ClassifyEnd>(
    in_flight: &mut InFlight<Counted>,
    classify: Option<N>,
    asked: Asked,
    response: &Response<B>,
) -> Measured<N> {
    let Some(mut classify) = classify else {
        return Measured::default();
    };
    let status = response.status();
    let labels = in_flight
        .operation()
        .map_or_else(Places::default, |counted| places(counted.set(), response));
    if let Some(acted) = response.extensions().get::<Acted>() {
        // A layer's own refusal says nothing of the service, however much of it is read.
        in_flight.end(end::acted(*acted, status).labelled(labels));
    } else if asked.is_bodiless(status) || response.body().is_end_stream() {
        let judged = classify.end(status, None);
        let end = judged.end_or(in_flight, || end::answered(status));
        in_flight.end_sent(end.labelled(labels), 0);
    } else {
        let exact = response.body().size_hint().exact();
        let announced = exact.or_else(|| content_length(response.headers()));
        let in_flight = mem::take(in_flight);
        return Measured::new(in_flight, classify, status, labels, announced);
    }
    Measured::default()
}

#[cold]
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
