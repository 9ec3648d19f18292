//! Who says how a request ended: the status, unless somebody who knows more does.
//!
//! A classifier sees the request, the head of its response and, if it waits for them, the trailers; never the data. Ends
//! that need no judgement stay what they are: a client that went away, a panic, a layer's own refusal.
//!
//! A classifier that panics changes nothing for the client: the status decides in its place, and
//! `plimsoll_classifier_panics_total` counts it.

mod by_classifier;
mod by_closure;
mod by_status;
mod grpc;

pub use by_classifier::ByClassifier;
pub use by_closure::ByClosure;
pub use by_status::ByStatus;
pub use grpc::{ClassifyGrpc, GrpcFailure};

use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{HeaderMap, Request, Response, StatusCode};

use super::end;
use super::share::Counted;
use crate::registry::{End, InFlight, Outcome};

/// What a classifier says: the outcome, and a word for the labels `end` and `error_type`.
///
/// The word is part of the program's text: nothing that a client sends can become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    pub(super) outcome: Outcome,
    pub(super) word: Option<&'static str>,
}

impl Verdict {
    /// Says more than the outcome: `rate_limited`, `UNAVAILABLE`. Each word is a series of its own, 64 at most for each
    /// method and route.
    pub const fn new(outcome: Outcome, word: &'static str) -> Self {
        let word = Some(word);
        Self { outcome, word }
    }
}

/// The word is that of the status where the two agree, `failure` for an error that the status does not show, else the
/// outcome's own.
impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        let word = None;
        Self { outcome, word }
    }
}

/// What a classifier made of it, which is the crate's own affair.
#[derive(Debug)]
pub struct Judged(Option<End>);

impl Judged {
    /// The classifier panicked.
    fn nothing() -> Self {
        Self(None)
    }

    fn verdict(verdict: Option<Verdict>, status: StatusCode) -> Self {
        Self(verdict.map(|verdict| end::judged(verdict, status)))
    }

    /// The end; that of `otherwise` where the classifier panicked, which is counted.
    #[inline]
    pub(super) fn end_or(
        self,
        counted: &InFlight<Counted>,
        otherwise: impl FnOnce() -> End,
    ) -> End {
        self.0.unwrap_or_else(|| {
            if let Some(counted) = counted.operation() {
                counted.classifier_panicked();
            }
            otherwise()
        })
    }
}

/// Looks at a request as it comes in.
///
/// Implemented by the classifiers of this crate: closures come in through [`ByClosure`], those of tower-http through
/// [`ByClassifier`].
pub trait ClassifyRequest {
    /// What it knows until the response begins.
    type Head;

    /// A request comes in.
    fn begin<B>(&self, request: &Request<B>) -> Self::Head;
}

/// Looks at the head of a response; `E` is the error of the service.
pub trait ClassifyHead<E> {
    /// What it knows until the response ends.
    type End: ClassifyEnd;

    /// The response begins.
    fn head<B>(self, response: &Response<B>) -> Self::End;

    /// There is no response.
    fn error(self, error: &E) -> Judged;
}

/// Looks at the end of a response, once.
pub trait ClassifyEnd {
    /// The body was sent to its end.
    fn end(&mut self, status: StatusCode, trailers: Option<&HeaderMap>) -> Judged;

    /// Whether the request failed before its body was sent, which a client that leaves does not change; and how.
    fn failed_before(&self, status: StatusCode) -> Option<Judged>;
}

/// Looks at a body that fails with `E`.
pub trait ClassifyFailure<E>: ClassifyEnd {
    /// The body failed.
    fn failure(&mut self, status: StatusCode, error: &E) -> Judged;
}

/// Runs a piece of somebody else's code.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}
