//! gRPC: the status stands in the trailers, or in the headers where there is nothing else to send.

use std::fmt::{self, Display};

use http::{HeaderMap, Response};
use tower_http::classify::{
    ClassifiedResponse, ClassifyEos, ClassifyResponse, GrpcCode, GrpcEosErrorsAsFailures,
    GrpcErrorsAsFailures, GrpcFailureClass,
};

use super::Verdict;
use crate::registry::Outcome;

const STATUS: &str = "grpc-status";

/// tower-http's reading of `grpc-status`, which is not content with a response that has none: that is `UNKNOWN`, a 5xx
/// without one `UNAVAILABLE`, and a 4xx without one the client's mistake, as in plain HTTP.
#[derive(Debug, Clone, Default)]
pub struct ClassifyGrpc(GrpcErrorsAsFailures);

/// Waits for the trailers.
#[derive(Debug, Clone)]
pub struct GrpcEnd(GrpcEosErrorsAsFailures);

/// The status of a call that did not end in `OK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrpcFailure(GrpcCode);

impl GrpcFailure {
    /// What there is instead of a status that nobody sent.
    const MISSING: Self = Self(GrpcCode::Unknown);

    /// The status.
    pub fn code(self) -> GrpcCode {
        self.0
    }

    /// The status as gRPC spells it, and whose fault it is: OpenTelemetry's table for servers.
    pub(crate) fn verdict(&self) -> Verdict {
        use Outcome::{Cancelled, Error, Ok};
        let (outcome, word) = match self.0 {
            GrpcCode::Ok => (Ok, "OK"),
            GrpcCode::Cancelled => (Cancelled, "CANCELLED"),
            GrpcCode::InvalidArgument => (Ok, "INVALID_ARGUMENT"),
            GrpcCode::DeadlineExceeded => (Error, "DEADLINE_EXCEEDED"),
            GrpcCode::NotFound => (Ok, "NOT_FOUND"),
            GrpcCode::AlreadyExists => (Ok, "ALREADY_EXISTS"),
            GrpcCode::PermissionDenied => (Ok, "PERMISSION_DENIED"),
            GrpcCode::ResourceExhausted => (Ok, "RESOURCE_EXHAUSTED"),
            GrpcCode::FailedPrecondition => (Ok, "FAILED_PRECONDITION"),
            GrpcCode::Aborted => (Ok, "ABORTED"),
            GrpcCode::OutOfRange => (Ok, "OUT_OF_RANGE"),
            GrpcCode::Unimplemented => (Error, "UNIMPLEMENTED"),
            GrpcCode::Internal => (Error, "INTERNAL"),
            GrpcCode::Unavailable => (Error, "UNAVAILABLE"),
            GrpcCode::DataLoss => (Error, "DATA_LOSS"),
            GrpcCode::Unauthenticated => (Ok, "UNAUTHENTICATED"),
            // `Unknown`, and what a later version may add.
            _ => (Error, "UNKNOWN"),
        };
        Verdict::new(outcome, word)
    }
}

impl Display for GrpcFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verdict().word.unwrap_or_default())
    }
}

impl From<GrpcFailureClass> for GrpcFailure {
    fn from(class: GrpcFailureClass) -> Self {
        match class {
            GrpcFailureClass::Status(status) => status.code().map_or(Self::MISSING, Self),
            _ => Self(GrpcCode::Internal),
        }
    }
}

impl ClassifyResponse for ClassifyGrpc {
    type FailureClass = GrpcFailure;
    type ClassifyEos = GrpcEnd;

    fn classify_response<B>(
        self,
        response: &Response<B>,
    ) -> ClassifiedResponse<GrpcFailure, GrpcEnd> {
        let status = response.status();
        match self.0.classify_response(response) {
            ClassifiedResponse::Ready(result) => {
                ClassifiedResponse::Ready(checked(result, Some(response.headers())))
            }
            ClassifiedResponse::RequiresEos(end) if status.is_success() => {
                ClassifiedResponse::RequiresEos(GrpcEnd(end))
            }
            // Somebody else answered: a router that knows no such path, or a proxy.
            ClassifiedResponse::RequiresEos(_) if status.as_u16() < 500 => {
                ClassifiedResponse::Ready(Ok(()))
            }
            ClassifiedResponse::RequiresEos(_) => {
                ClassifiedResponse::Ready(Err(GrpcFailure(GrpcCode::Unavailable)))
            }
        }
    }

    fn classify_error<E: Display + 'static>(self, error: &E) -> GrpcFailure {
        self.0.classify_error(error).into()
    }
}

impl ClassifyEos for GrpcEnd {
    type FailureClass = GrpcFailure;

    fn classify_eos(self, trailers: Option<&HeaderMap>) -> Result<(), GrpcFailure> {
        checked(self.0.classify_eos(trailers), trailers)
    }

    fn classify_error<E: Display + 'static>(self, error: &E) -> GrpcFailure {
        self.0.classify_error(error).into()
    }
}

/// tower-http takes a status that is missing or no number for a success.
fn checked(
    result: Result<(), GrpcFailureClass>,
    headers: Option<&HeaderMap>,
) -> Result<(), GrpcFailure> {
    result?;
    let status = headers.and_then(|headers| headers.get(STATUS));
    match status {
        Some(status) if status == "0" => Ok(()),
        _ => Err(GrpcFailure::MISSING),
    }
}
