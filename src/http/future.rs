//! From the call to the response's headers.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Method, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::Measured;
use super::readers::places;
use super::record::Inner;
use super::share::{Counted, here, record_here};
use super::unwinding::Unwinding;
use super::{ResponseBody, end};
use crate::registry::{Acted, InFlight, Places};
use crate::scope::Here;

pin_project! {
    /// The future of a measured request. Dropped before the headers, it counts as cancelled, with status 499.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        pub(super) inner: Inner<F>,
        pub(super) asked: Asked,
        pub(super) first_byte: bool,
        // Nothing, for an excluded route and when done.
        pub(super) in_flight: InFlight<Counted>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let here = record_here(this.in_flight);
            let _entered = here.as_ref().map(Here::enter);
            // SAFETY: this is the end of what it is a part of.
            unsafe { this.inner.finish() };
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

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    // Inlined, like all that is generic on the way: else axum's wrappers copy the request and the response once more.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let lent = Unwinding::lend(this.in_flight);
        let here = here(lent.0);
        let entered = here.enter();
        let polled = this.inner.pinned().poll(cx);
        drop(entered);
        lent.back();
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        let in_flight = mem::take(this.in_flight);
        Poll::Ready(match result {
            Ok(response) => {
                if *this.first_byte {
                    in_flight.first_byte();
                }
                let measured = to_the_end(in_flight, *this.asked, &response);
                Ok(response.map(|inner| ResponseBody::new(inner, measured)))
            }
            Err(error) => {
                in_flight.finish(end::without_response());
                Err(error)
            }
        })
    }
}

/// What the body is to end: nothing, if nobody will read it and the request ended here.
#[inline]
fn to_the_end<B: Body>(
    mut in_flight: InFlight<Counted>,
    asked: Asked,
    response: &Response<B>,
) -> Measured {
    let status = response.status();
    let labels = in_flight
        .operation()
        .map_or_else(Places::default, |counted| places(counted.set(), response));
    if let Some(acted) = response.extensions().get::<Acted>() {
        // A layer's own refusal says nothing of the service, however much of it is read.
        in_flight.finish(end::acted(*acted, status).labelled(labels));
    } else if asked.is_bodiless(status) || response.body().is_end_stream() {
        in_flight.end_sent(end::answered(status).labelled(labels), 0);
    } else {
        let exact = response.body().size_hint().exact();
        let announced = exact.or_else(|| content_length(response.headers()));
        return Measured::new(in_flight, status, labels, announced);
    }
    Measured::default()
}

#[cold]
fn content_length(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}
