//! Labels beyond method and route, as the user declares them.

use http::header::HeaderName;
use http::{Version, uri::Scheme};

use super::head::{RequestHead, ResponseHead};
use crate::registry::{Label, Side};

static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Reads a label's value from a request.
pub(super) struct OfRequest(pub(super) Box<ReadRequest>);

/// Reads a label's value from a response.
pub(super) struct OfResponse(pub(super) Box<ReadResponse>);

type ReadRequest = dyn for<'h> Fn(&RequestHead<'h>) -> Option<&'h str> + Send + Sync;
type ReadResponse = dyn for<'h> Fn(&ResponseHead<'h>) -> Option<&'h str> + Send + Sync;

/// How a label of requests is read.
impl Label {
    /// A label whose value `read` takes from the request, before the service sees it; `None` is an empty value.
    ///
    /// `read` runs once for each request that is counted, so it should be quick. It borrows what it returns from the
    /// request, or returns one of a few words of its own; nothing is copied once a value is known. If it panics, the
    /// request goes on, and is counted as if the label had too many values, and in `plimsoll_label_panics_total`.
    ///
    /// It must not hold the instance itself, or that is never dropped.
    ///
    /// Never read what a client may choose freely where a value matters to you: once there are too many, the first ones
    /// that came are told apart.
    ///
    /// ```
    /// use plimsoll::http::Label;
    ///
    /// let tenant = Label::request("tenant", |head| head.headers().get("x-tenant")?.to_str().ok());
    /// let tenant = tenant.at_most(50);
    /// let client = Label::request("client", |head| {
    ///     let mobile = head.headers().contains_key("x-app-version");
    ///     Some(if mobile { "app" } else { "browser" })
    /// });
    /// let client = client.values(["app", "browser"]);
    /// ```
    pub fn request(
        name: &'static str,
        read: impl for<'h> Fn(&RequestHead<'h>) -> Option<&'h str> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, Side::Request, Box::new(OfRequest(Box::new(read))))
    }

    /// A label whose value `read` takes from the headers of the response; as for [`request`](Self::request) otherwise.
    ///
    /// It is empty where there was no response. Families show it where they tell the ends of requests apart. The ends of
    /// one method and route are 64 at most, the labels' values included; what comes after is told apart by outcome, and
    /// these labels are then `other` (or `_OTHER`).
    pub fn response(
        name: &'static str,
        read: impl for<'h> Fn(&ResponseHead<'h>) -> Option<&'h str> + Send + Sync + 'static,
    ) -> Self {
        Self::new(name, Side::Response, Box::new(OfResponse(Box::new(read))))
    }

    /// `scheme` (OpenTelemetry: `url_scheme`): `http`, `https` or `_OTHER`; empty where nobody says.
    ///
    /// It is what the outermost proxy says in `X-Forwarded-Proto`, else the scheme of the request's target, which HTTP/2
    /// has and HTTP/1.1 leaves out. A client can lie, but only between these values.
    pub fn scheme() -> Self {
        let label = Self::request("scheme", scheme).called("url_scheme");
        label.values(["https", "http"])
    }

    /// `version` (OpenTelemetry: `network_protocol_version`): `0.9`, `1.0`, `1.1`, `2` or `3`.
    pub fn version() -> Self {
        let label = Self::request("version", |head| version(head.version()));
        let label = label.called("network_protocol_version");
        label.values(["1.1", "2", "1.0", "3", "0.9"])
    }
}

fn scheme<'h>(head: &RequestHead<'h>) -> Option<&'h str> {
    let forwarded = head.headers().get(&X_FORWARDED_PROTO);
    let forwarded = forwarded.and_then(|value| value.to_str().ok());
    // Each proxy adds to the end: the first one spoke with the client.
    let first = forwarded.and_then(|list| list.split(',').next());
    let said = first.map(str::trim).filter(|said| !said.is_empty());
    let scheme = said.or_else(|| head.uri().scheme().map(Scheme::as_str))?;
    let known = ["http", "https"].into_iter();
    let mut known = known.filter(|known| known.eq_ignore_ascii_case(scheme));
    Some(known.next().unwrap_or(scheme))
}

fn version(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}
