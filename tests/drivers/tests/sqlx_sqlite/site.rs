//! A pool on a database in memory.

use std::sync::Arc;

use futures_util::poll;
use plimsoll::db::sqlx::Pool;
use plimsoll::{Builder, Plimsoll};
use sqlx::Sqlite;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Three orders on one connection: each connection in memory is a database of its own.
pub type Site = crate::counted::Site<Sqlite>;

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
    let site = Site::new(builder.build().expect("no mistakes"), inner);
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
        while self.in_flight() == 0.0 {
            assert!(poll!(&mut *query).is_pending());
            tokio::task::yield_now().await;
        }
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
