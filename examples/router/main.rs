//! A router of calls with simulated buyers, measured through the `metrics` facade under the names of `dce_*` dashboards.
//!
//! `cargo run --release --example router --features demo` runs it under load for 15 seconds; `-- --help` says more.

#[path = "../common/infrastructure.rs"]
mod infrastructure;
#[path = "../common/service.rs"]
mod service;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::{Arc, atomic::AtomicUsize, atomic::Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Json, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, middleware, response::Response, routing::post};
use infrastructure::Cache;
use metrics::{counter, histogram};
use plimsoll::{Budget, Plimsoll, Select, export, http::MeasureLayer, stage};
use reqwest::{Client, RequestBuilder};
use sqlx::sqlite::SqlitePool;

/// In seconds: what is promised of routing, compliance, bids and the API, and what is around it.
const BOUNDS: &[f64] = &[0.0005, 0.0008, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 1.0];
const SCORES: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// A caller's number and state.
type Call = (String, String);
/// Why nobody takes a call.
type Refusal = (StatusCode, &'static str);
const NO_BUYER: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "no_buyer");

const BUYERS: [&str; 5] = ["acme", "bluebird", "crest", "delta", "evergreen"];
const ALGORITHMS: [&str; 3] = ["highest_bid", "weighted", "round_robin"];
const OFFERS: &str = "SELECT buyer, price FROM offers WHERE state = ? ORDER BY price DESC LIMIT 20";

#[tokio::main]
async fn main() -> Result<(), service::Failure> {
    let [routing, bid, compliance] = ["routing", "bid", "compliance"].map(Select::operation);
    let p99s = [
        ("routing-p99", routing.clone(), 1),
        ("bid-p99", bid, 5),
        ("compliance-p99", compliance, 2),
        ("api-p99", Select::http(), 50),
    ];
    let promises = service::declared(|builder| {
        builder
            .service("router")
            .budgets(p99s.map(|(name, select, ms)| {
                Budget::quantile(name, select, 0.99).at_most(Duration::from_millis(ms))
            }))
            .budget(Budget::success_ratio("routing-success", routing).at_least(0.999))
            .budget(Budget::error_ratio("api-errors", Select::http()).critical(0.01))
    })?;
    let plimsoll = promises
        .facade_bounds("_seconds", BOUNDS)
        .facade_bounds("dce_fraud_score_distribution", SCORES)
        .build()?;
    plimsoll.observe_process();
    plimsoll.observe_runtime(&tokio::runtime::Handle::current());
    metrics::set_global_recorder(plimsoll.metrics_recorder()).map_err(|error| error.to_string())?;
    let measure = MeasureLayer::new(&plimsoll).anatomy().exclude(["/metrics"]);
    let app = Router::new()
        .route("/calls", post(receive))
        .route_layer(middleware::from_fn(counted))
        .route("/metrics", export::handler(&plimsoll))
        .layer(measure.declare_routes([("POST", "/calls")]))
        .with_state(Arc::new(Desk::open(plimsoll.clone()).await?));
    service::run(&plimsoll, app, request).await
}

/// Receives a call and answers with who takes it.
async fn receive(
    State(desk): State<Arc<Desk>>,
    head: HeaderMap,
    Json(call): Json<Call>,
) -> Result<&'static str, StatusCode> {
    let began = Instant::now();
    let routed = desk.route(head, &call).await;
    let (status, buyer) = routed.map_or_else(|why| (why.1, "none"), |buyer| ("routed", buyer));
    counter!("dce_calls_total", "status" => status, "buyer" => buyer).increment(1);
    histogram!("dce_calls_duration_seconds").record(began.elapsed());
    routed.map_err(|why| why.0)
}

/// The names that the dashboards have; `MeasureLayer` has those that the budgets speak of.
async fn counted(path: MatchedPath, request: Request, next: middleware::Next) -> Response {
    let (began, endpoint) = (Instant::now(), path.as_str().to_owned());
    let response = next.run(request).await;
    let status = ("status", response.status().as_str().to_owned());
    let labels = [status, ("endpoint", endpoint)];
    counter!("http_requests_total", &labels).increment(1);
    histogram!("http_request_duration_seconds", &labels[1..]).record(began.elapsed());
    response
}

struct Desk {
    plimsoll: Plimsoll,
    sqlite: SqlitePool,
    callers: Cache,
    turn: AtomicUsize,
}

impl Desk {
    async fn open(plimsoll: Plimsoll) -> Result<Self, sqlx::Error> {
        Ok(Self {
            plimsoll,
            sqlite: infrastructure::database().await?,
            callers: Cache::default(),
            turn: AtomicUsize::new(0),
        })
    }

    /// The buyer who takes the call.
    async fn route(&self, head: HeaderMap, call: &Call) -> Result<&'static str, Refusal> {
        let auth = stage("auth");
        let known = head.get("x-key").filter(|key| *key == "demo");
        known.ok_or((StatusCode::UNAUTHORIZED, "unauthorized"))?;
        drop(auth);
        let clean = Some(self.score(call)).filter(|score| *score < 0.96);
        clean.ok_or((StatusCode::FORBIDDEN, "blocked"))?;
        let offers = sqlx::query_as(OFFERS).bind(&call.1).fetch_all(&self.sqlite);
        let offers: Vec<(u32, u64)> = self.query("eligible_offers", "select", offers).await?;
        let first = self.select(call, &offers)?;
        let mut buyers = (first..first + 2).map(|buyer| BUYERS[buyer % BUYERS.len()]);
        let buyer = buyers.find(|who| self.accepts(who, call)).ok_or(NO_BUYER)?;
        let insert = sqlx::query("INSERT INTO calls VALUES (?)").bind(&call.0);
        let insert = insert.execute(&self.sqlite);
        self.query("record_call", "insert", insert).await?;
        Ok(buyer)
    }

    /// How likely the call is a fraud, by what is known of the caller.
    fn score(&self, call: &Call) -> f64 {
        let (_stage, began) = (stage("compliance"), Instant::now());
        let find = || hash(call) % 1000;
        let look = || Ok::<_, Refusal>(self.callers.get(&self.plimsoll, &call.0, find));
        let known = self.plimsoll.operation("compliance").time_sync(look);
        let score = known.map_or(1.0, |known| (known as f64 / 1000.0).powi(2));
        histogram!("dce_fraud_score_distribution").record(score);
        histogram!("dce_compliance_checks_duration_seconds").record(began.elapsed());
        score
    }

    /// The number of the buyer whose offer is worth most.
    fn select(&self, call: &Call, offers: &[(u32, u64)]) -> Result<usize, Refusal> {
        let (_stage, began) = (stage("select"), Instant::now());
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let algorithm = ALGORITHMS[turn % ALGORITHMS.len()];
        let worth = |at: &usize| match algorithm {
            "highest_bid" => offers[*at].1,
            "weighted" => offers[*at].1 * (hash((call, at)) % 100),
            _ => (*at == turn % offers.len()).into(),
        };
        let best = || (0..offers.len()).max_by_key(worth).ok_or(NO_BUYER);
        let best = self.plimsoll.operation("routing").time_sync(best)?;
        counter!("dce_routing_decisions_total", "algorithm" => algorithm).increment(1);
        let took = histogram!("dce_routing_duration_seconds", "algorithm" => algorithm);
        took.record(began.elapsed());
        Ok(offers[best].0 as usize)
    }

    /// Whether the buyer takes the call, after it has thought about it.
    fn accepts(&self, buyer: &str, call: &Call) -> bool {
        let _stage = stage("bid");
        let think = || (0..500).fold(hash((buyer, call)), |seed, round| hash((seed, round))) % 100;
        let bid = self.plimsoll.operation("bid");
        let accepted = bid.time_sync(|| Ok::<_, Refusal>(think() >= 9)) == Ok(true);
        let status = if accepted { "accepted" } else { "rejected" };
        counter!("dce_bids_processed_total", "status" => status).increment(1);
        accepted
    }

    /// Times a query, under the names of two dashboards as well.
    async fn query<T>(
        &self,
        name: &'static str,
        kind: &'static str,
        run: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, Refusal> {
        let began = Instant::now();
        let result = self.plimsoll.db("router").time(name, run).await;
        histogram!("database_query_duration_seconds", "query" => name).record(began.elapsed());
        histogram!("db_query_duration_seconds", "query_type" => kind).record(began.elapsed());
        result.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "failed"))
    }
}

fn hash(what: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::new().hash_one(what)
}

/// Calls from 500 callers everywhere; one in a hundred without a key.
fn request(client: &Client, base: &str, number: u64) -> RequestBuilder {
    let state = ["AZ", "CA", "NY", "TX"][number as usize % 4];
    let key = if number % 100 == 99 { "" } else { "demo" };
    let call = client.post(format!("{base}/calls")).header("x-key", key);
    call.json(&(format!("+1555{:07}", number * 7 % 500), state))
}
