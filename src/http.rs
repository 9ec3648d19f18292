//! Why it exists: how long a request took, and how it ended, is known only when the last byte of its response is out
//! or its client is gone. A handler sees neither; this layer sees both.
//!
//! ```
//! use axum::{Router, routing::get};
//! use plimsoll::{Plimsoll, http::MeasureLayer};
//! # use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let plimsoll = Plimsoll::builder().build()?;
//! let app: Router = Router::new()
//!     .route("/devices/{id}", get(|| async { "ok" }))
//!     .layer(MeasureLayer::new(&plimsoll));
//! # let request = axum::extract::Request::get("/devices/7").body(axum::body::Body::empty())?;
//! # let response = app.oneshot(request).await?;
//! # axum::body::to_bytes(response.into_body(), 10).await?;
//!
//! // After one `GET /devices/7`:
//! let operation = &plimsoll.stats().operations[0];
//! assert_eq!(operation.labels[1], ("route", "/devices/{id}".to_owned()));
//! assert_eq!(operation.count, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # How a request ends
//!
//! | end                                                                               | outcome          | word            | status  |
//! |-----------------------------------------------------------------------------------|------------------|-----------------|---------|
//! | the body reached its end, status below 400                                        | `ok`             | `ok`            | as sent |
//! | the same, 4xx: the client's own mistake                                           | `ok`             | `client_error`  | as sent |
//! | 101: the connection became one of another protocol                                | `ok`             | `upgraded`      | as sent |
//! | status 500 or above, wherever the body ended                                      | `error`          | `server_error`  | as sent |
//! | the body failed                                                                   | `error`          | `body_error`    | as sent |
//! | the wrapped service returned an error                                             | `error`          | `service_error` | 0       |
//! | a panic, in the service or while the body was read                                | `error`          | `panic`         | 500     |
//! | dropped before the headers: the client went away, or a timeout outside this layer | `cancelled`      | `cancelled`     | 499     |
//! | dropped while the body was on its way                                             | `cancelled`      | `body_dropped`  | 499     |
//! | the headers of a response marked as [`Acted`]: a layer further in refused         | `shed`, `broken` | the same        | as sent |
//!
//! The word is the label `end` of `request_ends_total`, and the cause under `error_type` where something failed. Bytes of
//! the body are counted as they go out, however it ends.
//!
//! The duration runs from the call to the end of the body. Responses that have no body on the wire end with
//! their headers: those to `HEAD`, 1xx (so a WebSocket is over, as a request, when it is upgraded), 204, 304, a
//! successful `CONNECT`, and a body that is at its end from the start. A body dropped after all the bytes that
//! its size hint or `Content-Length` announced has reached its end: servers do not ask for more.
//!
//! Somebody else may say how a request ended that got a response: a closure ([`MeasureLayer::classify`]), a classifier of
//! tower-http ([`MeasureLayer::make_classifier`]), or gRPC's status, which stands in the trailers
//! ([`MeasureLayer::grpc`]). The other ends stay what they are, and a classifier that panics changes nothing for the client.
//!
//! # Labels
//!
//! `method` is one of the nine standard methods or `_OTHER`. `route` is (feature `axum`) the `MatchedPath` found in the
//! request's extensions, else its [`Route`], else `unmatched`; never the path, query or host, so that no client can
//! invent a label. Routes that axum did not match (its fallback, and `nest_service`, which only the
//! inner service resolves) are `unmatched`, unless a [`Route`] names them.
//!
//! Of a route template the layer first asks whether it is [excluded](MeasureLayer::exclude), then whether it is
//! [renamed](MeasureLayer::rename_route) or [grouped](MeasureLayer::group_routes); what comes out is the label, and what
//! [`declare_routes`](MeasureLayer::declare_routes) speaks of.
//!
//! [`Builder::http_label`](crate::Builder::http_label) adds a [`Label`]: the scheme, the version of the protocol, or
//! whatever your code reads from the request or the response, with a declared set of values or a cap.
//!
//! # Where the time goes
//!
//! [`MeasureLayer::anatomy`] tells each request's time apart into queries, device calls, stages that the service names,
//! and the rest, see [`scope`](crate::scope). [`MeasureLayer::trace_ids`] lets slow requests be looked up. Both are off by
//! default, for they cost.
//!
//! # Budgets of routes
//!
//! [`BudgetLayer`] puts a budget on one route, or on each route of a router; [`RouteBudget`] is the same as a request's
//! extension. By label, and by pattern, see [`Select::label`](crate::Select::label) and [`Budget::per`](crate::Budget::per).
//!
//! # Mistakes that show
//!
//! A layer that stands around the router, where everything is `unmatched`, and one that is applied twice, which measures
//! once, are warned of: [`Plimsoll::warnings`](crate::Plimsoll::warnings), and the log. Two layers are one applied twice if the
//! inner one would count as the same method and route, while the outer one's future is polled; a request that a handler
//! makes to another route of its own router is a request.
//!
//! # Cost and limits
//!
//! Once a series exists, a request takes no lock and allocates nothing here, with labels of your own as without, but for
//! one box with an anatomy or a trace; axum itself boxes any layer's future and
//! body. Whatever a middleware outside this layer does, such as compressing the body, is not seen. With
//! `Router::layer`, axum applies a layer to the routes added before it.

mod body;
mod bound;
mod budget;
mod classify;
mod end;
mod future;
mod head;
mod known;
mod label;
mod layer;
mod readers;
mod record;
mod rename;
mod request;
mod route;
mod share;
mod unwinding;

pub use body::ResponseBody;
pub use budget::{BudgetLayer, RouteBudget, WithBudget};
pub use classify::{
    ByClassifier, ByClosure, ByStatus, ClassifyEnd, ClassifyFailure, ClassifyGrpc, ClassifyHead,
    ClassifyRequest, GrpcFailure, Judged, Verdict,
};
pub use future::ResponseFuture;
pub use head::{RequestHead, ResponseHead};
pub use layer::{Measure, MeasureLayer};
pub use request::{CountRequestBytes, RequestBody, RequestBytesLayer};
pub use route::Route;

pub use crate::registry::{Acted, Label};

#[cfg(test)]
mod tests;
