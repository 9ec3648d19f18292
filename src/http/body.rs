//! From the response's headers to the end of its body.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::classify::{ByStatus, ClassifyEnd, ClassifyFailure, Judged};
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
    pub struct ResponseBody<B, N = ByStatus>
    where
        N: ClassifyEnd,
    {
        #[pin]
        inner: Inner<B>,
        measured: Measured<N>,
    }

    impl<B, N> PinnedDrop for ResponseBody<B, N>
    where
        N: ClassifyEnd,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            // SAFETY: this is the end of what it is a part of.
            unsafe { this.inner.finish(record_here(&mut this.measured.in_flight)) };
        }
    }
}

/// A measurement that ends with the body. The default is none: the request is excluded, or was counted already.
#[derive(Debug)]
pub(super) struct Measured<N: ClassifyEnd> {
    in_flight: InFlight<Counted>,
    /// `None` if there is nothing to measure.
    classify: Option<N>,
    status: StatusCode,
    /// Those that the user reads from the response.
    labels: Places,
    /// Bytes of data that will be sent, `u64::MAX` if nobody said.
    announced: u64,
    sent: u64,
}

impl<N: ClassifyEnd> Default for Measured<N> {
    #[inline]
    fn default() -> Self {
        Self {
            in_flight: InFlight::default(),
            classify: None,
            status: StatusCode::OK,
            labels: Places::default(),
            announced: 0,
            sent: 0,
        }
    }
}

impl<B, N: ClassifyEnd> ResponseBody<B, N> {
    #[inline]
    pub(super) fn new(inner: B, measured: Measured<N>) -> Self {
        let inner = Inner::new(inner);
        Self { inner, measured }
    }
}

impl<N: ClassifyEnd> Measured<N> {
    #[inline]
    pub(super) fn new(
        in_flight: InFlight<Counted>,
        classify: N,
        status: StatusCode,
        labels: Places,
        announced: Option<u64>,
    ) -> Self {
        Self {
            in_flight,
            classify: Some(classify),
            status,
            labels,
            announced: announced.unwrap_or(u64::MAX),
            sent: 0,
        }
    }

    /// Counts the end of a body that was read whole.
    #[inline(never)]
    fn finish(&mut self, trailers: Option<&HeaderMap>) {
        let status = self.status;
        if let Some(classify) = self.measuring() {
            let judged = classify.end(status, trailers);
            self.judge(judged);
        }
    }

    /// Counts the end of a body that failed.
    #[cold]
    #[inline(never)]
    fn fail<E>(&mut self, error: &E)
    where
        N: ClassifyFailure<E>,
    {
        let status = self.status;
        if let Some(classify) = self.measuring() {
            let judged = classify.failure(status, error);
            self.judge(judged);
        }
    }

    /// Who is to judge, until the end is counted.
    #[inline]
    fn measuring(&mut self) -> Option<&mut N> {
        self.in_flight.operation()?;
        self.classify.as_mut()
    }

    #[inline]
    fn judge(&mut self, judged: Judged) {
        let end = judged.end_or(&self.in_flight, || end::answered(self.status));
        self.count(end);
    }

    #[inline]
    fn count(&mut self, end: End) {
        self.in_flight
            .end_sent(end.labelled(self.labels), self.sent);
    }

    /// Counts the end of a body that was dropped.
    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        let judged = self.dropped();
        match (End::panicked(Domain::Http), judged) {
            (Some(end), _) => self.count(end),
            (None, Some(judged)) => self.judge(judged),
            (None, None) => self.count(end::dropped()),
        }
    }

    /// What a drop counts as, if not as one. After the last announced byte servers drop the body, without asking whether
    /// more would come.
    fn dropped(&mut self) -> Option<Judged> {
        let (status, is_whole) = (self.status, self.sent >= self.announced);
        let classify = self.classify.as_mut()?;
        if is_whole {
            Some(classify.end(status, None))
        } else {
            classify.failed_before(status)
        }
    }
}

impl<N: ClassifyEnd> Drop for Measured<N> {
    #[inline]
    fn drop(&mut self) {
        if self.in_flight.operation().is_some() {
            self.abandon();
        }
    }
}

type Polled<B> = Poll<Option<Result<Frame<<B as Body>::Data>, <B as Body>::Error>>>;

/// Polls a body as a part of the request whose record is kept.
#[inline(never)]
fn poll_frame_at<B: Body>(body: Pin<&mut B>, cx: &mut Context<'_>, here: &Here<'_>) -> Polled<B> {
    let _entered = here.enter();
    body.poll_frame(cx)
}

impl<B, N> Body for ResponseBody<B, N>
where
    B: Body,
    N: ClassifyFailure<B::Error>,
{
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
        let polled = match record_here(&mut lent.0.in_flight) {
            None => inner.as_mut().pinned().poll_frame(cx),
            Some(here) => poll_frame_at(inner.as_mut().pinned(), cx, &here),
        };
        let measured = &mut *lent.0;
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => measured.finish(None),
            Poll::Ready(Some(Err(error))) => measured.fail(error),
            Poll::Ready(Some(Ok(frame))) => {
                let data = frame.data_ref();
                measured.sent += data.map_or(0, |data| data.remaining() as u64);
                // Servers drop a body after its trailers, without asking whether more would come.
                if frame.is_trailers() || inner.is_end_stream() {
                    measured.finish(frame.trailers_ref());
                }
            }
        }
        lent.back();
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
