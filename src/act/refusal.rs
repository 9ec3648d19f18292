//! What is answered in place of the service.

use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};

use crate::registry::Acted;

/// What a response that refuses is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What was done.
    pub acted: Acted,
    /// The budget that is, or was, in breach.
    pub budget: Arc<str>,
    /// After how long to try again.
    pub retry_after: Duration,
}

impl Refusal {
    /// [`retry_after`](Self::retry_after) as the header of that name: whole seconds, rounded up.
    pub fn retry_after_seconds(&self) -> u64 {
        let up = u64::from(self.retry_after.subsec_nanos() > 0);
        self.retry_after.as_secs().saturating_add(up)
    }

    /// The response, with the mark by which it is told from the service's own.
    pub(super) fn answer<B>(&self, refuse: &impl Refuse<B>) -> Response<B> {
        let mut response = refuse.refuse(self);
        response.extensions_mut().insert(self.acted);
        response
    }
}

/// Makes a response that refuses. Closures `Fn(&Refusal) -> Response<B>` do.
pub trait Refuse<B> {
    /// The response.
    fn refuse(&self, refusal: &Refusal) -> Response<B>;
}

/// The default: 503 with `Retry-After` and the body's default, which is an empty one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unavailable;

impl<B: Default> Refuse<B> for Unavailable {
    fn refuse(&self, refusal: &Refusal) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let seconds = HeaderValue::from(refusal.retry_after_seconds());
        response.headers_mut().insert(RETRY_AFTER, seconds);
        response
    }
}

impl<F, B> Refuse<B> for F
where
    F: Fn(&Refusal) -> Response<B>,
{
    fn refuse(&self, refusal: &Refusal) -> Response<B> {
        self(refusal)
    }
}
