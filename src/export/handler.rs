//! The page on a router of the user's own.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::body::PageBody;
use super::page::Page;
use crate::family::Ranges;
use crate::instance::Plimsoll;

/// An axum handler that answers GET with everything that is exported.
///
/// The format is the one that the request's `Accept` asks for ([`Plimsoll::negotiate`]), packed with gzip if its
/// `Accept-Encoding` does. The page shows one moment, and is printed in pieces of 64 KiB as it is sent: gathering the
/// numbers runs on the thread that serves the request, about 1 ms for 1,000 label sets.
///
/// ```
/// use axum::Router;
///
/// let plimsoll = plimsoll::Plimsoll::builder().build()?;
/// let app: Router = Router::new().route("/metrics", plimsoll::export::handler(&plimsoll));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn handler<S>(plimsoll: &Plimsoll) -> MethodRouter<S, Infallible>
where
    S: Clone + Send + Sync + 'static,
{
    let plimsoll = plimsoll.clone();
    get(move |headers: HeaderMap| async move { response(&plimsoll, &headers) })
}

fn response(plimsoll: &Plimsoll, headers: &HeaderMap) -> Response {
    let format = plimsoll.negotiate(list(headers, ACCEPT).as_deref());
    let gzip = list(headers, ACCEPT_ENCODING).is_some_and(|accepted| wants_gzip(&accepted));
    let page = Page::new(plimsoll.inner(), format);
    let mut response = Response::new(Body::new(PageBody::new(page, gzip)));
    let answer = response.headers_mut();
    answer.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    answer.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    if gzip {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// All values of a header that holds a list.
fn list(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Whether gzip is taken, and not less gladly than a page that is not packed.
fn wants_gzip(accepted: &str) -> bool {
    let ranges = Ranges::parse(accepted);
    let quality = |encoding| ranges.quality(encoding).map(|(permille, ..)| permille);
    quality("gzip").is_some_and(|gzip| gzip >= quality("identity").unwrap_or(0))
}
