//! The layer and the service it makes.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower::{Layer, Service};
use tower_http::classify::{MakeClassifier, SharedClassifier};

use super::classify::{
    ByClassifier, ByClosure, ByStatus, ClassifyFailure, ClassifyGrpc, ClassifyHead,
    ClassifyRequest, Verdict,
};
use super::future::{Asked, ResponseFuture};
use super::record::{Inner, Trace};
use super::request::RequestBytesLayer;
use super::share::{Counted, Settings, Share, here};
use super::unwinding::Unwinding;
use super::{RequestHead, ResponseBody, ResponseHead, end, route};
use crate::histogram::TraceId;
use crate::instance::Plimsoll;
use crate::registry::{Domain, InFlight, Outcome};
use crate::scope::Here;

/// Measures every request to the service it wraps; see the [module](super) for what is counted and how.
///
/// Cheap to clone and to apply, which axum does once per connection for every route: a pointer is copied. It does not keep
/// the instance there: once nobody has the [`Plimsoll`] any more, requests pass through uncounted, except that those under
/// way end as they should.
///
/// What it points to is never freed: for each instance that has layers 2 KiB, and 0.2 KiB for each way they are
/// configured in, however many there are.
#[derive(Debug, Clone)]
pub struct MeasureLayer<C = ByStatus> {
    share: &'static Share,
    classify: C,
}

impl MeasureLayer {
    /// Measures into `plimsoll`. Several layers on one instance count into the same series.
    pub fn new(plimsoll: &Plimsoll) -> Self {
        Self {
            share: Share::new(plimsoll),
            classify: ByStatus,
        }
    }
}

impl<C> MeasureLayer<C> {
    /// Decides by `classify` how a request ended whose response was sent, instead of by its status.
    ///
    /// It sees the head of each response and says an [`Outcome`](crate::Outcome), or a [`Verdict`] with a word of its own. It runs once
    /// for each request that has a response, so it should be quick. A body that fails, a service that returns an error and
    /// a panic are failures, and a client that goes away has gone, whatever it says. If it panics, the status decides.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// use http::StatusCode;
    /// use plimsoll::Outcome;
    /// use plimsoll::http::{MeasureLayer, Verdict};
    ///
    /// // To this service a 429 is a failure of its own.
    /// let layer = MeasureLayer::new(&plimsoll).classify(|head| match head.status() {
    ///     StatusCode::TOO_MANY_REQUESTS => Verdict::new(Outcome::Error, "rate_limited"),
    ///     status if status.is_server_error() => Outcome::Error.into(),
    ///     _ => Outcome::Ok.into(),
    /// });
    /// # let _ = layer;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn classify<F, V>(self, classify: F) -> MeasureLayer<ByClosure<F, V>>
    where
        F: Fn(&ResponseHead<'_>) -> V + Clone,
        V: Into<Verdict>,
    {
        self.by(ByClosure::new(classify))
    }

    /// Decides by a classifier of tower-http, such as the one that a `TraceLayer` has.
    ///
    /// What it calls a failure is one, under the word `server_error` or `failure`, as the status has it;
    /// [`make_classifier_with`](Self::make_classifier_with) tells failures apart. One that waits for the end of the body
    /// sees the trailers.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// use plimsoll::http::MeasureLayer;
    /// use tower_http::classify::StatusInRangeAsFailures;
    ///
    /// let classifier = StatusInRangeAsFailures::new(400..=599).into_make_classifier();
    /// let layer = MeasureLayer::new(&plimsoll).make_classifier(classifier);
    /// # let _ = layer;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn make_classifier<M: MakeClassifier>(self, make: M) -> MeasureLayer<ByClassifier<M>> {
        self.make_classifier_with(make, |_| Outcome::Error.into())
    }

    /// The same; `tell` puts what the classifier calls a failure into an outcome and a word.
    pub fn make_classifier_with<M: MakeClassifier>(
        self,
        make: M,
        tell: fn(&M::FailureClass) -> Verdict,
    ) -> MeasureLayer<ByClassifier<M>> {
        self.by(ByClassifier::new(make, tell))
    }

    /// Decides by the status of gRPC, in the trailers or the headers: `UNAVAILABLE` and the like are the words.
    ///
    /// Errors are `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`, as
    /// OpenTelemetry has it for servers; `CANCELLED` is cancelled; the others are mistakes of the client. A response
    /// without a status is `UNKNOWN`. See [`declare_paths`](Self::declare_paths) for the label `route`.
    pub fn grpc(self) -> MeasureLayer<ByClassifier<SharedClassifier<ClassifyGrpc>>> {
        let make = SharedClassifier::new(ClassifyGrpc::default());
        self.make_classifier_with(make, |failure| failure.verdict())
    }

    fn by<D>(self, classify: D) -> MeasureLayer<D> {
        let share = self.share;
        MeasureLayer { share, classify }
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

    /// Counts requests for these very paths, such as `/shop.Orders/Place`, each as a route of its own, which exists from now on.
    ///
    /// For services that no router tells apart: tonic applies layers outside of its own, so that without this all calls are
    /// `unmatched`. A path that is not declared is counted as before, so no client can invent one. Cost: a binary search
    /// for each request.
    pub fn declare_paths<P: Into<String>>(
        self,
        method: impl AsRef<str>,
        paths: impl IntoIterator<Item = P>,
    ) -> Self {
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        let routes = paths.iter().map(|path| (method.as_ref(), path.as_str()));
        self.declare_routes(routes).with(|settings| {
            settings.paths.extend(paths);
            settings.paths.sort();
            settings.paths.dedup();
        })
    }

    /// A layer that counts the bytes of request bodies as the service reads them: `http_server_request_body_size_bytes`.
    ///
    /// It goes inside of this one, and has its exclusions and renames:
    ///
    /// ```
    /// # #[cfg(feature = "axum")] {
    /// # let plimsoll = plimsoll::Plimsoll::builder().build().unwrap();
    /// use axum::{Router, routing::post};
    /// use plimsoll::http::MeasureLayer;
    ///
    /// let measure = MeasureLayer::new(&plimsoll);
    /// let app: Router = Router::new()
    ///     .route("/orders", post(|order: String| async move { order }))
    ///     .layer(measure.request_bytes())
    ///     .layer(measure);
    /// # }
    /// ```
    pub fn request_bytes(&self) -> RequestBytesLayer {
        let share = self.share;
        RequestBytesLayer { share }
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
    /// of the slow log. Cost for each request: one allocation of 900 bytes, two records of a histogram for each part, one for the
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

    /// Looks out for requests that query too much, also where there is neither an [anatomy](Self::anatomy) nor a trace;
    /// where there is one of these, it does so by itself. See [`Builder::n_plus_one`](crate::Builder::n_plus_one).
    ///
    /// Cost for each request: one allocation of 900 bytes, which it shares with them.
    #[cfg(feature = "db")]
    pub fn n_plus_one(self) -> Self {
        self.with(|settings| settings.records.queries = true)
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

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.share = self.share.with(change);
        self
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

impl<S, C: Clone> Layer<S> for MeasureLayer<C> {
    type Service = Measure<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Measure {
            inner,
            share: self.share,
            classify: self.classify.clone(),
        }
    }
}

/// A measured service. It answers exactly as `S` does; only the body is wrapped, in a [`ResponseBody`].
#[derive(Debug, Clone)]
pub struct Measure<S, C = ByStatus> {
    inner: S,
    share: &'static Share,
    classify: C,
}

impl<S, C, ReqB, ResB> Service<Request<ReqB>> for Measure<S, C>
where
    S: Service<Request<ReqB>, Response = Response<ResB>>,
    C: ClassifyRequest<Head: ClassifyHead<S::Error, End: ClassifyFailure<ResB::Error>>>,
    ResB: Body,
{
    type Response = Response<ResponseBody<ResB, <C::Head as ClassifyHead<S::Error>>::End>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C::Head>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<ReqB>) -> Self::Future {
        let asked = Asked::by(request.method());
        // Begun before the call: a service may work, and panic, before it returns its future.
        let in_flight = self.share.start(&RequestHead::new(&request));
        let counted = in_flight.operation().is_some();
        let classify = counted.then(|| self.classify.begin(&request));
        let mut in_flight = ManuallyDrop::new(in_flight);
        ResponseFuture {
            classify,
            inner: Inner::new(call(&mut self.inner, request, &mut in_flight)),
            asked,
            first_byte: self.share.settings.first_byte,
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
    let future = call_at(service, request, &here(lent.0));
    lent.back();
    future
}

/// Apart again, so that the future is there only when there is nothing left to do.
#[inline]
fn call_at<S: Service<R>, R>(service: &mut S, request: R, here: &Here<'_>) -> S::Future {
    let _entered = here.enter();
    service.call(request)
}
