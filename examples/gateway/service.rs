//! The service: what a team would write.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use plimsoll::http::MeasureLayer;
use plimsoll::{Budget, Builder, Counter, Expr, Naming, Plimsoll, Select, Selector, export};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio_modbus::Slave;
use tokio_modbus::client::{Context, Reader, Writer};

use crate::Failure;
use crate::faults::{self, Faults};
use crate::store::Store;

const REGISTERS: u16 = 16;
const LARGEST: u16 = 10_000;
const CYCLE: Duration = Duration::from_millis(200);

/// What this service promises.
pub fn budgets(builder: Builder) -> Builder {
    let window = Duration::from_secs(5);
    let ms = Duration::from_millis;
    let load = Expr::latest(Selector::new("bifrost_load_running")).greater(0.0);
    builder
        .naming(Naming::classic().prefix("bifrost_").errors_family())
        .budget(
            Budget::quantile("request-p95", Select::http(), 0.95)
                .at_most(ms(200))
                .over(window)
                .min_events(50),
        )
        .budget(
            Budget::quantile("query-p95", Select::db(), 0.95)
                .at_most(ms(50))
                .over(window)
                .min_events(50),
        )
        .budget(
            Budget::error_ratio("request-errors", Select::http())
                .at_most(0.001)
                .over(window)
                .min_events(50),
        )
        .budget(
            Budget::quantile("modbus-connect", Select::connect(), 0.95)
                .at_most(ms(2000))
                .over(window),
        )
        .budget(
            Budget::success_ratio("device-success", Select::modbus())
                .at_least(0.99)
                .over(window),
        )
        .budget(
            Budget::throughput("throughput", Select::http())
                .at_least(100.0)
                .over(window)
                .warm_up(ms(7000))
                .when(load),
        )
}

pub struct Gateway {
    plimsoll: Plimsoll,
    store: Store,
    devices: BTreeMap<String, Device>,
}

/// One connection per device, shared by the polling cycle and the requests.
struct Device {
    context: Mutex<Context>,
    out_of_range: Counter,
}

impl Gateway {
    pub fn new(
        plimsoll: Plimsoll,
        store: Store,
        known: &[(String, SocketAddr)],
    ) -> Result<Self, Failure> {
        metrics::describe_counter!(
            "bifrost_poll_cycles_total",
            "Polling cycles of all devices."
        );
        let mut devices = BTreeMap::new();
        for (name, address) in known {
            let device = plimsoll
                .modbus(name)?
                .request_timeout(Duration::from_millis(100));
            let out_of_range = plimsoll
                .counter("data_validation_failures_total")
                .help("Values that a device sent and that cannot be right.")
                .label("device", name)
                .label("reason", "range")
                .register()?;
            let context = Mutex::new(device.tcp(*address, Slave(1)));
            devices.insert(
                name.clone(),
                Device {
                    context,
                    out_of_range,
                },
            );
        }
        Ok(Self {
            plimsoll,
            store,
            devices,
        })
    }

    /// Reads every device in cycles and keeps its latest words.
    pub fn poll(self: &Arc<Self>) {
        for name in self.devices.keys() {
            tokio::spawn(self.clone().poll_device(name.clone()));
        }
    }

    async fn poll_device(self: Arc<Self>, name: String) {
        let mut cycle = tokio::time::interval(CYCLE);
        let mut reported = false;
        loop {
            cycle.tick().await;
            metrics::counter!("bifrost_poll_cycles_total").increment(1);
            match self.devices[&name].read().await {
                Ok(words) => {
                    reported = false;
                    if let Err(error) = self.store.save(&name, &words).await {
                        eprintln!("{name}: reading not kept: {error}");
                    }
                }
                Err(error) if !reported => {
                    reported = true;
                    eprintln!(
                        "{name}: {error}; the gateway goes on without it and tries again in every cycle"
                    );
                }
                Err(_) => {}
            }
        }
    }
}

impl Device {
    async fn read(&self) -> Result<Vec<u16>, Failure> {
        let mut context = tokio::time::timeout(CYCLE / 4, self.context.lock()).await?;
        let words = context.read_holding_registers(0, REGISTERS).await??;
        self.out_of_range
            .add(words.iter().filter(|&&word| word > LARGEST).count() as u64);
        Ok(words)
    }

    async fn write(&self, register: u16, word: u16) -> Result<(), Failure> {
        let mut context = tokio::time::timeout(CYCLE / 4, self.context.lock()).await?;
        Ok(context.write_single_register(register, word).await??)
    }
}

pub fn router(gateway: Arc<Gateway>, faults: Arc<Faults>) -> Router {
    let measure = MeasureLayer::new(&gateway.plimsoll)
        .declare_routes([
            ("GET", "/api/devices"),
            ("GET", "/api/devices/{id}/registers"),
            ("POST", "/api/devices/{id}/registers"),
        ])
        .exclude(["/health", "/metrics"]);
    Router::new()
        .route("/api/devices", get(list))
        .route("/api/devices/{id}/registers", get(read).post(write))
        .layer(axum::middleware::from_fn_with_state(faults, faults::fail))
        .route("/health", get(health))
        .route("/metrics", export::handler(&gateway.plimsoll))
        .layer(measure)
        .with_state(gateway)
}

#[derive(Serialize)]
struct Listed {
    id: String,
    address: String,
}

async fn list(State(gateway): State<Arc<Gateway>>) -> Result<Json<Vec<Listed>>, Refusal> {
    let devices = gateway.store.list().await?.into_iter();
    Ok(Json(
        devices
            .map(|(id, address)| Listed { id, address })
            .collect(),
    ))
}

#[derive(Serialize)]
struct Registers {
    words: Vec<u16>,
    /// False when the device did not answer and these are the words of an earlier cycle.
    live: bool,
}

async fn read(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<Registers>, Refusal> {
    let device = gateway.devices.get(&id).ok_or(Refusal::unknown(&id))?;
    let kept = gateway.store.latest(&id).await?;
    match (device.read().await, kept) {
        (Ok(words), _) => Ok(Json(Registers { words, live: true })),
        (Err(_), Some(words)) => Ok(Json(Registers { words, live: false })),
        (Err(error), None) => Err(Refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{id}: {error}"),
        )),
    }
}

/// Writes a register, given as `register=word` in the body.
async fn write(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    body: String,
) -> Result<StatusCode, Refusal> {
    let device = gateway.devices.get(&id).ok_or(Refusal::unknown(&id))?;
    let parsed = body
        .split_once('=')
        .and_then(|(at, word)| Some((at.parse().ok()?, word.parse().ok()?)));
    let (register, word) = parsed.ok_or(Refusal(
        StatusCode::BAD_REQUEST,
        "write register=word, such as 3=250".into(),
    ))?;
    match device.write(register, word).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(Refusal(StatusCode::BAD_GATEWAY, format!("{id}: {error}"))),
    }
}

async fn health(State(gateway): State<Arc<Gateway>>) -> Json<plimsoll::Stats> {
    Json(gateway.plimsoll.stats())
}

/// A status and what to tell the client.
struct Refusal(StatusCode, String);

impl Refusal {
    fn unknown(id: &str) -> Self {
        Self(
            StatusCode::NOT_FOUND,
            format!("no device {id}: GET /api/devices lists them"),
        )
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
