//! Everybody who times a blocking query: a point select by primary key on an in-memory SQLite, through a statement that is
//! kept.

use std::hint::black_box;
use std::time::Instant;

use metrics::{Counter, Gauge, Key, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use plimsoll::{Clock, MonotonicClock, Plimsoll, TscClock};
use rusqlite::Connection;

use crate::recorders::{exporter_recorder, handle};
use crate::rounds::Job;

const SQL: &str = "SELECT balance FROM accounts WHERE id = ?1";
/// Accounts; the balance of each is seven times its number.
pub const ROWS: i64 = 1024;

/// The query alone: every figure is what is added to it.
pub const BARE: &str = "bare";
pub const INSTANTS: &str = "two readings of `Instant`";
pub const SPAN: &str = "tracing 0.1.44, a span without a subscriber";
pub const HANDLES: &str = "metrics 0.24.6 + exporter 0.18.3, kept handles";
pub const HANDLES_IN_FLIGHT: &str = "the same and a gauge of what is under way";
pub const MACROS: &str = "metrics 0.24.6 + exporter 0.18.3, macros, static labels";
pub const MACROS_OWNED: &str = "the same, one label value owned";

/// How plimsoll times the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    TimeSync,
    Guard,
    BeginSql,
}

impl Door {
    pub const ALL: [Self; 3] = [Self::TimeSync, Self::Guard, Self::BeginSql];

    /// What the tables call it, by the name of the clock.
    pub fn name(self, clock: &str) -> String {
        let door = match self {
            Self::TimeSync => "Db::time_sync",
            Self::Guard => "Db::guard",
            Self::BeginSql => "Database::begin_sql",
        };
        format!("plimsoll `{door}`, {clock}")
    }
}

type Run = Box<dyn Fn(usize) + Send + Sync>;

/// Somebody who times queries.
pub struct Contender {
    /// What the tables call it.
    pub name: String,
    run: Run,
    /// Whose upkeep is put off.
    drain: Option<PrometheusHandle>,
}

impl Contender {
    fn new(name: &str, run: Run) -> Self {
        Self {
            name: name.to_owned(),
            run,
            drain: None,
        }
    }

    fn draining(self, page: &PrometheusHandle) -> Self {
        Self {
            drain: Some(page.clone()),
            ..self
        }
    }

    /// Makes so many queries.
    pub fn query(&self, queries: usize) {
        (self.run)(queries);
    }

    /// As a job of a comparison.
    pub fn job(&self) -> Job<'_> {
        let job = Job::new(&self.name, |_, queries| self.query(queries)).sample_ns(1e6);
        match &self.drain {
            Some(page) => job.drain(|| page.run_upkeep()),
            None => job,
        }
    }
}

/// The one connection that everybody uses, so that its place in memory is the same for all.
pub type Shared = &'static Mutex<Connection>;

/// A table of accounts, in memory.
pub fn accounts() -> Shared {
    let connection = Connection::open_in_memory().expect("memory");
    let table = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)";
    connection.execute(table, []).expect("no such table");
    for id in 0..ROWS {
        let row = "INSERT INTO accounts VALUES (?1, ?1 * 7)";
        connection.execute(row, [id]).expect("no such row");
    }
    Box::leak(Box::new(Mutex::new(connection)))
}

/// The query, one and the same piece of code for everybody.
#[inline(never)]
pub fn select(connection: &Connection, id: i64) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(SQL)?;
    statement.query_row([id], |row| row.get(0))
}

/// The loop around a timed query.
fn each(
    accounts: Shared,
    timed: impl Fn(&Connection, i64) -> rusqlite::Result<i64> + Send + Sync + 'static,
) -> Run {
    Box::new(move |queries| {
        let connection = accounts.lock();
        for nth in 0..queries as i64 {
            let balance = timed(&connection, black_box(nth % ROWS));
            assert_eq!(balance, Ok(nth % ROWS * 7));
        }
    })
}

/// plimsoll under each clock that the crate has.
pub fn clocks() -> Vec<(&'static str, Plimsoll)> {
    let mut clocks = vec![("`Instant`", built(MonotonicClock::new()))];
    clocks.extend(TscClock::new().map(|clock| ("TSC", built(clock))));
    clocks
}

fn built(clock: impl Clock) -> Plimsoll {
    let builder = Plimsoll::builder().clock(clock).manual_tick();
    builder.build().expect("no mistakes")
}

/// Everybody but the `metrics` facade.
fn plain(accounts: Shared) -> Vec<Contender> {
    let mut all = vec![
        Contender::new(BARE, each(accounts, select)),
        Contender::new(INSTANTS, each(accounts, timed_only)),
        Contender::new(SPAN, each(accounts, in_span)),
    ];
    for (clock, plimsoll) in clocks() {
        let doors = Door::ALL.into_iter();
        all.extend(doors.map(|door| {
            let run = ours(door, &plimsoll, accounts);
            Contender::new(&door.name(clock), run)
        }));
    }
    all
}

/// Everybody. Installs the exporter's recorder as the process-wide one, so it can be called once.
pub fn all(accounts: Shared) -> Vec<Contender> {
    let mut all = plain(accounts);
    all.extend(facade(accounts));
    all
}

fn timed_only(connection: &Connection, id: i64) -> rusqlite::Result<i64> {
    let start = Instant::now();
    let balance = select(connection, id);
    black_box(start.elapsed());
    balance
}

fn in_span(connection: &Connection, id: i64) -> rusqlite::Result<i64> {
    let _entered = tracing::info_span!("query", operation = "by_id", model = "accounts").entered();
    select(connection, id)
}

fn ours(door: Door, plimsoll: &Plimsoll, accounts: Shared) -> Run {
    let db = plimsoll.db("accounts");
    let by_text = plimsoll.database("bank").open();
    match door {
        Door::TimeSync => each(accounts, move |connection, id| {
            db.time_sync("by_id", || select(connection, id))
        }),
        Door::Guard => each(accounts, move |connection, id| {
            let guard = db.guard("by_id");
            let balance = select(connection, id);
            guard.finish(&balance);
            balance
        }),
        Door::BeginSql => each(accounts, move |connection, id| {
            let guard = by_text.begin_sql(SQL, None);
            let balance = select(connection, id);
            guard.finish(&balance);
            balance
        }),
    }
}

/// The facade with the exporter behind it: how long, and how many, by how they ended.
fn facade(accounts: Shared) -> Vec<Contender> {
    let recorder = exporter_recorder();
    let page = recorder.handle();
    let metadata = Metadata::new(module_path!(), metrics::Level::INFO, None);
    let counter = |name| recorder.register_counter(&Key::from_name(name), &metadata);
    let ends = || [counter("kept_ok_total"), counter("kept_errors_total")];
    let (seconds, ended) = (handle(&recorder, "kept_seconds"), ends());
    let (seconds_too, ended_too) = (handle(&recorder, "watched_seconds"), ends());
    let under_way = recorder.register_gauge(&Key::from_name("under_way"), &metadata);
    metrics::set_global_recorder(recorder).expect("the only one");
    let kept = each(accounts, move |connection, id| {
        by_handles(connection, id, &seconds, &ended)
    });
    let watched = each(accounts, move |connection, id| {
        let _under_way = UnderWay::begin(&under_way);
        by_handles(connection, id, &seconds_too, &ended_too)
    });
    [
        Contender::new(HANDLES, kept),
        Contender::new(HANDLES_IN_FLIGHT, watched),
        Contender::new(MACROS, each(accounts, by_macros)),
        Contender::new(MACROS_OWNED, each(accounts, by_macros_owned)),
    ]
    .map(|contender| contender.draining(&page))
    .into()
}

fn by_handles(
    connection: &Connection,
    id: i64,
    seconds: &metrics::Histogram,
    [ok, errors]: &[Counter; 2],
) -> rusqlite::Result<i64> {
    let start = Instant::now();
    let balance = select(connection, id);
    seconds.record(start.elapsed());
    if balance.is_ok() { ok } else { errors }.increment(1);
    balance
}

/// Gives its one back when dropped.
struct UnderWay<'a>(&'a Gauge);

impl<'a> UnderWay<'a> {
    fn begin(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

fn by_macros(connection: &Connection, id: i64) -> rusqlite::Result<i64> {
    let start = Instant::now();
    let balance = select(connection, id);
    metrics::histogram!("macro_seconds", "operation" => "by_id", "model" => "accounts")
        .record(start.elapsed());
    metrics::counter!("macro_total", "operation" => "by_id", "model" => "accounts").increment(1);
    balance
}

fn by_macros_owned(connection: &Connection, id: i64) -> rusqlite::Result<i64> {
    let start = Instant::now();
    let balance = select(connection, id);
    let operation = || black_box("by_id").to_owned();
    metrics::histogram!("owned_seconds", "operation" => operation(), "model" => "accounts")
        .record(start.elapsed());
    metrics::counter!("owned_total", "operation" => operation(), "model" => "accounts")
        .increment(1);
    balance
}
