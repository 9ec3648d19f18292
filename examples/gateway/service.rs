//! The service: what a team would write.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::routing::{Router, get, post};
use parking_lot::Mutex;
use plimsoll::db::Db;
use plimsoll::http::MeasureLayer;
use plimsoll::modbus::{Cycle, Point, Rules};
use plimsoll::pool::{Pool, PoolState};
use plimsoll::{Plimsoll, export};
use sqlx::sqlite::{SqliteConnection, SqlitePool};

use crate::Failure;
use crate::faults::{self, Faults};

const CYCLE: Duration = Duration::from_millis(200);

pub struct Gateway {
    plimsoll: Plimsoll,
    sqlite: SqlitePool,
    pool: Pool,
    db: Db,
    devices: BTreeMap<String, Device>,
    faults: Arc<Faults>,
}

impl Gateway {
    pub fn new(
        plimsoll: Plimsoll,
        sqlite: SqlitePool,
        known: &[(String, SocketAddr)],
        faults: Arc<Faults>,
    ) -> Result<Self, Failure> {
        let watched = sqlite.clone();
        let pool = plimsoll.pool("gateway")?.observe(move || PoolState {
            active: u64::from(watched.size()).saturating_sub(watched.num_idle() as u64),
            max: watched.options().get_max_connections().into(),
        });
        let db = plimsoll.db("devices");
        db.declare(["list", "latest", "save"]);
        let mut devices = BTreeMap::new();
        for (name, address) in known {
            devices.insert(name.clone(), Device::new(&plimsoll, name, *address)?);
        }
        Ok(Self {
            plimsoll,
            sqlite,
            pool,
            db,
            devices,
            faults,
        })
    }

    /// Reads every device in cycles and keeps its latest words.
    pub fn poll(self: &Arc<Self>) -> Result<(), Failure> {
        for (name, device) in &self.devices {
            let cycle = device.modbus.cycle("registers", CYCLE)?;
            tokio::spawn(self.clone().poll_device(name.clone(), cycle));
        }
        Ok(())
    }

    async fn poll_device(self: Arc<Self>, name: String, mut cycle: Cycle) {
        let mut polls = true;
        loop {
            let _round = cycle.tick().await;
            metrics::counter!("bifrost_poll_cycles_total").increment(1);
            let polled = self.poll_once(&name).await;
            let health = self.devices[&name].modbus.health();
            match &polled {
                Err(error) if polls => eprintln!(
                    "{name} is {health}; {error}; the gateway goes on and tries in every cycle"
                ),
                Ok(()) if !polls => eprintln!("{name} is {health}"),
                _ => {}
            }
            polls = polled.is_ok();
        }
    }

    async fn poll_once(&self, name: &str) -> Result<(), Failure> {
        let words = self.devices[name].read_text().await?;
        let save = "INSERT OR REPLACE INTO readings (device, words) VALUES (?, ?)";
        let save = sqlx::query(save).bind(name).bind(words);
        let save = self.query("save", async |sqlite| save.execute(sqlite).await);
        Ok(save.await.map(drop)?)
    }

    /// Runs a query: the wait for a connection is timed as such, the query by its name.
    async fn query<T>(
        &self,
        name: &str,
        run: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut connection = self
            .pool
            .acquire_within(self.sqlite.acquire(), is_late)
            .await?;
        let query = self.faults.query(run(&mut connection));
        self.db.time(name, query).await
    }

    fn device(&self, id: &str) -> Result<&Device, Refusal> {
        let found = self.devices.get(id);
        found.ok_or((StatusCode::NOT_FOUND, format!("no device {id}")))
    }
}

/// One connection, shared by the polling cycle and the requests.
struct Device {
    modbus: plimsoll::modbus::Device,
    /// What each of its registers must be.
    word: Mutex<Point>,
}

impl Device {
    fn new(plimsoll: &Plimsoll, name: &str, address: SocketAddr) -> Result<Self, Failure> {
        let modbus = plimsoll
            .modbus(name)
            .request_timeout(CYCLE / 2)
            .wait_timeout(CYCLE / 4)
            .backoff(CYCLE / 2..=CYCLE * 5)
            .tcp(address)?;
        let word = modbus.point(Rules::u16().range(0.0..=10_000.0))?;
        Ok(Self {
            modbus,
            word: Mutex::new(word),
        })
    }

    async fn read_text(&self) -> Result<String, Failure> {
        let words = self.modbus.read_holding_registers(0, 16).await??;
        let mut rules = self.word.lock();
        for word in &words {
            // What is refused is counted, and shown all the same.
            let _ = rules.check(&[*word]);
        }
        drop(rules);
        let words: Vec<String> = words.iter().map(u16::to_string).collect();
        Ok(words.join(" "))
    }

    async fn write(&self, register: u16, word: u16) -> Result<(), Failure> {
        Ok(self.modbus.write_single_register(register, word).await??)
    }
}

pub fn router(gateway: Arc<Gateway>) -> Router {
    let (list, words) = ("/api/devices", "/api/devices/{id}/registers");
    let anew = "/api/devices/{id}/reconnect";
    let measure = MeasureLayer::new(&gateway.plimsoll)
        .declare_routes([
            ("GET", list),
            ("GET", words),
            ("POST", words),
            ("POST", anew),
        ])
        .exclude(["/health", "/metrics"]);
    let failing = axum::middleware::from_fn_with_state(gateway.faults.clone(), faults::fail);
    Router::new()
        .route(list, get(devices))
        .route(words, get(read).post(write))
        .route(anew, post(reconnect))
        .layer(failing)
        .route("/health", get(health))
        .route("/metrics", export::handler(&gateway.plimsoll))
        .layer(measure)
        .with_state(gateway)
}

type Shared = State<Arc<Gateway>>;
type Refusal = (StatusCode, String);

fn internal(error: sqlx::Error) -> Refusal {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

async fn devices(State(gateway): Shared) -> Result<Json<BTreeMap<String, String>>, Refusal> {
    let list = sqlx::query_as("SELECT id, address FROM devices");
    let rows = gateway.query("list", async |sqlite| list.fetch_all(sqlite).await);
    Ok(Json(rows.await.map_err(internal)?.into_iter().collect()))
}

/// The words of a device; those of an earlier cycle if it does not answer.
async fn read(State(gateway): Shared, Path(id): Path<String>) -> Result<String, Refusal> {
    let kept = sqlx::query_scalar("SELECT words FROM readings WHERE device = ?").bind(&id);
    let kept = gateway.query("latest", async |sqlite| kept.fetch_optional(sqlite).await);
    let kept: Option<String> = kept.await.map_err(internal)?;
    let read = gateway.device(&id)?.read_text().await;
    read.or_else(|error| kept.ok_or((StatusCode::BAD_GATEWAY, error.to_string())))
}

/// Writes a register, given in the body as `[register, word]`.
async fn write(
    State(gateway): Shared,
    Path(id): Path<String>,
    Json((register, word)): Json<(u16, u16)>,
) -> Result<(), Refusal> {
    let written = gateway.device(&id)?.write(register, word).await;
    written.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}

/// Closes the connection to a device, for a technician who was at its line; the next cycle connects anew.
async fn reconnect(State(gateway): Shared, Path(id): Path<String>) -> Result<(), Refusal> {
    let closed = gateway.device(&id)?.modbus.disconnect().await;
    closed.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))
}

async fn health(State(gateway): Shared) -> Json<plimsoll::Stats> {
    Json(gateway.plimsoll.stats())
}

/// No connection came free in time.
fn is_late(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut)
}
