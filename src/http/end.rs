//! The ends of a request.

use http::StatusCode;

use super::classify::Verdict;
use crate::registry::{Acted, End, Outcome, Way};

const CLIENT_ERROR: Way = Way::new("client_error");
const FAILURE: Way = Way::new("failure");
const SERVICE_ERROR: Way = Way::new("service_error");
const BODY_ERROR: Way = Way::new("body_error");
const BODY_DROPPED: Way = Way::new("body_dropped");
const UPGRADED: Way = Way::new("upgraded");

/// A response with this status was sent to its end, or as far as the client wanted it.
#[inline]
pub(super) fn answered(status: StatusCode) -> End {
    let code = status.as_u16();
    let plain = End {
        code,
        ..Outcome::Ok.into()
    };
    match code {
        101 => End {
            way: UPGRADED,
            ..plain
        },
        400..=499 => End {
            way: CLIENT_ERROR,
            ..plain
        },
        500.. => End {
            outcome: Outcome::Error,
            way: Way::SERVER_ERROR,
            ..plain
        },
        _ => plain,
    }
}

/// A classifier said this of a response with this status.
pub(super) fn judged(verdict: Verdict, status: StatusCode) -> End {
    let by_status = answered(status);
    let way = match verdict.word {
        Some(word) => Way::new(word),
        None if verdict.outcome == by_status.outcome => by_status.way,
        None if verdict.outcome == Outcome::Error => FAILURE,
        None => {
            return End {
                code: status.as_u16(),
                ..verdict.outcome.into()
            };
        }
    };
    End {
        code: status.as_u16(),
        way,
        ..verdict.outcome.into()
    }
}

/// A classifier said this of an error in place of a response.
pub(super) fn failed_without_response(verdict: Verdict) -> End {
    End {
        way: verdict.word.map_or(SERVICE_ERROR, Way::new),
        ..verdict.outcome.into()
    }
}

/// A layer refused the request in the service's place.
pub(super) fn acted(acted: Acted, status: StatusCode) -> End {
    End {
        code: status.as_u16(),
        ..acted.outcome().into()
    }
}

/// The client went away while the body was on its way.
pub(super) fn dropped() -> End {
    End {
        code: 499,
        way: BODY_DROPPED,
        ..Outcome::Cancelled.into()
    }
}

/// The body failed.
pub(super) fn failed(status: StatusCode) -> End {
    End {
        code: status.as_u16(),
        way: BODY_ERROR,
        ..Outcome::Error.into()
    }
}

/// The service returned an error and no response.
pub(super) fn without_response() -> End {
    End {
        way: SERVICE_ERROR,
        ..Outcome::Error.into()
    }
}
