//! A database of each test's own, and a pool on it that is measured.

use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use plimsoll::Plimsoll;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Postgres};

use crate::server::Server;

pub type Site = crate::counted::Site<Postgres>;

/// How long a test waits for what has to happen at last, before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database with a thousand orders.
pub struct Base {
    pub server: Arc<Server>,
    pub name: String,
}

/// A new one.
pub async fn base() -> Base {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let nth = MADE.fetch_add(1, Ordering::Relaxed);
    let base = Base {
        server: Server::shared(),
        name: format!("base{nth}"),
    };
    let create = format!("CREATE DATABASE {}", base.name);
    let server = base.server.options("postgres").connect().await;
    execute(server.expect("a server"), &create).await;
    base.run(
        "CREATE EXTENSION pg_stat_statements;
         CREATE TABLE orders (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, paid bigint NOT NULL DEFAULT 0);
         INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 1000) n;
         CREATE TABLE audit (task bigint, n bigint);
         SELECT pg_stat_statements_reset(0, oid, 0) FROM pg_database WHERE datname = current_database()",
    )
    .await;
    base
}

impl Base {
    pub fn options(&self) -> PgConnectOptions {
        self.server.options(&self.name)
    }

    /// A connection that nobody measures.
    pub async fn connect(&self) -> PgConnection {
        self.options().connect().await.expect("a database")
    }

    /// Executes statements that nobody measures.
    pub async fn run(&self, sql: &str) {
        execute(self.connect().await, sql).await;
    }

    /// Asks for a number, unmeasured.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.connect().await;
        let number = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await;
        number.expect(sql)
    }

    /// A pool of up to so many connections, one of them open.
    pub async fn site(&self, connections: u32) -> Site {
        self.site_with(PgPoolOptions::new().max_connections(connections))
            .await
    }

    pub async fn site_with(&self, pool: PgPoolOptions) -> Site {
        let inner = pool.connect_with(self.options()).await.expect("a pool");
        let site = Site::new(Plimsoll::builder().build().expect("defaults"), inner);
        site.settled().await;
        site
    }

    /// How many connections execute a statement that begins so.
    pub async fn running(&self, sql: &str) -> i64 {
        let asked = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'
             AND datname = '{}' AND query LIKE '{sql}%'",
            self.name
        );
        self.number(&asked).await
    }

    /// Does something (`pg_cancel_backend`, `pg_terminate_backend`) to whoever executes a statement that begins so.
    pub async fn to_running(&self, what: &str, sql: &str) -> i64 {
        let asked = format!(
            "SELECT count({what}(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
             AND state = 'active' AND datname = '{}' AND query LIKE '{sql}%'",
            self.name
        );
        self.number(&asked).await
    }

    /// Kills a backend and waits until it is gone.
    pub async fn kill(&self, pid: i32) {
        let killed = format!("SELECT pg_terminate_backend({pid}, 30000)::int::bigint");
        assert_eq!(self.number(&killed).await, 1);
    }

    /// Polls a query until the server executes as many that begin so.
    pub async fn begun(&self, query: &mut (impl Future<Output: Debug> + Unpin), sql: &str, n: i64) {
        let mut seen = pin!(until(async || self.running(sql).await == n));
        poll_fn(|context| {
            if let Poll::Ready(ended) = pin!(&mut *query).poll(context) {
                panic!("it ended: {ended:?}");
            }
            seen.as_mut().poll(context)
        })
        .await;
    }
}

async fn execute(mut connection: PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await;
    done.expect(sql);
    connection.close().await.expect("a connection");
}

impl Site {
    /// Waits until every connection is back: they go back in tasks of their own.
    pub async fn settled(&self) {
        until(async || self.pool.num_idle() == self.pool.size() as usize).await;
    }

    /// Checks that everything has ended that has begun, and that no connection is missing.
    pub async fn is_quiet(&self) {
        self.settled().await;
        let [size, idle, active, ghosts, waiting, _] = self.gauges();
        assert_eq!([idle, active, ghosts, waiting], [size, 0.0, 0.0, 0.0]);
        assert_eq!(self.in_flight(), 0.0);
    }
}

/// Waits until it is so.
pub async fn until(mut so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "it never came");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
