//! From the response's headers to the end of its body.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::end;
use super::record::Inner;
use super::share::{Counted, record_here};
use super::unwinding::Unwinding;
use crate::registry::{Domain, End, InFlight, Places};
use crate::scope::Here;

pin_project! {
    /// A response's body: the very frames, size hint and errors of the body it wraps.
    ///
    /// Dropped before its end it counts as cancelled, with status 499, unless the status already says that the
    /// service failed.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        inner: Inner<B>,
        measured: Measured,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            let here = record_here(&mut this.measured.in_flight);
            let _entered = here.as_ref().map(Here::enter);
            // SAFETY: this is the end of what it is a part of.
            unsafe { this.inner.finish() };
        }
    }
}

/// A measurement that ends with the body. The default is none: the request is excluded, or was counted already.
#[derive(Debug, Default)]
pub(super) struct Measured {
    in_flight: InFlight<Counted>,
    status: StatusCode,
    /// Those that the user reads from the response.
    labels: Places,
    /// Bytes of data that will be sent, `u64::MAX` if nobody said.
    announced: u64,
    sent: u64,
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) fn new(inner: B, measured: Measured) -> Self {
        let inner = Inner::new(inner);
        Self { inner, measured }
    }
}

impl Measured {
    #[inline]
    pub(super) fn new(
        in_flight: InFlight<Counted>,
        status: StatusCode,
        labels: Places,
        announced: Option<u64>,
    ) -> Self {
        Self {
            in_flight,
            status,
            labels,
            announced: announced.unwrap_or(u64::MAX),
            sent: 0,
        }
    }

    /// Counts the end of a body that failed or was read whole.
    #[inline(never)]
    fn finish(&mut self, failed: bool) {
        let end = if failed {
            end::failed(self.status)
        } else {
            end::answered(self.status)
        };
        self.in_flight
            .end_sent(end.labelled(self.labels), self.sent);
    }

    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        let end = self.dropped().labelled(self.labels);
        self.in_flight.end_sent(end, self.sent);
    }

    /// What a drop counts as. After the last announced byte servers drop the body, without asking whether more would
    /// come.
    fn dropped(&self) -> End {
        End::panicked(Domain::Http).unwrap_or_else(|| {
            if self.sent >= self.announced {
                end::answered(self.status)
            } else {
                end::dropped(self.status)
            }
        })
    }
}

impl Drop for Measured {
    #[inline]
    fn drop(&mut self) {
        if self.in_flight.operation().is_some() {
            self.abandon();
        }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut inner = this.inner;
        let lent = Unwinding::lend(this.measured);
        let here = record_here(&mut lent.0.in_flight);
        let entered = here.as_ref().map(Here::enter);
        let polled = inner.as_mut().pinned().poll_frame(cx);
        drop(entered);
        let ended = match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.data_ref();
                lent.0.sent += data.map_or(0, |data| data.remaining() as u64);
                inner.is_end_stream()
            }
            Poll::Ready(_) => true,
            Poll::Pending => false,
        };
        lent.back();
        if ended && this.measured.in_flight.operation().is_some() {
            let failed = matches!(polled, Poll::Ready(Some(Err(_))));
            this.measured.finish(failed);
        }
        polled
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
