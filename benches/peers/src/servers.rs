//! Whole servers, alike but for their layer, each in a process of its own so that the kernel keeps its CPU time apart.

mod load;
mod process;

pub use load::{CONNECTIONS, Load, wrk};
pub use process::Server;

use std::io::{self, Write};
use std::time::Duration;

use axum::Router;
use axum::routing::{MethodRouter, get};
use axum_prometheus::PrometheusMetricLayer;
use plimsoll::http::{Label, MeasureLayer};
use plimsoll::{Budget, Builder, MonotonicClock, Plimsoll, Select, export};
use tokio::net::TcpListener;

/// What every other server is measured by.
pub const BARE: &str = "bare";
pub const DEFAULT: &str = "plimsoll";
pub const EVERYTHING: &str = "everything";

/// Which servers there are, by the names that `--serve` takes: the bare one twice, since two processes of one program
/// differ, too.
pub const SERVERS: [Kind; 5] = [
    Kind::new(BARE, "no layer", None),
    Kind::new("again", "no layer, another process", None),
    Kind::new(DEFAULT, "plimsoll", Some(OURS)),
    Kind::new(EVERYTHING, "plimsoll, everything on", Some(OURS)),
    Kind::new("axum-prometheus", "axum-prometheus 0.10.1", Some(THEIRS)),
];

/// The sample of a page that says how many requests were counted.
const OURS: &str = "http_server_request_duration_seconds_count{";
const THEIRS: &str = "axum_http_requests_duration_seconds_count{";

/// One way to serve.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What the command line calls it.
    pub name: &'static str,
    /// What the tables call it.
    pub title: &'static str,
    /// How the sample begins that says how many requests were counted; none where nothing counts.
    pub count: Option<&'static str>,
}

impl Kind {
    const fn new(name: &'static str, title: &'static str, count: Option<&'static str>) -> Self {
        Self { name, title, count }
    }
}

/// Serves as `name` on a free port of 127.0.0.1, says which, and ends when standard input does.
///
/// # Errors
///
/// If there is no server of that name, or no port.
pub fn serve(name: &str) -> Result<(), io::Error> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build()?;
    // `axum-prometheus` spawns its upkeep.
    let _entered = runtime.enter();
    let router = router(name).ok_or_else(|| {
        let names = SERVERS.map(|server| server.name).join(", ");
        io::Error::other(format!("no server is called {name}: there are {names}"))
    })?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    runtime.spawn(async { axum::serve(listener, router).await });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    runtime.shutdown_background();
    Ok(())
}

fn router(name: &str) -> Option<Router> {
    let users = Router::new().route("/users/{id}", get(|| async { "afloat" }));
    Some(match name {
        BARE | "again" => page(users, get(|| async { "nothing is counted" })),
        DEFAULT => measured(users, builder(), |layer| layer),
        EVERYTHING => measured(users, everything(), |layer| {
            layer.anatomy().trace_ids().first_byte()
        }),
        "axum-prometheus" => {
            let (layer, handle) = PrometheusMetricLayer::pair();
            page(
                users.layer(layer),
                get(move || async move { handle.render() }),
            )
        }
        _ => return None,
    })
}

/// Every server has a page, whether or not anybody asks for it; no layer measures it.
fn page(router: Router, page: MethodRouter) -> Router {
    router.route("/metrics", page)
}

fn measured(
    router: Router,
    builder: Builder,
    configured: impl FnOnce(MeasureLayer) -> MeasureLayer,
) -> Router {
    let plimsoll = builder.build().expect("a valid set-up");
    let layer = configured(MeasureLayer::new(&plimsoll));
    page(router.layer(layer), export::handler(&plimsoll))
}

/// With the clock of the default features, and the ticker.
fn builder() -> Builder {
    Plimsoll::builder().clock(MonotonicClock::new())
}

fn everything() -> Builder {
    let route = Select::http().label("route", "/users/*");
    let minute = Duration::from_secs(60);
    builder()
        .tick(Duration::from_secs(1))
        .http_label(Label::scheme())
        .http_label(Label::version())
        .budget(
            Budget::quantile("request-p95", Select::http(), 0.95)
                .at_most(Duration::from_millis(200))
                .critical(Duration::from_millis(500))
                .over(minute),
        )
        .budget(Budget::error_ratio("request-errors", Select::http()).at_most(0.001))
        .budget(
            Budget::quantile("users-p99", route, 0.99)
                .at_most(Duration::from_millis(250))
                .over(minute),
        )
        .slow_request(Duration::from_millis(100))
}
