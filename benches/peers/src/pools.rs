//! Everybody who stands around a pool of sqlx: a select on an in-memory SQLite, through the pool and on a connection of it.
//!
//! A round trip takes as long as it takes to wake SQLite's thread, and so does the processor time of whoever parks meanwhile:
//! both differ by microseconds from one moment to the next. So what is timed is the making, polling and dropping of the
//! query's future, with waits between polls left out, and a sample is the median of its queries. A stub in place of
//! SQLite would wake nobody, but `sqlx-otel` has sealed the trait that says what it wraps.

use std::hint::{black_box, spin_loop};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use opentelemetry_of_sqlx::global;
use opentelemetry_sdk_of_axum::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
};
use plimsoll::db::sqlx::Pool as Measured;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, Sqlite, SqlitePool};
use tokio::runtime::Runtime;

use crate::rounds::median;
use crate::selects::clocks;

/// sqlx alone: every figure is what is added to it.
pub const BARE: &str = "bare";
pub const INSTANT: &str = "plimsoll, `Instant`";
/// There only if the processor's counter can be trusted.
pub const TSC: &str = "plimsoll, TSC";
pub const OTEL_NOOP: &str = "sqlx-otel 0.5.0, no provider";
pub const OTEL: &str = "sqlx-otel 0.5.0, SDK meter provider";

/// Without a reader the SDK counts nothing; this is when ours comes round.
const NEVER: Duration = Duration::from_secs(86_400);

/// How a query finds its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ThroughPool,
    /// Borrowed from the pool for this query, which is how `sqlx-otel` counts the wait.
    Acquired,
    OnConnection,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::ThroughPool, Self::Acquired, Self::OnConnection];

    /// What the tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ThroughPool => "through a pool",
            Self::Acquired => "on a connection that is acquired for it",
            Self::OnConnection => "on a connection",
        }
    }
}

/// A pool with somebody around it, or without.
enum Pool {
    Bare(SqlitePool),
    Ours(Measured<Sqlite>),
    Otel(sqlx_otel::Pool<Sqlite>),
}

/// Somebody around a pool. All pools have one and the same connection, and so one thread of SQLite's.
pub struct Contender {
    /// What the tables call it.
    pub name: &'static str,
    pool: Pool,
    /// What all are around.
    bare: SqlitePool,
}

/// So many queries, one after the other: nanoseconds of each. What happens between them is not timed.
macro_rules! each {
    ($queries:expr, $executor:expr $(, $between:expr)?) => {{
        let mut all = Vec::with_capacity($queries);
        for id in 0..$queries {
            all.push(polled(async || fetch(id, $executor).await));
            $($between;)?
        }
        all
    }};
}

/// A connection, waited for.
macro_rules! acquired {
    ($pool:expr) => {
        &mut $pool.acquire().await.expect("idle")
    };
}

impl Contender {
    /// Makes so many queries; the median of what each took, in nanoseconds.
    pub fn query(&self, way: Way, queries: usize) -> f64 {
        let _within = RUNTIME.enter();
        self.returned();
        let all = match way {
            Way::ThroughPool => self.query_pool(queries),
            Way::Acquired => self.query_acquired(queries),
            Way::OnConnection => self.query_connection(queries),
        };
        median(&all)
    }

    fn query_pool(&self, queries: usize) -> Vec<f64> {
        match &self.pool {
            Pool::Bare(pool) => each!(queries, pool, self.returned()),
            Pool::Ours(pool) => each!(queries, pool, self.returned()),
            Pool::Otel(pool) => each!(queries, pool, self.returned()),
        }
    }

    fn query_acquired(&self, queries: usize) -> Vec<f64> {
        match &self.pool {
            Pool::Bare(pool) => each!(queries, &mut **acquired!(pool), self.returned()),
            Pool::Ours(pool) => each!(queries, &mut **acquired!(pool), self.returned()),
            Pool::Otel(pool) => each!(queries, acquired!(pool), self.returned()),
        }
    }

    fn query_connection(&self, queries: usize) -> Vec<f64> {
        match &self.pool {
            Pool::Bare(pool) => {
                let mut connection = pool.try_acquire().expect("idle");
                each!(queries, &mut *connection)
            }
            Pool::Ours(pool) => {
                let mut connection = pool.try_acquire().expect("idle");
                each!(queries, &mut *connection)
            }
            Pool::Otel(pool) => {
                let mut connection = RUNTIME.block_on(pool.acquire()).expect("idle");
                each!(queries, &mut connection)
            }
        }
    }

    /// Lets the connection go back to its pool, which it does in a task.
    fn returned(&self) {
        RUNTIME.block_on(async {
            while self.bare.num_idle() == 0 {
                tokio::task::yield_now().await;
            }
        });
    }
}

async fn fetch<'e>(id: usize, executor: impl Executor<'e, Database = Sqlite>) {
    let query = sqlx::query("SELECT ?").bind(id as i64);
    black_box(query.fetch_one(executor).await.expect("one row"));
}

/// How long a future took to be made, polled and dropped, in nanoseconds, without the waits.
fn polled(make: impl AsyncFnOnce()) -> f64 {
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(woken.clone());
    let (mut spent, mut start) = (Duration::ZERO, Instant::now());
    {
        let mut future = pin!(make());
        while future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            spent += start.elapsed();
            while !woken.0.swap(false, Ordering::Acquire) {
                spin_loop();
            }
            start = Instant::now();
        }
    }
    (spent + start.elapsed()).as_nanos() as f64
}

/// Set by whoever wakes; the Release store pairs with the Acquire swap of whoever waits.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// One for all threads that take turns.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().expect("a runtime")
});

/// Everybody. Sets the process-wide meter provider, so it can be called once.
pub fn all() -> Vec<Contender> {
    let options = SqlitePoolOptions::new().max_connections(1);
    let connect = options.connect("sqlite::memory:");
    let bare = RUNTIME.block_on(connect).expect("memory");
    let contender = |name, pool| Contender {
        name,
        pool,
        bare: bare.clone(),
    };
    let otel = || Pool::Otel(sqlx_otel::PoolBuilder::from(bare.clone()).build());
    let mut all = vec![contender(BARE, Pool::Bare(bare.clone()))];
    for ((_, plimsoll), name) in clocks().into_iter().zip([INSTANT, TSC]) {
        let pool = plimsoll.sqlx_pool("bank", bare.clone());
        all.push(contender(name, Pool::Ours(pool.expect("new names"))));
    }
    all.push(contender(OTEL_NOOP, otel()));
    let reader = PeriodicReader::builder(InMemoryMetricExporter::default());
    let reader = reader.with_interval(NEVER).build();
    global::set_meter_provider(SdkMeterProvider::builder().with_reader(reader).build());
    all.push(contender(OTEL, otel()));
    all
}
