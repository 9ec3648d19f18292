//! What does diesel's instrumentation cost a query? Nanoseconds and allocations of one query of two parameters on an in-memory
//! SQLite: bare, with one that only has diesel show the query and keeps nothing, and with plimsoll's. Medians of
//! differences within each round.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::{self, Write as _};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use plimsoll::Plimsoll;

const ROUNDS: usize = 41;
const QUERIES: u64 = 5_000;

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

diesel::table! {
    orders (id) {
        id -> Integer,
        name -> Text,
    }
}

/// Takes what it is told and keeps nothing; `Err` to whatever comes after the first piece.
struct Sink;

impl fmt::Write for Sink {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        black_box(piece);
        Err(fmt::Error)
    }
}

fn show(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        _ = write!(Sink, "{query}");
    }
}

fn open(instrumentation: impl Instrumentation) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(":memory:").expect("memory");
    let create = "CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
        INSERT INTO orders (id, name) VALUES (1, 'one')";
    connection.batch_execute(create).expect("a table");
    connection.set_instrumentation(instrumentation);
    connection
}

/// Nanoseconds and allocations of a query.
fn cost(connection: &mut SqliteConnection) -> [f64; 2] {
    let (before, begun) = (ALLOCATIONS.load(Ordering::Relaxed), Instant::now());
    for _ in 0..QUERIES {
        let name: QueryResult<String> =
            (orders::table.find(1).select(orders::name)).first(connection);
        black_box(name.expect("one order"));
    }
    let took = begun.elapsed().as_nanos() as f64;
    let made = ALLOCATIONS.load(Ordering::Relaxed) - before;
    [took, made as f64].map(|all| all / QUERIES as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let diesel = plimsoll.diesel("bench").expect("new names");
    let mut bare = open(|_: InstrumentationEvent<'_>| {});
    let mut shown = open(show);
    let mut counted = open(diesel.instrumentation());
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| [&mut bare, &mut shown, &mut counted].map(cost))
        .collect();
    for (at, what) in [(0, "ns"), (1, "allocations")] {
        let of = |value: fn(&[[f64; 2]; 3], usize) -> f64| {
            median(rounds.iter().map(|round| value(round, at)).collect())
        };
        println!(
            "{what}: bare {:.1}, shown +{:.1}, counted +{:.1}",
            of(|round, at| round[0][at]),
            of(|round, at| round[1][at] - round[0][at]),
            of(|round, at| round[2][at] - round[0][at]),
        );
    }
}
