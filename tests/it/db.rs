//! The `db` and `pool` rooms: every query is counted once, whichever way it ends.

mod budgets;
#[cfg(feature = "demo")]
mod sqlite;
mod statements;
mod watchdog;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use plimsoll::{OperationStats, Outcome, Plimsoll};

type Answer = Result<u32, &'static str>;

fn new() -> Plimsoll {
    Plimsoll::builder().build().unwrap()
}

/// The line of one operation on `devices`.
fn line(plimsoll: &Plimsoll, operation: &str) -> OperationStats {
    let labels = [
        ("operation", operation.to_owned()),
        ("model", "devices".to_owned()),
        ("query", format!("{operation} devices")),
    ];
    let operations = plimsoll.stats().operations;
    let found = operations
        .into_iter()
        .find(|line| line.kind == "db" && line.labels == labels);
    found.unwrap_or_else(|| panic!("no operation {operation}"))
}

/// The line of the pool `readings`.
fn waits(plimsoll: &Plimsoll) -> OperationStats {
    let operations = plimsoll.stats().operations;
    let found = operations.into_iter().find(|line| line.kind == "acquire");
    let found = found.unwrap();
    assert_eq!(found.labels, [("pool", "readings".to_owned())]);
    found
}

/// Count, errors, cancelled, in flight.
fn counts(line: &OperationStats) -> [u64; 4] {
    [line.count, line.errors, line.cancelled, line.in_flight]
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn bug() -> Answer {
    panic!("a bug in the query")
}

#[test]
fn handles_can_be_shared() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let plimsoll = new();
    shared(&plimsoll.db("devices"));
    shared(&plimsoll.pool("readings").unwrap());
}

#[tokio::test]
async fn results_come_back_unchanged_and_are_counted() {
    let plimsoll = new();
    let db = plimsoll.db("devices");
    assert_eq!(db.time("list", async { Answer::Ok(7) }).await, Ok(7));
    assert_eq!(
        db.time("list", async { Answer::Err("gone") }).await,
        Err("gone")
    );
    assert_eq!(counts(&line(&plimsoll, "list")), [2, 1, 0, 0]);
}

#[test]
fn blocking_queries_are_counted() {
    let plimsoll = new();
    let db = plimsoll.db("devices");
    assert_eq!(db.time_sync("list", || Answer::Ok(7)), Ok(7));
    assert_eq!(db.time_sync("list", || Answer::Err("gone")), Err("gone"));
    assert_eq!(counts(&line(&plimsoll, "list")), [2, 1, 0, 0]);
}

#[test]
fn a_guard_ends_once_in_each_way() {
    let plimsoll = new();
    let db = plimsoll.db("devices");
    db.guard("import").finish(&Answer::Ok(7));
    db.guard("import").finish(&Answer::Err("gone"));
    db.guard("import").finish_as(Outcome::Error);
    drop(db.guard("import"));
    let open = db.guard("import");
    assert_eq!(counts(&line(&plimsoll, "import")), [4, 2, 1, 1]);
    open.finish_as(Outcome::Ok);
    assert_eq!(counts(&line(&plimsoll, "import")), [5, 2, 1, 0]);
}

#[tokio::test]
async fn a_dropped_query_is_cancelled_and_an_unpolled_one_is_nothing() {
    let plimsoll = new();
    let db = plimsoll.db("devices");
    drop(db.time("list", async { Answer::Ok(7) }));
    assert_eq!(counts(&line(&plimsoll, "list")), [0, 0, 0, 0]);

    let endless = db.time("list", std::future::pending::<Answer>());
    let ended = tokio::time::timeout(Duration::from_millis(1), endless).await;
    assert!(ended.is_err());
    assert_eq!(counts(&line(&plimsoll, "list")), [1, 0, 1, 0]);
}

#[tokio::test]
async fn a_query_under_way_is_in_flight() {
    let plimsoll = new();
    let mut query = std::pin::pin!(
        plimsoll
            .db("devices")
            .time("list", std::future::pending::<Answer>())
    );
    assert!(poll_once(query.as_mut()).is_pending());
    assert_eq!(counts(&line(&plimsoll, "list")), [0, 0, 0, 1]);
}

#[test]
fn a_panic_is_an_error_even_where_it_is_caught_before_the_drop() {
    let plimsoll = new();
    let db = plimsoll.db("devices");
    let mut query = Box::pin(db.time("list", async { bug() }));
    let polled = catch_unwind(AssertUnwindSafe(|| poll_once(query.as_mut()).is_ready()));
    assert!(polled.is_err());
    drop(query);
    assert!(catch_unwind(AssertUnwindSafe(|| db.time_sync("list", bug))).is_err());
    assert_eq!(counts(&line(&plimsoll, "list")), [2, 2, 0, 0]);
}

#[test]
fn declared_operations_stand_at_zero_and_above_the_cap() {
    let plimsoll = new();
    for n in 0..1_000 {
        plimsoll
            .db("readings")
            .guard(&n.to_string())
            .finish_as(Outcome::Ok);
    }
    let db = plimsoll.db("devices");
    db.declare(["list", "insert"]);
    assert_eq!(counts(&line(&plimsoll, "list")), [0, 0, 0, 0]);
    assert_eq!(counts(&line(&plimsoll, "insert")), [0, 0, 0, 0]);
    db.guard("list").finish_as(Outcome::Ok);
    assert_eq!(counts(&line(&plimsoll, "list")), [1, 0, 0, 0]);
    db.guard("undeclared").finish_as(Outcome::Ok);
    let operations = plimsoll.stats().operations;
    let other = operations
        .iter()
        .find(|line| line.labels[0].1 == "other")
        .unwrap();
    assert_eq!(counts(other), [1, 0, 0, 0]);
}

#[test]
fn somebody_elses_duration_is_recorded_as_given() {
    let plimsoll = new();
    plimsoll.track_db_query("list", "devices", Duration::from_millis(40), Outcome::Ok);
    plimsoll.track_db_query("list", "devices", Duration::MAX, Outcome::Error);
    let list = line(&plimsoll, "list");
    assert_eq!(counts(&list), [2, 1, 0, 0]);
    let p50 = list.p50.unwrap();
    assert!((p50 - 0.040).abs() < 0.040 * 0.0055, "{p50}");
}

#[tokio::test]
async fn waits_for_a_connection_stand_at_zero_and_are_counted() {
    let plimsoll = new();
    let pool = plimsoll.pool("readings").unwrap();
    assert_eq!(counts(&waits(&plimsoll)), [0, 0, 0, 0]);
    assert_eq!(pool.acquire(async { Answer::Ok(7) }).await, Ok(7));
    assert_eq!(
        pool.acquire(async { Answer::Err("none free") }).await,
        Err("none free")
    );
    let endless = pool.acquire(std::future::pending::<Answer>());
    assert!(
        tokio::time::timeout(Duration::from_millis(1), endless)
            .await
            .is_err()
    );
    assert_eq!(counts(&waits(&plimsoll)), [3, 1, 1, 0]);
}

#[test]
fn a_pools_timeout_is_an_end_of_the_wait_and_in_no_sli_of_queries() {
    let plimsoll = new();
    let pool = plimsoll.pool("readings").unwrap();
    pool.begin().timed_out();
    pool.begin().finish(&Answer::Err("refused"));
    pool.begin().finish(&Answer::Ok(7));
    drop(pool.begin());
    assert_eq!(counts(&waits(&plimsoll)), [4, 2, 1, 0]);
    let page = plimsoll.render();
    for end in ["ok", "error", "pool_timeout", "cancelled"] {
        let line = format!("connection_wait_ends_total{{pool=\"readings\",end=\"{end}\"}} 1\n");
        assert!(page.contains(&line), "{end}");
    }
    assert!(page.contains("connection_timeouts_total{pool=\"readings\"} 1\n"));
    assert!(
        plimsoll
            .stats()
            .operations
            .iter()
            .all(|line| line.kind != "db")
    );
}
