//! From the response's headers to the end of its body.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::end;
use crate::registry::InFlight;

pin_project! {
    /// A response's body: the very frames, size hint and errors of the body it wraps.
    ///
    /// Dropped before its end it counts as cancelled, with status 499, unless the status already says that the
    /// service failed.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: B,
        measured: Option<Measured>,
    }
}

/// A measurement that ends with the body.
#[derive(Debug)]
pub(super) struct Measured {
    in_flight: InFlight,
    status: StatusCode,
    /// Bytes of data that are still to come, if they were announced.
    left: Option<u64>,
    sent: u64,
}

impl<B> ResponseBody<B> {
    /// Without `measured` the request is excluded, or was counted already.
    pub(super) fn new(inner: B, measured: Option<Measured>) -> Self {
        Self { inner, measured }
    }
}

impl Measured {
    pub(super) fn new(mut in_flight: InFlight, status: StatusCode, announced: Option<u64>) -> Self {
        in_flight.on_drop(end::dropped(status));
        let mut measured = Self {
            in_flight,
            status,
            left: announced,
            sent: 0,
        };
        measured.passed(0);
        measured
    }

    /// Notes that `bytes` of data went out. After the last announced one servers drop the body, without asking
    /// whether more would come.
    fn passed(&mut self, bytes: u64) {
        self.sent += bytes;
        self.in_flight.sent(self.sent);
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.in_flight.on_drop(end::answered(self.status));
            }
        }
    }

    /// Counts the end of a body that failed or was read whole.
    fn finish(self, failed: bool) {
        self.in_flight.finish(if failed {
            end::failed(self.status)
        } else {
            end::answered(self.status)
        });
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        // Out of the body while it is polled, so that a panic counts as an error wherever it is caught.
        let Some(mut measured) = this.measured.take() else {
            return this.inner.poll_frame(cx);
        };
        let polled = this.inner.as_mut().poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Err(_))) => measured.finish(true),
            Poll::Ready(None) => measured.finish(false),
            Poll::Ready(Some(Ok(frame))) => {
                measured.passed(frame.data_ref().map_or(0, |data| data.remaining() as u64));
                if this.inner.is_end_stream() {
                    measured.finish(false);
                } else {
                    *this.measured = Some(measured);
                }
            }
            Poll::Pending => *this.measured = Some(measured),
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
