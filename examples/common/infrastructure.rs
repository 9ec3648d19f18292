//! What the router stands on: a database, a cache of limited size, and what is seen of them and of its memory from outside.

#[path = "simulated.rs"]
mod simulated;

use std::collections::HashMap;
use std::time::Duration;

use metrics::{counter, gauge};
use parking_lot::Mutex;
use plimsoll::Plimsoll;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

/// How many callers the cache remembers.
const CAPACITY: usize = 10_000;
/// What a pod is given, in bytes.
const MEMORY: f64 = 1_073_741_824.0;

const SETUP: &str = "CREATE TABLE calls (caller TEXT); CREATE TABLE offers (buyer, state, price);
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) INSERT INTO offers
    SELECT i % 5, substr('AZCANYTX', i % 4 * 2 + 1, 2), 10 + i * 7 % 40 FROM n";

/// Calls, and what buyers offer by state. Its connections are shown once a second, for as long as the service lives.
pub(crate) async fn database() -> Result<SqlitePool, sqlx::Error> {
    let options = SqlitePoolOptions::new().max_connections(8);
    let sqlite = options.connect("sqlite::memory:").await?;
    sqlx::raw_sql(SETUP).execute(&sqlite).await?;
    tokio::spawn(watch(sqlite.clone()));
    Ok(sqlite)
}

/// Remembers what was found out about callers, in the place of a Redis.
#[derive(Default)]
pub(crate) struct Cache(Mutex<HashMap<String, u64>>);

impl Cache {
    /// What is known under `key`, by `find` if it is not remembered.
    pub(crate) fn get(&self, plimsoll: &Plimsoll, key: &str, find: impl FnOnce() -> u64) -> u64 {
        gauge!("redis_pool_active_connections").increment(1.0);
        let mut known = self.0.lock();
        let look = || Ok::<_, ()>(known.get(key).copied());
        let found = plimsoll.operation("cache").time_sync(look).ok().flatten();
        let (hits, commands) = if found.is_some() { (1, 1) } else { (0, 2) };
        counter!("cache_hits_total").increment(hits);
        counter!("cache_misses_total").increment(1 - hits);
        counter!("redis_commands_total").increment(commands);
        let evicted = match found {
            None if known.len() == CAPACITY => known.drain().count() as u64,
            _ => 0,
        };
        counter!("redis_evictions_total").increment(evicted);
        gauge!("redis_memory_used_percent").set(100.0 * known.len() as f64 / CAPACITY as f64);
        gauge!("redis_pool_active_connections").decrement(1.0);
        found.unwrap_or_else(|| *known.entry(key.to_owned()).or_insert_with(find))
    }
}

/// Shows what there is around the service. It has no replica and was not restarted: these are made up.
async fn watch(sqlite: SqlitePool) {
    let mut pace = tokio::time::interval(Duration::from_secs(1));
    for second in 0.. {
        pace.tick().await;
        let lag = [("database_replication_lag_seconds", 0.04, 0.02)];
        simulated::step(second, &lag, &[("pod_restarts_total", 0)]);
        let most = f64::from(sqlite.options().get_max_connections());
        let lent = f64::from(sqlite.size()) - sqlite.num_idle() as f64;
        gauge!("database_available_connections").set(most - lent);
        gauge!("database_pool_used_percent").set(100.0 * lent / most);
        if let Some(resident) = resident() {
            gauge!("memory_used_percent").set(100.0 * resident / MEMORY);
        }
    }
}

/// Resident memory in bytes, where the system is Linux with pages of 4 KiB.
fn resident() -> Option<f64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(4096.0 * pages)
}
