//! An API with a database, as a team with dashboards in milliseconds would measure it.
//!
//! `cargo run --release --example api --features demo` runs it under load for 15 seconds; `-- --help` says more.

#[path = "../common/service.rs"]
mod service;

use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::{Router, get};
use plimsoll::db::sqlx::Pool;
use plimsoll::process::AllocatorStats;
use plimsoll::{Kpi, Naming, Select, export, http::MeasureLayer, tables};
use reqwest::{Client, RequestBuilder};
use service::Failure;
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

type Database = State<Pool<Sqlite>>;
type Refusal = (StatusCode, String);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let (requests, queries) = (Select::http(), Select::db());
    let kpis = tables::api_kpis(requests.clone(), queries.clone());
    let promises = service::declared(|builder| {
        builder
            .service("api")
            .naming(Naming::millis())
            .budgets(tables::api_alerts(requests, queries))
            .budgets(kpis.iter().flat_map(Kpi::budgets))
    })?;
    let plimsoll = promises.from_env().build()?;
    plimsoll.observe_process();
    plimsoll.observe_allocator(AllocatorStats::glibc);
    plimsoll.observe_runtime(&tokio::runtime::Handle::current());

    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("api.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    let sqlite = SqlitePoolOptions::new().max_connections(8);
    let database = plimsoll.sqlx_pool("api", sqlite.connect_with(options).await?)?;
    let create =
        "CREATE TABLE orders (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL CHECK (amount > 0))";
    sqlx::query(create).execute(&database).await?;

    let (orders, order, report) = ("/api/orders", "/api/orders/{id}", "/api/report");
    let routes = [
        ("GET", orders),
        ("POST", orders),
        ("GET", order),
        ("GET", report),
    ];
    let measure = MeasureLayer::new(&plimsoll)
        .anatomy()
        .declare_routes(routes);
    let app = Router::new()
        .route(orders, get(list).post(place))
        .route(order, get(one))
        .route(report, get(turnover))
        .route("/metrics", export::handler(&plimsoll))
        .layer(measure.exclude(["/metrics"]))
        .with_state(database);
    service::run(&plimsoll, app, request).await
}

async fn list(State(database): Database) -> Result<Json<Vec<(i64, i64)>>, Refusal> {
    let latest = sqlx::query_as("SELECT id, amount FROM orders ORDER BY id DESC LIMIT 20");
    Ok(Json(latest.fetch_all(&database).await.map_err(failed)?))
}

async fn one(State(database): Database, Path(id): Path<i64>) -> Result<Json<i64>, Refusal> {
    let amount = sqlx::query_scalar("SELECT amount FROM orders WHERE id = ?").bind(id);
    let amount = amount.fetch_optional(&database).await.map_err(failed)?;
    let amount = amount.ok_or((StatusCode::NOT_FOUND, format!("no order {id}")))?;
    Ok(Json(amount))
}

/// An amount that the table refuses is an error: nobody checks it before.
async fn place(State(database): Database, Json(amount): Json<i64>) -> Result<StatusCode, Refusal> {
    let insert = sqlx::query("INSERT INTO orders (amount) VALUES (?)").bind(amount);
    insert.execute(&database).await.map_err(failed)?;
    Ok(StatusCode::CREATED)
}

/// A slow one: as if each order were looked at a thousand times.
async fn turnover(State(database): Database) -> Result<Json<i64>, Refusal> {
    let count = "SELECT count(*) FROM orders WHERE 0 < (
            WITH RECURSIVE look (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM look WHERE n < 400000)
            SELECT total(n) FROM look)";
    Ok(Json(
        sqlx::query_scalar(count)
            .fetch_one(&database)
            .await
            .map_err(failed)?,
    ))
}

fn failed(error: sqlx::Error) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// Of a hundred requests 60 read an order, 24 list them, 15 place one (of which every tenth is refused), one makes the report.
fn request(client: &Client, base: &str, number: u64) -> RequestBuilder {
    match number % 100 {
        0 => client.get(format!("{base}/api/report")),
        1..=15 => {
            let place = client.post(format!("{base}/api/orders"));
            place.json(&(number / 3 % 10 * 7))
        }
        16..40 => client.get(format!("{base}/api/orders")),
        _ => client.get(format!("{base}/api/orders/{}", number % 40 + 1)),
    }
}
