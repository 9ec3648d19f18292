//! A platform of hooks, models and workflows on simulated infrastructure, with the gauges of a board and of three services.
//!
//! `cargo run --release --example platform --features demo` runs it under load for 15 seconds; `-- --help` says more.

#[path = "../common/service.rs"]
mod service;
#[path = "../common/simulated.rs"]
mod simulated;

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{Router, get, post};
use metrics::gauge;
use plimsoll::db::Db;
use plimsoll::http::MeasureLayer;
use plimsoll::{Budget, Plimsoll, Select, export};
use reqwest::{Client, RequestBuilder};

/// Of work behind the requests: what it is called, and how many of a thousand fail.
const JOBS: [(&str, u64); 10] = [
    ("webhook", 2),
    ("publish", 1),
    ("inference", 2),
    ("batch", 2),
    ("simple", 2),
    ("complex", 5),
    ("backup", 0),
    ("produce", 0),
    ("cache", 0),
    ("job", 3),
];
/// Of gauges: name, middle, how far they swing to either side.
const GAUGES: [(&str, f64, f64); 14] = [
    ("novacron_cpu_percent", 45.0, 15.0),
    ("novacron_memory_percent", 55.0, 5.0),
    ("novacron_disk_percent", 40.0, 1.0),
    ("novacron_users", 4_000.0, 500.0),
    ("novacron_bytes_per_second", 110e6, 5e6),
    ("novacron_satisfaction", 4.6, 0.1),
    ("novacron_database_connections_percent", 50.0, 8.0),
    ("novacron_database_locks", 2.0, 2.0),
    ("concurrent_workflows", 60.0, 8.0),
    ("database_pool_used_percent", 50.0, 20.0),
    ("database_replication_lag_seconds", 0.04, 0.02),
    ("host_utilisation_percent", 50.0, 20.0),
    ("message_lag", 200.0, 100.0),
    ("redis_memory_used_percent", 60.0, 5.0),
];
/// Of counters: name, and how much is added a second.
const COUNTERS: [(&str, u64); 10] = [
    ("novacron_cache_hits_total", 970),
    ("novacron_cache_misses_total", 30),
    ("novacron_work_accurate_total", 9_997),
    ("novacron_work_checked_total", 10_000),
    ("novacron_network_receive_bytes_total", 60_000_000),
    ("novacron_network_transmit_bytes_total", 50_000_000),
    ("novacron_network_lost_packets_total", 1),
    ("redis_hits_total", 980),
    ("redis_misses_total", 20),
    ("redis_evictions_total", 0),
];
const SECOND: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), service::Failure> {
    let promises = service::declared(|builder| {
        let p95 = Budget::quantile("request-p95", Select::http(), 0.95);
        builder
            .service("platform")
            .budget(p95.at_most(Duration::from_millis(200)))
            .budget(Budget::error_ratio("request-errors", Select::http()).critical(0.01))
    })?;
    let plimsoll = promises.build()?;
    plimsoll.observe_process();
    plimsoll.observe_runtime(&tokio::runtime::Handle::current());
    metrics::set_global_recorder(plimsoll.metrics_recorder()).map_err(|error| error.to_string())?;
    tokio::spawn(infrastructure());
    let (hook, model, workflow) = ("/hooks/{source}", "/models/{name}", "/workflows/{kind}");
    let routes = [("POST", hook), ("GET", model), ("POST", workflow)];
    let measure = MeasureLayer::new(&plimsoll)
        .anatomy()
        .declare_routes(routes);
    let desk = Desk {
        database: plimsoll.db("platform"),
        plimsoll: plimsoll.clone(),
    };
    let app = Router::new()
        .route(hook, post(work))
        .route(model, get(work))
        .route(workflow, post(work))
        .route("/metrics", export::handler(&plimsoll))
        .layer(measure.exclude(["/metrics"]))
        .with_state(desk);
    service::run(&plimsoll, app, request).await
}

#[derive(Clone)]
struct Desk {
    plimsoll: Plimsoll,
    database: Db,
}

/// Does what stands behind a request: every job once, with a query; one request in 1000 fails.
async fn work(State(desk): State<Desk>, Path(number): Path<u64>) -> Result<String, StatusCode> {
    for (at, (job, failing)) in (0..).zip(JOBS) {
        let done = (number + 97 * at) % 1000 >= failing;
        let outcome = || done.then_some(()).ok_or(());
        // What it came to is counted; the request goes on.
        let _ = desk.plimsoll.operation(job).time_sync(outcome);
    }
    let takes = Duration::from_micros(500 + number % 7 * 300);
    let list = async {
        tokio::time::sleep(takes).await;
        Ok::<_, Infallible>(())
    };
    let _ = desk.database.time("list", list).await;
    match number % 1000 {
        999 => Err(StatusCode::INTERNAL_SERVER_ERROR),
        _ => Ok(format!("{number} done")),
    }
}

/// Moves gauges and counters, for as long as the service lives.
async fn infrastructure() {
    let mut pace = tokio::time::interval(SECOND);
    for second in 0_u32.. {
        pace.tick().await;
        let swing = simulated::step(second, &GAUGES, &COUNTERS);
        for (queue, middle) in [("tasks", 20.0), ("events", 50.0)] {
            gauge!("novacron_queue_depth", "queue" => queue).set(middle * (1.0 + swing / 2.0));
        }
    }
}

/// Hooks, models and workflows in turn.
fn request(client: &Client, base: &str, number: u64) -> RequestBuilder {
    match number % 3 {
        0 => client.post(format!("{base}/hooks/{number}")),
        1 => client.get(format!("{base}/models/{number}")),
        _ => client.post(format!("{base}/workflows/{number}")),
    }
}
