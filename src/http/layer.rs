//! The layer and the service it makes.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use super::future::{Asked, ResponseFuture};
use super::record::{Inner, Trace};
use super::share::{Counted, Settings, Share, here};
use super::unwinding::Unwinding;
use super::{RequestHead, ResponseBody, end, route};
use crate::histogram::TraceId;
use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight};

/// Measures every request to the service it wraps; see the [module](super) for what is counted and how.
///
/// Cheap to clone and to apply, which axum does once per connection for every route: a pointer is copied. It does not keep
/// the instance there: once nobody has the [`Plimsoll`] any more, requests pass through uncounted, except that those under
/// way end as they should.
///
/// What it points to is never freed: for each instance that has layers 2 KiB, and 0.2 KiB for each way they are
/// configured in, however many there are.
#[derive(Debug, Clone)]
pub struct MeasureLayer {
    share: &'static Share,
}

impl MeasureLayer {
    /// Measures into `plimsoll`. Several layers on one instance count into the same series.
    pub fn new(plimsoll: &Plimsoll) -> Self {
        Self {
            share: Share::new(plimsoll),
        }
    }

    /// Makes these operations exist at once, with 0 requests of status 200, and exempts them from the cap on routes.
    ///
    /// A method is an [`http::Method`] or its name in capitals; a route is the template as the router knows it.
    /// A series that begins at 0 lets Prometheus see its first request as an increase. A route that is renamed or grouped
    /// by then is declared under its new name; one that is declared twice is as if it were declared once.
    ///
    /// Labels of your own ([`Label`](super::Label)) begin empty. Their values are exempt from the cap as well, where they
    /// are declared; where clients choose them, those that come after the cap are counted under `other`, but still with
    /// their method and route.
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
        let Some(anchor) = self.share.hold() else {
            return self;
        };
        let set = anchor.registry().set(Domain::Http);
        for (method, route) in routes {
            let route = self.share.settings.renames.name(route.as_ref());
            let labels = [route::method_of_name(method.as_ref()), route];
            set.declare(&labels)
                .series(end::answered(http::StatusCode::OK));
        }
        self
    }

    /// Times the beginning of each response too, apart from its end: `http_server_first_byte_duration_seconds`.
    ///
    /// For streams and large downloads, whose duration is the client's affair. Cost: a reading of the clock for each
    /// request, and another histogram for each method and route.
    pub fn first_byte(self) -> Self {
        self.with(|settings| settings.first_byte = true)
    }

    /// Tells apart where the time of each request goes: queries, device calls, the stages that the service names with
    /// [`stage`](crate::stage), and the rest. See [`scope`](crate::scope).
    ///
    /// Exported as `http_server_stage_duration_seconds`, `http_server_stage_share` and `http_server_request_queries`, and part
    /// of the slow log. Cost for each request: one allocation of 400 bytes, two records of a histogram for each part, one for the
    /// number of queries; with 3 queries and 2 stages about as much again as the layer takes without. Each stage reads the clock
    /// twice. Memory: two histograms for each route and part.
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// # let plimsoll = plimsoll::Plimsoll::builder().build().unwrap();
    /// use axum::{Router, routing::get};
    /// use plimsoll::{http::MeasureLayer, stage};
    ///
    /// let app: Router = Router::new()
    ///     .route("/", get(|| async {
    ///         let _greeting = stage("greeting");
    ///         "hello"
    ///     }))
    ///     .layer(MeasureLayer::new(&plimsoll).anatomy());
    /// # }
    /// ```
    pub fn anatomy(self) -> Self {
        self.with(|settings| settings.records.anatomy = true)
    }

    /// Reads the trace that a request belongs to from its `traceparent` header; what is no such header is no trace.
    ///
    /// The id is in the slow log, for queries too, and durations become exemplars. Cost for each request: a look-up among
    /// its headers; for one with a trace, an allocation (which it shares with the [anatomy](Self::anatomy)), reading 55 bytes
    /// and the wall clock, and keeping the exemplar.
    pub fn trace_ids(self) -> Self {
        self.with(|settings| settings.records.trace = Some(Trace::Traceparent))
    }

    /// The same with a trace that `find` sees in a request: in another header, or where a tracer has put it.
    ///
    /// `find` runs inside each request, before the wrapped service. A panic is the request's.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build().unwrap();
    /// use plimsoll::http::MeasureLayer;
    ///
    /// let layer = MeasureLayer::new(&plimsoll).trace_id(|head| {
    ///     let id = head.headers().get("x-b3-traceid")?;
    ///     id.to_str().ok()?.parse().ok()
    /// });
    /// # let _ = layer;
    /// ```
    pub fn trace_id(
        self,
        find: impl Fn(&RequestHead<'_>) -> Option<TraceId> + Send + Sync + 'static,
    ) -> Self {
        let trace = Trace::By(Arc::new(find));
        self.with(|settings| settings.records.trace = Some(trace))
    }

    /// Leaves these route templates out: their requests pass through uncounted.
    ///
    /// For health checks and the metrics endpoint, which would make a service look faster than it is.
    /// Cost: one comparison per excluded route and request.
    pub fn exclude<R: Into<String>>(self, routes: impl IntoIterator<Item = R>) -> Self {
        let routes = routes.into_iter().map(Into::into);
        self.with(|settings| settings.excluded.extend(routes))
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let share = self.share.with(change);
        Self { share }
    }

    /// Counts the requests of a route template under another name, such as the one that it has moved to.
    ///
    /// `old` is the template as the router knows it; with a `*` at its end it is the beginning of any number of them.
    /// Of several renames and groups that fit, the first one holds, and its result is not renamed again. What is
    /// [excluded](Self::exclude), by the router's template, is not counted under any name.
    ///
    /// Cost: one comparison per rename and request.
    pub fn rename_route(self, old: impl Into<String>, new: impl Into<String>) -> Self {
        self.group_routes([old], new)
    }

    /// Counts the requests of several route templates under one name; as for [`rename_route`](Self::rename_route).
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// use plimsoll::http::MeasureLayer;
    ///
    /// let layer = MeasureLayer::new(&plimsoll)
    ///     .rename_route("/v1/devices/{id}", "/devices/{id}")
    ///     .group_routes(["/favicon.ico", "/static/*"], "assets");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group_routes<R: Into<String>>(
        self,
        routes: impl IntoIterator<Item = R>,
        name: impl Into<String>,
    ) -> Self {
        let routes = routes.into_iter().map(Into::into);
        self.with(|settings| settings.renames.add(routes, name.into().into()))
    }
}

impl<S> Layer<S> for MeasureLayer {
    type Service = Measure<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Measure {
            inner,
            share: self.share,
        }
    }
}

/// A measured service. It answers exactly as `S` does; only the body is wrapped, in a [`ResponseBody`].
#[derive(Debug, Clone)]
pub struct Measure<S> {
    inner: S,
    share: &'static Share,
}

impl<S, ReqB, ResB> Service<Request<ReqB>> for Measure<S>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    ResB: Body,
{
    type Response = Response<ResponseBody<ResB>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let asked = Asked::by(request.method());
        // Begun before the call: a service may work, and panic, before it returns its future.
        let in_flight = self.share.start(&RequestHead::new(&request));
        let mut in_flight = ManuallyDrop::new(in_flight);
        ResponseFuture {
            inner: Inner::new(call(&mut self.inner, request, self.share, &mut in_flight)),
            asked,
            first_byte: self.share.settings.first_byte,
            in_flight: ManuallyDrop::into_inner(in_flight),
        }
    }
}

/// Calls the service; if it panics, `in_flight` ends. Apart from the caller, which so has nothing to clean up: only then
/// is the future written to where it is wanted, and not copied there.
#[inline(never)]
fn call<S: Service<Request<B>>, B>(
    service: &mut S,
    request: Request<B>,
    share: &Share,
    in_flight: &mut InFlight<Counted>,
) -> S::Future {
    let lent = Unwinding::lend(in_flight);
    let records = &share.settings.records;
    if records.any() {
        records.keep(lent.0, &RequestHead::new(&request));
    }
    let here = here(lent.0);
    let entered = here.enter();
    let future = service.call(request);
    drop(entered);
    lent.back();
    future
}
