//! From the call to the response's headers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::Measured;
use super::share::Counted;
use super::unwinding::Unwinding;
use super::{ResponseBody, end};
use crate::registry::{Acted, InFlight};

pin_project! {
    /// The future of a measured request. Dropped before the headers, it counts as cancelled, with status 499.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        method: &'static str,
        // `None` for an excluded route, and when done.
        in_flight: Option<InFlight<Counted>>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(
        inner: F,
        method: &'static str,
        in_flight: Option<InFlight<Counted>>,
    ) -> Self {
        Self {
            inner,
            method,
            in_flight,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = Unwinding::guard(this.in_flight, |_| this.inner.poll(cx));
        let Poll::Ready(result) = polled else {
            return Poll::Pending;
        };
        let in_flight = this.in_flight.take();
        Poll::Ready(match result {
            Ok(response) => {
                let measured =
                    in_flight.and_then(|in_flight| to_the_end(in_flight, this.method, &response));
                Ok(response.map(|inner| ResponseBody::new(inner, measured)))
            }
            Err(error) => {
                if let Some(in_flight) = in_flight {
                    in_flight.finish(end::without_response());
                }
                Err(error)
            }
        })
    }
}

/// What the body is to end; `None` if nobody will read it, and the request ended here.
fn to_the_end<B: Body>(
    mut in_flight: InFlight<Counted>,
    method: &'static str,
    response: &Response<B>,
) -> Option<Measured> {
    if in_flight.operation().is_some_and(Counted::times_first_byte) {
        in_flight.first_byte();
    }
    let status = response.status();
    if let Some(acted) = response.extensions().get::<Acted>() {
        // A layer's own refusal says nothing of the service, however much of it is read.
        in_flight.finish(end::acted(*acted, status));
        return None;
    }
    if is_bodiless(method, status) || response.body().is_end_stream() {
        in_flight.end_sent(end::answered(status), 0);
        return None;
    }
    Some(Measured::new(in_flight, status, announced(response)))
}

/// True where HTTP has no body on the wire: servers drop such a body unread, which is no sign of a lost client.
fn is_bodiless(method: &'static str, status: StatusCode) -> bool {
    match status.as_u16() {
        100..=199 | 204 | 304 => true,
        200..=299 => matches!(method, "HEAD" | "CONNECT"),
        _ => method == "HEAD",
    }
}

/// How many bytes of data the body will have, if that is known beforehand.
fn announced<B: Body>(response: &Response<B>) -> Option<u64> {
    response.body().size_hint().exact().or_else(|| {
        let length = response.headers().get(http::header::CONTENT_LENGTH)?;
        length.to_str().ok()?.parse().ok()
    })
}
