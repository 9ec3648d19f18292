//! The page on a router of the user's own.

use std::convert::Infallible;

use axum::http::header;
use axum::routing::{MethodRouter, get};

use super::CONTENT_TYPE;
use crate::instance::Plimsoll;

/// An axum handler that answers GET with [`Plimsoll::render`], as [`CONTENT_TYPE`].
///
/// Rendering runs on the thread that serves the request; a page of 1,000 label sets takes some 5 ms.
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
    get(move || async move { ([(header::CONTENT_TYPE, CONTENT_TYPE)], plimsoll.render()) })
}
