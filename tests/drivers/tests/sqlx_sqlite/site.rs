//! A pool on a database in memory, and the page on which its figures are.

use std::sync::Arc;

use futures_util::poll;
use plimsoll::db::sqlx::Pool;
use plimsoll::{Builder, Plimsoll};
use sqlx::Sqlite;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// A table of three orders, on one connection: each connection in memory is a database of its own.
pub struct Site {
    pub plimsoll: Plimsoll,
    pub pool: Pool<Sqlite>,
}

/// Three orders are in it, and what it took to get them there is not counted.
pub async fn site() -> Site {
    site_of(Plimsoll::builder()).await
}

/// The same, watched as configured.
pub async fn site_of(builder: Builder) -> Site {
    let inner = options().connect("sqlite::memory:").await.expect("SQLite");
    let create = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        INSERT INTO orders (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')";
    sqlx::raw_sql(create).execute(&inner).await.expect("orders");
    let plimsoll = builder.build().expect("no mistakes");
    let pool = plimsoll.sqlx_pool("shop", inner).expect("new names");
    let site = Site { plimsoll, pool };
    site.settled().await;
    site
}

pub fn options() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(1)
}

impl Site {
    /// Connections go back to their pool in a task of their own.
    pub async fn settled(&self) {
        while self.pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Polls a query until it is under way.
    pub async fn begun(&self, query: &mut (impl Future + Unpin)) {
        while self.value("db_client_active_operations", &[]) == 0.0 {
            assert!(poll!(&mut *query).is_pending());
            tokio::task::yield_now().await;
        }
    }

    /// The value of a sample of the page, given by its name and a part of its labels; 0 if there is none.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = self.plimsoll.render();
        let wanted: Vec<String> = (labels.iter())
            .map(|(key, value)| format!("{key}=\"{value}\""))
            .collect();
        let values = page.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let labels = series.strip_prefix(name)?.strip_prefix('{')?;
            let found = wanted.iter().all(|label| labels.contains(label));
            found.then(|| value.parse::<f64>().expect("a number"))
        });
        values.sum()
    }

    /// How many statements ended so.
    pub fn count(&self, query: &str, outcome: &str) -> f64 {
        let labels = [("db_query_summary", query), ("outcome", outcome)];
        self.value("db_client_operation_duration_seconds_count", &labels)
    }

    /// How many statements ended.
    pub fn statements(&self) -> f64 {
        self.value("db_client_operation_duration_seconds_count", &[])
    }

    /// How many rows a statement gave.
    pub fn rows(&self, query: &str) -> f64 {
        let labels = [("db_query_summary", query)];
        self.value("db_client_response_returned_rows_sum", &labels)
    }

    /// A gauge or a counter of the pool.
    pub fn of_pool(&self, name: &str) -> f64 {
        self.value(name, &[("pool", "shop")])
    }
}

/// Whoever holds it keeps every statement of a connection from getting on.
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<()>>);

impl Gate {
    /// Puts the gate before the only connection of the pool.
    pub async fn before(pool: &Pool<Sqlite>) -> Self {
        let gate = Self::default();
        let passed = gate.clone();
        let mut connection = pool.acquire().await.expect("idle");
        let mut handle = connection.inner_mut().lock_handle().await.expect("SQLite");
        handle.set_progress_handler(1, move || {
            drop(passed.0.blocking_lock());
            true
        });
        drop(handle);
        gate
    }

    pub async fn shut(&self) -> OwnedMutexGuard<()> {
        self.0.clone().lock_owned().await
    }
}
