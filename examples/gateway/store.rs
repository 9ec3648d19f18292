//! The device list and the latest readings, in an SQLite file.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plimsoll::Plimsoll;
use plimsoll::db::Db;
use plimsoll::pool::{Pool, PoolState};
use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::Failure;
use crate::faults::Faults;

const CONNECTIONS: u32 = 16;

/// Every query is timed as `db.time(name, future)`, every wait for a connection as `pool.acquire(future)`.
pub struct Store {
    sqlite: SqlitePool,
    pool: Pool,
    devices: Db,
    readings: Db,
    faults: Arc<Faults>,
}

impl Store {
    pub async fn open(
        folder: &Path,
        plimsoll: &Plimsoll,
        known: &[(String, SocketAddr)],
        faults: &Arc<Faults>,
    ) -> Result<Self, Failure> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("gateway.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(Duration::from_secs(1));
        let sqlite = SqlitePoolOptions::new()
            .min_connections(CONNECTIONS)
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(1))
            .connect_with(options)
            .await?;
        sqlx::query("CREATE TABLE devices (id TEXT PRIMARY KEY, address TEXT NOT NULL)")
            .execute(&sqlite)
            .await?;
        sqlx::query("CREATE TABLE readings (device TEXT PRIMARY KEY, words TEXT NOT NULL)")
            .execute(&sqlite)
            .await?;
        for (id, address) in known {
            let insert = sqlx::query("INSERT INTO devices (id, address) VALUES (?, ?)");
            insert
                .bind(id)
                .bind(address.to_string())
                .execute(&sqlite)
                .await?;
        }
        let watched = sqlite.clone();
        let pool = plimsoll.pool("gateway")?.observe(move || PoolState {
            active: u64::from(watched.size()).saturating_sub(watched.num_idle() as u64),
            max: CONNECTIONS.into(),
        });
        let (devices, readings) = (plimsoll.db("devices"), plimsoll.db("readings"));
        devices.declare(["list"]);
        readings.declare(["latest", "save"]);
        Ok(Self {
            sqlite,
            pool,
            devices,
            readings,
            faults: faults.clone(),
        })
    }

    pub async fn list(&self) -> Result<Vec<(String, String)>, sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query_as("SELECT id, address FROM devices ORDER BY id")
            .fetch_all(&mut *connection);
        self.devices.time("list", self.faults.query(query)).await
    }

    /// The words read last from a device; `None` before the first reading.
    pub async fn latest(&self, device: &str) -> Result<Option<Vec<u16>>, sqlx::Error> {
        let mut connection = self.connection().await?;
        let query = sqlx::query_scalar("SELECT words FROM readings WHERE device = ?").bind(device);
        let query = query.fetch_optional(&mut *connection);
        let words: Option<String> = self
            .readings
            .time("latest", self.faults.query(query))
            .await?;
        Ok(words.map(|words| {
            words
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect()
        }))
    }

    pub async fn save(&self, device: &str, words: &[u16]) -> Result<(), sqlx::Error> {
        let words = words
            .iter()
            .map(u16::to_string)
            .collect::<Vec<_>>()
            .join(" ");
        let mut connection = self.connection().await?;
        let query = sqlx::query("INSERT OR REPLACE INTO readings (device, words) VALUES (?, ?)");
        let query = query.bind(device).bind(words).execute(&mut *connection);
        self.readings
            .time("save", self.faults.query(query))
            .await
            .map(drop)
    }

    async fn connection(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        self.pool.acquire(self.sqlite.acquire()).await
    }
}
