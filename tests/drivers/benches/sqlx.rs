//! What does the wrapper of sqlx cost a query? Processor time of the polling thread and allocations of one query on an
//! in-memory SQLite, bare and wrapped, on a connection and through a pool: the median of paired differences, round by round.
//! Elapsed time would be that of waking SQLite's thread, which differs by microseconds. Linux only.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll::Plimsoll;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, Sqlite};

const ROUNDS: usize = 41;
const QUERIES: u64 = 2_000;

/// Allocations of this process.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps to the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Nanoseconds and allocations of a query.
macro_rules! cost {
    ($executor:expr) => {{
        let (before, begun) = (ALLOCATIONS.load(Ordering::Relaxed), on_cpu_ns());
        for id in 0..QUERIES {
            let query = sqlx::query("SELECT ?").bind(id as i64);
            fetch(query, $executor).await;
        }
        let took = (on_cpu_ns() - begun) / QUERIES as f64;
        let made = ALLOCATIONS.load(Ordering::Relaxed) - before;
        (took, made as f64 / QUERIES as f64)
    }};
}

type Query = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

async fn fetch<'e>(query: Query, executor: impl Executor<'e, Database = Sqlite>) {
    let row = query.fetch_one(executor).await;
    std::hint::black_box(row.expect("one row"));
}

/// How long this thread has been on a processor.
fn on_cpu_ns() -> f64 {
    let all = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let first = all.split(' ').next().expect("three numbers");
    first.parse().expect("nanoseconds")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(what: &str, rounds: &[[(f64, f64); 2]]) {
    let of = |value: fn(&[(f64, f64); 2]) -> f64| median(rounds.iter().map(value).collect());
    println!(
        "{what}: bare {:.0} ns, wrapped +{:.0} ns; bare {:.2} allocations, wrapped +{:.2}",
        of(|[bare, _]| bare.0),
        of(|[bare, wrapped]| wrapped.0 - bare.0),
        of(|[bare, _]| bare.1),
        of(|[bare, wrapped]| wrapped.1 - bare.1),
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let options = SqlitePoolOptions::new().max_connections(1);
    let inner = options.connect("sqlite::memory:").await.expect("SQLite");
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    // Both ways lead to one connection: another one would have another thread.
    let pool = plimsoll.sqlx_pool("bench", inner).expect("new names");

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push([cost!(pool.inner()), cost!(&pool)]);
    }
    report("through a pool", &rounds);

    let mut connection = pool.acquire().await.expect("idle");
    rounds.clear();
    for _ in 0..ROUNDS {
        rounds.push([cost!(connection.inner_mut()), cost!(&mut *connection)]);
    }
    report("on a connection", &rounds);
}
