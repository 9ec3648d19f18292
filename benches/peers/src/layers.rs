//! Everybody who measures the requests of an axum router: each in its default configuration, in process, no sockets.

mod floor;

use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use axum_prometheus::PrometheusMetricLayer;
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use plimsoll::http::MeasureLayer;
use plimsoll::{MonotonicClock, Plimsoll, TscClock};
use tower::Service;

use crate::rounds::Job;
use floor::{ByInstant, Floor, Noop};

/// The router alone: every figure is what a layer adds to it.
pub const BARE: &str = "bare router";
/// What `Router::layer` itself costs.
pub const NOOP: &str = "a layer that does nothing";
/// The least that a layer which times a request can do.
pub const FLOOR: &str = "floor: two `Instant`s, one addition";
pub const INSTANT: &str = "plimsoll, `Instant`";
/// There only if the processor's counter can be trusted.
pub const TSC: &str = "plimsoll, TSC";
pub const PROMETHEUS: &str = "prometheus-axum-middleware 0.4.0";
pub const AXUM_PROMETHEUS: &str = "axum-prometheus 0.10.1";

/// Without a reader the SDK of OpenTelemetry counts nothing; this is when ours comes round.
const NEVER: Duration = Duration::from_secs(86_400);

/// Routes of the router that connections are opened to.
const ROUTES: usize = 100;

/// A router with a layer around its routes, or without.
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    /// One route, as a connection of `axum::serve` sees it: layers are applied when it is made, not at each request.
    router: Router,
    many: Router,
    /// Whose upkeep is put off.
    drain: Option<PrometheusHandle>,
}

impl Contender {
    fn new(name: &'static str, layered: impl Fn(Router) -> Router) -> Self {
        let user = || async { "afloat" };
        let one = Router::new().route("/users/{id}", get(user));
        let many = (0..ROUTES).fold(Router::new(), |router, nth| {
            router.route(&format!("/routes/{nth}/{{id}}"), get(user))
        });
        Self {
            name,
            router: layered(one),
            many: layered(many),
            drain: None,
        }
    }

    /// Opens a connection and answers as many requests on it.
    pub fn answer(&self, requests: usize) {
        let router = self.router.clone().with_state(());
        RUNTIME.with(|runtime| {
            runtime.block_on(async {
                for _ in 0..requests {
                    // A server clones its service for each request, too.
                    let response = router.clone().call(request()).await;
                    let response = response.expect("infallible");
                    let body = response.into_body().collect().await;
                    assert_eq!(body.expect("a static body").to_bytes(), "afloat");
                }
            })
        });
    }

    /// Opens a connection to a hundred routes and closes it.
    pub fn connect(&self) {
        drop(std::hint::black_box(self.many.clone().with_state::<()>(())));
    }

    /// As a job whose operation is a request.
    pub fn requests(&self) -> Job<'_> {
        let job = Job::new(self.name, |_, requests| self.answer(requests));
        let job = job.sample_ns(2e6);
        match &self.drain {
            Some(handle) => job.drain(|| handle.run_upkeep()),
            None => job,
        }
    }

    /// As a job whose operation is a connection.
    pub fn connections(&self) -> Job<'_> {
        Job::call(self.name, || self.connect())
    }
}

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = runtime();
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().expect("a runtime")
}

fn request() -> Request {
    let request = Request::get("/users/7")
        .header("host", "localhost")
        .header("accept", "text/plain")
        .header("user-agent", "peers");
    request.body(Body::empty()).expect("a valid request")
}

/// The baselines, then plimsoll, then its peers.
pub fn all() -> Vec<Contender> {
    let mut all = ours();
    all.extend(peers());
    all
}

/// The baselines and plimsoll.
pub fn ours() -> Vec<Contender> {
    let mut all = vec![
        Contender::new(BARE, |router| router),
        Contender::new(NOOP, |router| router.layer(Noop)),
        Contender::new(FLOOR, |router| router.layer(Floor::new(ByInstant))),
        Contender::new(INSTANT, |router| {
            let builder = Plimsoll::builder().clock(MonotonicClock::new());
            measured(router, builder)
        }),
    ];
    if let Some(clock) = TscClock::new() {
        all.push(Contender::new("floor: the TSC instead", |router| {
            router.layer(Floor::new(clock.clone()))
        }));
        all.push(Contender::new(TSC, |router| {
            measured(router, Plimsoll::builder())
        }));
    }
    all
}

/// By an instance that stays: layers do not keep theirs.
fn measured(router: Router, builder: plimsoll::Builder) -> Router {
    let plimsoll = builder.build().expect("defaults");
    router.layer(MeasureLayer::new(Box::leak(Box::new(plimsoll))))
}

fn peers() -> Vec<Contender> {
    vec![
        Contender::new("tower-http 0.7.1, `InFlightRequestsLayer`", |router| {
            router.layer(tower_http::metrics::in_flight_requests::InFlightRequestsLayer::pair().0)
        }),
        Contender::new(PROMETHEUS, |router| {
            router.layer(prometheus_axum_middleware::PrometheusAxumLayer::new())
        }),
        axum_prometheus(),
        Contender::new("axum-otel-metrics 0.14.1", |router| {
            use opentelemetry_sdk_of_axum::metrics::{
                InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
            };
            let reader = PeriodicReader::builder(InMemoryMetricExporter::default())
                .with_interval(NEVER)
                .build();
            let provider = SdkMeterProvider::builder().with_reader(reader).build();
            let builder = axum_otel_metrics::HttpMetricsLayerBuilder::new();
            router.layer(builder.with_provider(provider).build())
        }),
        Contender::new("tower-otel 0.12.0", |router| {
            let meter = opentelemetry().meter("peers");
            router.layer(tower_otel::metrics::HttpLayer::server(&meter))
        }),
        Contender::new("opentelemetry-instrumentation-tower 0.19.0", |router| {
            opentelemetry::global::set_meter_provider(opentelemetry().clone());
            router.layer(opentelemetry_instrumentation_tower::http::server::Layer::new())
        }),
    ]
}

/// Its recorder is the process's.
fn axum_prometheus() -> Contender {
    // It spawns a task for the upkeep, which is never polled here: `drain` does that.
    let idle = Box::leak(Box::new(runtime()));
    let (layer, handle) = {
        let _entered = idle.enter();
        PrometheusMetricLayer::pair()
    };
    let contender = Contender::new(AXUM_PROMETHEUS, |router| router.layer(layer.clone()));
    Contender {
        drain: Some(handle),
        ..contender
    }
}

fn opentelemetry() -> &'static SdkMeterProvider {
    static PROVIDER: OnceLock<SdkMeterProvider> = OnceLock::new();
    PROVIDER.get_or_init(|| {
        let reader = PeriodicReader::builder(InMemoryMetricExporter::default())
            .with_interval(NEVER)
            .build();
        SdkMeterProvider::builder().with_reader(reader).build()
    })
}
