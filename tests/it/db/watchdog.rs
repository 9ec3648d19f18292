//! Queries that are still running are told of while they run.

use std::pin::Pin;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use plimsoll::{ManualClock, Outcome, Plimsoll, RunningQuery};

const LIMIT: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(20);

fn watched() -> (Plimsoll, ManualClock, Receiver<RunningQuery>) {
    let (clock, (send, received)) = (ManualClock::new(), channel());
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .query_watchdog(LIMIT, move |query| send.send(query.clone()).unwrap())
        .build()
        .unwrap();
    (plimsoll, clock, received)
}

/// A tick so much later, and what it brought.
fn after(
    (plimsoll, clock, received): &(Plimsoll, ManualClock, Receiver<RunningQuery>),
    time: Duration,
) -> Vec<String> {
    clock.advance(time);
    plimsoll.tick();
    assert!(plimsoll.flush(SOON));
    received
        .try_iter()
        .map(|query| query.name().to_owned())
        .collect()
}

fn total(plimsoll: &Plimsoll) -> Option<String> {
    let page = plimsoll.render();
    let mut lines = page.lines();
    let line = lines.find_map(|line| line.strip_prefix("plimsoll_queries_overdue_total "));
    line.map(str::to_owned)
}

#[test]
fn a_query_past_its_limit_is_told_of_once_while_it_runs() {
    let instance = watched();
    let (plimsoll, clock, _) = &instance;
    let shop = plimsoll.database("shop").open();
    let slow = shop.begin_sql("SELECT * FROM orders", None);
    let by_hand = plimsoll.db("devices").guard("list");
    assert_eq!(after(&instance, LIMIT), [""; 0]);
    by_hand.finish_as(Outcome::Ok);
    assert_eq!(after(&instance, Duration::from_secs(1)), ["SELECT orders"]);
    assert_eq!(after(&instance, Duration::from_secs(60)), [""; 0]);
    assert_eq!(total(plimsoll).as_deref(), Some("1"));
    slow.finish_as(Outcome::Ok);
    let next = shop.begin_sql("SELECT 1", Some("ping"));
    clock.advance(LIMIT);
    assert_eq!(after(&instance, Duration::from_secs(1)), ["ping"]);
    drop(next);
    assert_eq!(after(&instance, Duration::from_secs(60)), [""; 0]);
    assert_eq!(total(plimsoll).as_deref(), Some("2"));
}

#[test]
fn it_says_what_is_running_and_for_how_long() {
    let instance = watched();
    let (plimsoll, clock, received) = &instance;
    let _query = plimsoll.db("devices").guard("list");
    clock.advance(LIMIT + Duration::from_secs(2));
    plimsoll.tick();
    let query = received.recv_timeout(SOON).unwrap();
    assert_eq!(query.age, Duration::from_secs(7));
    assert_eq!(query.trace_id, None);
    let labels: Vec<_> = query
        .labels
        .iter()
        .map(|(key, value)| (*key, &**value))
        .collect();
    let expected = [
        ("operation", "list"),
        ("model", "devices"),
        ("query", "list devices"),
    ];
    assert_eq!(labels, expected);
}

#[cfg(feature = "http")]
#[test]
fn it_says_which_trace_waits_for_it() {
    use std::convert::Infallible;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use http::{Request, Response};
    use http_body_util::Full;
    use plimsoll::TraceId;
    use plimsoll::http::MeasureLayer;
    use tower::{Layer, Service, service_fn};

    let instance = watched();
    let (plimsoll, clock, received) = &instance;
    let db = plimsoll.db("devices");
    let handler = service_fn(|_: Request<()>| {
        let query = db.time("list", std::future::pending::<Result<(), ()>>());
        async {
            query.await.ok();
            Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::default()))
        }
    });
    let mut service = MeasureLayer::new(plimsoll).trace_ids().layer(handler);
    let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let request = Request::builder().header("traceparent", header);
    let mut response = pin!(service.call(request.body(()).unwrap()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(response.as_mut().poll(&mut context).is_pending());
    clock.advance(LIMIT + Duration::from_secs(1));
    plimsoll.tick();
    let query = received.recv_timeout(SOON).unwrap();
    assert_eq!(query.trace_id, TraceId::from_traceparent(header));
    assert!(query.trace_id.is_some());
}

#[test]
fn every_door_is_watched() {
    let instance = watched();
    let plimsoll = &instance.0;
    let (db, shop) = (plimsoll.db("devices"), plimsoll.database("shop").open());
    let never = std::future::pending::<Result<(), ()>>;
    let mut futures = [
        Box::pin(db.time("list", never())) as Pin<Box<dyn Future<Output = Result<(), ()>>>>,
        Box::pin(shop.time_sql("DELETE FROM carts", never())),
    ];
    for future in &mut futures {
        assert!(crate::db::poll_once(future.as_mut()).is_pending());
    }
    let _begun = (
        db.guard("count"),
        shop.begin_sql("SELECT 1 FROM a JOIN b", None),
        shop.begin_bytes(b"UPDATE \xff SET a = 1", Some("bytes")),
    );
    db.time_sync("sync", || {
        let mut running = after(&instance, LIMIT + Duration::from_secs(1));
        running.sort_unstable();
        let expected = [
            "DELETE carts",
            "SELECT a b",
            "bytes",
            "count devices",
            "list devices",
            "sync devices",
        ];
        assert_eq!(running, expected);
        Ok::<_, ()>(())
    })
    .unwrap();
}

#[cfg(all(feature = "tracing", feature = "config", feature = "axum"))]
#[test]
fn it_goes_to_tracing_and_its_limit_may_come_from_the_configuration() {
    let clock = ManualClock::new();
    let (plimsoll, log) = crate::log::listening(|| {
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = builder.toml("thresholds = { query_watchdog = \"2s\" }");
        builder.build().unwrap()
    });
    let shop = plimsoll.database("shop").open();
    let _query = shop.begin_sql("SELECT * FROM orders WHERE secret = 'x'", None);
    clock.advance(Duration::from_secs(3));
    plimsoll.tick();
    assert!(plimsoll.flush(SOON));
    let expected =
        " WARN plimsoll::watchdog: query still running query=\"SELECT orders\" age=3.0\n";
    assert_eq!(log.text(), expected);
    assert_eq!(total(&plimsoll).as_deref(), Some("1"));
}

#[cfg(feature = "config")]
#[test]
fn a_limit_of_the_configuration_wins_and_keeps_the_callback() {
    let (clock, (send, received)) = (ManualClock::new(), channel());
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .toml("thresholds = { query_watchdog = \"2s\" }")
        .query_watchdog(LIMIT, move |query| send.send(query.age).unwrap())
        .build()
        .unwrap();
    let _query = plimsoll.db("devices").guard("list");
    clock.advance(Duration::from_secs(3));
    plimsoll.tick();
    assert_eq!(received.recv_timeout(SOON), Ok(Duration::from_secs(3)));
}

#[test]
fn without_a_watchdog_there_is_no_counter_of_it() {
    let plimsoll = Plimsoll::builder().build().unwrap();
    assert_eq!(total(&plimsoll), None);
}

#[test]
fn no_limit_is_a_mistake() {
    let built = Plimsoll::builder()
        .query_watchdog(Duration::ZERO, |_| {})
        .build();
    assert!(built.unwrap_err().to_string().contains("query_watchdog"));
}
