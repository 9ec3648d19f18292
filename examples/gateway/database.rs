//! The SQLite file that the service finds: a list of devices, and room for their readings.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};

use crate::Failure;

const CONNECTIONS: u32 = 16;

pub async fn create(
    folder: &Path,
    devices: &[(String, SocketAddr)],
) -> Result<SqlitePool, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("gateway.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(Duration::from_secs(1));
    let sqlite = SqlitePoolOptions::new()
        .min_connections(CONNECTIONS)
        .max_connections(CONNECTIONS)
        .acquire_timeout(Duration::from_secs(1))
        .connect_with(options)
        .await?;
    for table in [
        "CREATE TABLE devices (id TEXT PRIMARY KEY, address TEXT NOT NULL)",
        "CREATE TABLE readings (device TEXT PRIMARY KEY, words TEXT NOT NULL)",
    ] {
        sqlx::query(table).execute(&sqlite).await?;
    }
    for (id, address) in devices {
        let insert = sqlx::query("INSERT INTO devices (id, address) VALUES (?, ?)");
        insert
            .bind(id)
            .bind(address.to_string())
            .execute(&sqlite)
            .await?;
    }
    Ok(sqlite)
}
