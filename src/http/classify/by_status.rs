//! The default.

use http::{HeaderMap, Request, Response, StatusCode};

use super::{ClassifyEnd, ClassifyFailure, ClassifyHead, ClassifyRequest, Judged};
use crate::http::end;
use crate::registry::Outcome;

/// A status of 500 and above is the service's failure, whatever is below is not. Cost: none beyond the comparison.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl ClassifyRequest for ByStatus {
    type Head = Self;

    #[inline]
    fn begin<B>(&self, _: &Request<B>) -> Self {
        Self
    }
}

impl<E> ClassifyHead<E> for ByStatus {
    type End = Self;

    #[inline]
    fn head<B>(self, _: &Response<B>) -> Self {
        Self
    }

    #[inline]
    fn error(self, _: &E) -> Judged {
        Judged(Some(end::without_response()))
    }
}

impl ClassifyEnd for ByStatus {
    #[inline]
    fn end(&mut self, status: StatusCode, _: Option<&HeaderMap>) -> Judged {
        Judged(Some(end::answered(status)))
    }

    #[inline]
    fn failed_before(&self, status: StatusCode) -> Option<Judged> {
        let end = end::answered(status);
        (end.outcome == Outcome::Error).then_some(Judged(Some(end)))
    }
}

impl<E> ClassifyFailure<E> for ByStatus {
    #[inline]
    fn failure(&mut self, status: StatusCode, _: &E) -> Judged {
        Judged(Some(end::failed(status)))
    }
}
