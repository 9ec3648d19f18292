//! From the call to the response's headers.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::Measured;
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
        first_byte: bool,
        // `None` for an excluded route, and when done.
        in_flight: Option<InFlight>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(
        inner: F,
        method: &'static str,
        in_flight: Option<InFlight>,
        first_byte: bool,
    ) -> Self {
        Self {
            inner,
            method,
            first_byte,
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
        // Out of the future while the service runs: if it panics, the unwinding itself drops this and it counts as
        // an error, even where a middleware catches the panic and drops the future later.
        let in_flight = this.in_flight.take();
        let Poll::Ready(result) = this.inner.poll(cx) else {
            *this.in_flight = in_flight;
            return Poll::Pending;
        };
        Poll::Ready(match result {
            Ok(response) => {
                if let Some(in_flight) = in_flight.as_ref().filter(|_| *this.first_byte) {
                    in_flight.first_byte();
                }
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
    mut in_flight: InFlight,
    method: &'static str,
    response: &Response<B>,
) -> Option<Measured> {
    let status = response.status();
    if let Some(acted) = response.extensions().get::<Acted>() {
        // A layer's own refusal says nothing of the service, however much of it is read.
        in_flight.finish(end::acted(*acted, status));
        return None;
    }
    if is_bodiless(method, status) || response.body().is_end_stream() {
        in_flight.sent(0);
        in_flight.finish(end::answered(status));
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
