//! Requests to label values that no client can invent.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Method};

pub(super) use crate::registry::UNMATCHED;

const OTHER_METHOD: &str = "_OTHER";

/// The route template of a request, for routers other than axum's: put it into the request's extensions.
///
/// axum's `MatchedPath` takes precedence over it. Give it a template (`/devices/{id}`), never a path: each value
/// is a series of its own until the cap, and `other` from there on. Cheap to clone.
///
/// ```
/// use plimsoll::http::Route;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(Route::from_static("/devices/{id}"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Route(Template);

#[derive(Clone)]
enum Template {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Route {
    /// A route made at run time. Cost: one allocation, unless given an `Arc<str>`; clones share it.
    pub fn new(template: impl Into<Arc<str>>) -> Self {
        Self(Template::Shared(template.into()))
    }

    /// A route known when the program is written. Cost: none.
    pub const fn from_static(template: &'static str) -> Self {
        Self(Template::Static(template))
    }

    /// The template.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Route").field(&self.as_str()).finish()
    }
}

impl Template {
    fn as_str(&self) -> &str {
        match self {
            Self::Static(template) => template,
            Self::Shared(template) => template,
        }
    }
}

// By the text alone: a static and a shared template are the same route.
impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Template {}

impl std::hash::Hash for Template {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// What the router says first. A clone has the same text in the same place, and keeps it there.
#[cfg(feature = "axum")]
pub(super) use axum::extract::MatchedPath as Matched;

#[cfg(not(feature = "axum"))]
pub(super) use Route as Matched;

/// What the router says first, if it does.
#[inline]
pub(super) fn matched(extensions: &Extensions) -> Option<&Matched> {
    extensions.get()
}

/// The route label; `None` if no route took the request.
pub(super) fn route(extensions: &Extensions) -> Option<&str> {
    let matched = matched(extensions).map(Matched::as_str);
    matched.or_else(|| extensions.get::<Route>().map(Route::as_str))
}

/// The method label: methods are case-sensitive, and a client may make up its own.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        _ => OTHER_METHOD,
    }
}

/// The same, of a method's name.
pub(super) fn method_of_name(name: &str) -> &'static str {
    let parsed = Method::from_bytes(name.as_bytes());
    parsed.map_or(OTHER_METHOD, |parsed| method(&parsed))
}
