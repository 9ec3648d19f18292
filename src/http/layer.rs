//! The layer and the service it makes.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use super::future::ResponseFuture;
use super::route::{self, UNMATCHED};
use super::{ResponseBody, end};
use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight, Registry};

/// Measures every request to the service it wraps; see the [module](super) for what is counted and how.
///
/// Cheap to clone and to apply: one reference count. axum applies a layer to every route once per connection.
#[derive(Debug, Clone)]
pub struct MeasureLayer {
    state: Arc<State>,
}

#[derive(Clone)]
struct State {
    registry: Arc<Registry>,
    /// Searched in order: a handful at most.
    excluded: Vec<String>,
    /// Whether the beginning of a response is timed too.
    first_byte: bool,
}

impl MeasureLayer {
    /// Measures into `plimsoll`. Several layers on one instance count into the same series.
    pub fn new(plimsoll: &Plimsoll) -> Self {
        Self {
            state: Arc::new(State {
                registry: plimsoll.registry().clone(),
                excluded: Vec::new(),
                first_byte: false,
            }),
        }
    }

    /// Makes these operations exist at once, with 0 requests of status 200, and exempts them from the cap on routes.
    ///
    /// A method is an [`http::Method`] or its name in capitals; a route is the template as the router knows it.
    /// A series that begins at 0 lets Prometheus see its first request as an increase.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// use plimsoll::http::MeasureLayer;
    ///
    /// let layer = MeasureLayer::new(&plimsoll)
    ///     .declare_routes([("GET", "/api/devices"), ("POST", "/api/devices")]);
    /// assert_eq!(plimsoll.stats().operations.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn declare_routes<M, R>(self, routes: impl IntoIterator<Item = (M, R)>) -> Self
    where
        M: AsRef<str>,
        R: AsRef<str>,
    {
        let set = self.state.registry.set(Domain::Http);
        for (method, route) in routes {
            let labels = [route::method(method.as_ref()), route.as_ref()];
            set.declare(&labels)
                .series(end::answered(http::StatusCode::OK));
        }
        self
    }

    /// Times the beginning of each response too, apart from its end: `http_server_first_byte_duration_seconds`.
    ///
    /// For streams and large downloads, whose duration is the client's affair. Cost: a reading of the clock for each
    /// request, and another histogram for each method and route.
    pub fn first_byte(mut self) -> Self {
        Arc::make_mut(&mut self.state).first_byte = true;
        self
    }

    /// Leaves these route templates out: their requests pass through uncounted.
    ///
    /// For health checks and the metrics endpoint, which would make a service look faster than it is.
    /// Cost: one comparison per excluded route and request.
    pub fn exclude<R: Into<String>>(mut self, routes: impl IntoIterator<Item = R>) -> Self {
        Arc::make_mut(&mut self.state)
            .excluded
            .extend(routes.into_iter().map(Into::into));
        self
    }
}

impl<S> Layer<S> for MeasureLayer {
    type Service = Measure<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Measure {
            inner,
            state: self.state.clone(),
        }
    }
}

impl State {
    /// Counts a request as begun, unless its route is excluded.
    fn start<B>(&self, method: &'static str, request: &Request<B>) -> Option<InFlight> {
        let set = self.registry.set(Domain::Http);
        let operation = match route::route(request.extensions()) {
            Some(route) if self.excluded.iter().any(|excluded| excluded == route) => return None,
            Some(route) => set.get(&[method, route]),
            None => set.declare(&[method, UNMATCHED]),
        };
        Some(operation.start())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("excluded", &self.excluded)
            .finish_non_exhaustive()
    }
}

/// A measured service. It answers exactly as `S` does; only the body is wrapped, in a [`ResponseBody`].
#[derive(Debug, Clone)]
pub struct Measure<S> {
    inner: S,
    state: Arc<State>,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for Measure<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    ResB: Body,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let method = route::method(request.method().as_str());
        // Begun before the call: a service may work, and panic, before it returns its future.
        let in_flight = self.state.start(method, &request);
        let first_byte = self.state.first_byte;
        ResponseFuture::new(self.inner.call(request), method, in_flight, first_byte)
    }
}
