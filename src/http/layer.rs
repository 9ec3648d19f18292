//! The layer and the service it makes.

use std::mem::ManuallyDrop;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};

use super::future::{Asked, ResponseFuture};
use super::share::{Counted, Share};
use super::unwinding::Unwinding;
use super::{RequestHead, ResponseBody, end, route};
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
            let route = self.share.renames.name(route.as_ref());
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
        let share = self.share.with_first_byte();
        Self { share }
    }

    /// Leaves these route templates out: their requests pass through uncounted.
    ///
    /// For health checks and the metrics endpoint, which would make a service look faster than it is.
    /// Cost: one comparison per excluded route and request.
    pub fn exclude<R: Into<String>>(self, routes: impl IntoIterator<Item = R>) -> Self {
        let share = self.share.excluding(routes.into_iter().map(Into::into));
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
        let share = self.share.renaming(routes, name.into().into());
        Self { share }
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
            inner: call(&mut self.inner, request, &mut in_flight),
            asked,
            first_byte: self.share.first_byte,
            in_flight: ManuallyDrop::into_inner(in_flight),
        }
    }
}

/// Calls the service; if it panics, `in_flight` ends. Apart from the caller, which so has nothing to clean up: only then
/// is the future written to where it is wanted, and not copied there.
#[inline(never)]
fn call<S: Service<R>, R>(
    service: &mut S,
    request: R,
    in_flight: &mut InFlight<Counted>,
) -> S::Future {
    let lent = Unwinding::lend(in_flight);
    let future = service.call(request);
    lent.back();
    future
}
