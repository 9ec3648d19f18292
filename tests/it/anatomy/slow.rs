//! The slow log: the slowest of each period, however many there are, and nobody waits for it.

use std::sync::{Mutex, mpsc};

use http::Request;
use plimsoll::{Outcome, SlowOperation, TraceId};
use tower::{Layer, Service, service_fn};

use super::*;

const SOON: Duration = Duration::from_secs(30);
const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A service that takes as many milliseconds as the header says, half of them in a query.
fn service<'a>(
    layer: &MeasureLayer,
    plimsoll: &'a Plimsoll,
    clock: &'a ManualClock,
) -> impl Service<Request<u64>, Response = Response<ResponseBody<Full<bytes::Bytes>>>, Error = ()>
+ use<'a> {
    layer.layer(service_fn(move |request: Request<u64>| async move {
        let took = *request.body();
        clock.advance(ms(took - took / 2));
        query(plimsoll, clock, ms(took / 2)).await;
        let mut response = Response::new(Full::new(bytes::Bytes::new()));
        if took == 500 {
            *response.status_mut() = http::StatusCode::BAD_GATEWAY;
        }
        Ok(response)
    }))
}

fn with_trace(took: u64, header: &str) -> Request<u64> {
    let request = Request::post("/secret/path?q=1").header("traceparent", header);
    request.body(took).unwrap()
}

fn took(slow: &[SlowOperation], kind: &str) -> Vec<u128> {
    let of_kind = slow.iter().filter(|slow| slow.kind == kind);
    of_kind.map(|slow| slow.duration.as_millis()).collect()
}

fn end_period(plimsoll: &Plimsoll, clock: &ManualClock) {
    clock.advance(Duration::from_secs(10));
    plimsoll.tick();
}

#[test]
fn the_slowest_of_a_period_are_kept_and_the_others_counted() {
    let (plimsoll, clock) = new();
    let mut service = service(&MeasureLayer::new(&plimsoll), &plimsoll, &clock);
    // 100 ms is the threshold: a request is slow above it.
    for took in [100, 101, 300, 150, 2, 120, 110, 400, 130, 130] {
        drop(at_once(service.call(Request::new(took))));
    }
    plimsoll.tick();
    assert_eq!(plimsoll.slowest(), [], "the period is not over");
    end_period(&plimsoll, &clock);
    let slow = plimsoll.slowest();
    assert_eq!(took(&slow, "http"), [400, 300, 150, 130, 130]);
    assert_eq!(took(&slow, "db"), [200, 150, 75, 65, 65]);
    let dropped = |label: &str| sample(&plimsoll, "plimsoll_slow_dropped_total", label);
    assert_eq!(dropped(r#"kind="http",reason="limit""#), Some(3.0));
    assert_eq!(dropped(r#"kind="db",reason="limit""#), Some(2.0));
    assert_eq!(dropped(r#"kind="http",reason="busy""#), Some(0.0));
    // In the next period everybody gets a chance again.
    drop(at_once(service.call(Request::new(101))));
    end_period(&plimsoll, &clock);
    assert_eq!(took(&plimsoll.slowest(), "http"), [101]);
    end_period(&plimsoll, &clock);
    assert_eq!(plimsoll.slowest(), []);
}

#[test]
fn a_line_says_what_is_known_of_the_request() {
    let (plimsoll, clock) = new();
    let layer = MeasureLayer::new(&plimsoll).anatomy().trace_ids();
    let mut service = service(&layer, &plimsoll, &clock);
    let header = format!("00-{ID}-00f067aa0ba902b7-01");
    drop(at_once(service.call(with_trace(500, &header))));
    end_period(&plimsoll, &clock);
    let slow = plimsoll.slowest();
    let id: Option<TraceId> = ID.parse().ok();
    assert_eq!(slow[0].labels[0], ("method", "POST".to_owned()));
    assert_eq!(slow[0].label("route"), "unmatched");
    assert_eq!(
        (slow[0].outcome, slow[0].end),
        (Outcome::Error, "server_error")
    );
    assert_eq!((slow[0].code, slow[0].trace_id), (Some(502), id));
    let anatomy = slow[0].anatomy.as_ref().unwrap();
    assert_eq!(anatomy.queries, 1);
    assert_eq!(anatomy.to_string(), "query=250ms rest=250ms");
    // The query of the request has its trace, and no anatomy.
    assert_eq!((slow[1].kind, slow[1].trace_id), ("db", id));
    assert_eq!((slow[1].code, &slow[1].anatomy), (None, &None));
    let created = plimsoll::export::Format::OpenMetrics { created: false };
    let page = String::from_utf8(plimsoll.render_as(created)).unwrap();
    assert!(
        page.contains(&format!("# {{trace_id=\"{ID}\"}} 0.5 ")),
        "{page}"
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_line_can_be_serialized() {
    let (plimsoll, clock) = new();
    let layer = MeasureLayer::new(&plimsoll).anatomy().trace_ids();
    let mut service = service(&layer, &plimsoll, &clock);
    let header = format!("00-{ID}-00f067aa0ba902b7-01");
    drop(at_once(service.call(with_trace(200, &header))));
    end_period(&plimsoll, &clock);
    let json = serde_json::to_value(&plimsoll.slowest()[0]).unwrap();
    assert_eq!(json["trace_id"], ID);
    assert_eq!(json["outcome"], "ok");
    assert_eq!(json["anatomy"]["parts"][0]["stage"], "query");
    assert_eq!(json["anatomy"]["parts"][0]["share"], 0.5);
}

#[test]
fn what_is_no_trace_is_none() {
    let (plimsoll, clock) = new();
    let layer = MeasureLayer::new(&plimsoll).trace_ids();
    let mut service = service(&layer, &plimsoll, &clock);
    for header in [
        "garbage",
        "",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ] {
        drop(at_once(service.call(with_trace(200, header))));
    }
    let mut opaque = with_trace(200, "");
    let bytes = http::HeaderValue::from_bytes(b"00-\xff\xfe").unwrap();
    opaque.headers_mut().insert("traceparent", bytes);
    drop(at_once(service.call(opaque)));
    drop(at_once(service.call(Request::new(200))));
    end_period(&plimsoll, &clock);
    let slow = plimsoll.slowest();
    assert_eq!(took(&slow, "http"), [200; 5]);
    assert!(slow.iter().all(|slow| slow.trace_id.is_none()));
}

#[test]
fn a_trace_may_come_from_anywhere_and_its_panic_is_the_requests() {
    let (plimsoll, clock) = new();
    let layer = MeasureLayer::new(&plimsoll).trace_id(|head| {
        assert_eq!(head.method(), "POST");
        let id = head.headers().get("traceparent")?.to_str().unwrap();
        if id == "panic" {
            std::panic::resume_unwind(Box::new("on purpose"));
        }
        id.parse().ok()
    });
    let mut service = service(&layer, &plimsoll, &clock);
    drop(at_once(service.call(with_trace(200, ID))));
    let panicking = AssertUnwindSafe(|| drop(service.call(with_trace(200, "panic"))));
    assert!(catch_unwind(panicking).is_err());
    end_period(&plimsoll, &clock);
    let slow = plimsoll.slowest();
    assert_eq!(
        (slow[0].trace_id, &slow[0].anatomy),
        (ID.parse().ok(), &None)
    );
    let requests = &plimsoll.stats().operations[0];
    assert_eq!(
        (requests.count, requests.errors, requests.in_flight),
        (2, 1, 0)
    );
}

#[test]
fn callbacks_that_panic_or_block_hurt_nobody() {
    let clock = ManualClock::new();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let (sender, received) = mpsc::channel();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .slow_log(2, Duration::from_secs(10))
        .on_slow(|_| std::panic::resume_unwind(Box::new("on purpose")))
        .on_slow(move |_| {
            blocked.lock().unwrap().recv().ok();
        })
        .on_slow(move |slow| sender.send((slow.kind, slow.duration)).expect("heard"))
        .build()
        .unwrap();
    let mut service = service(&MeasureLayer::new(&plimsoll), &plimsoll, &clock);
    for period in 1..=3 {
        for took in 1..=8 {
            drop(at_once(
                service.call(Request::new(10 * period + took + 100)),
            ));
        }
        end_period(&plimsoll, &clock);
        let slowest = 10 * period + 108;
        let expected = [
            ("http", ms(slowest)),
            ("http", ms(slowest - 1)),
            ("db", ms(slowest / 2)),
            ("db", ms((slowest - 1) / 2)),
        ];
        for slow in expected {
            assert_eq!(received.recv_timeout(SOON), Ok(slow));
        }
    }
    drop(release);
    assert!(plimsoll.flush(SOON));
    let panics = |subscriber: &str| {
        let label = format!("subscriber=\"{subscriber}\"");
        sample(&plimsoll, "plimsoll_callback_panics_total", &label)
    };
    assert_eq!(panics("on_slow"), Some(12.0));
    assert_eq!(panics("on_slow_3"), Some(0.0));
}

#[test]
fn what_a_period_brought_is_told_when_the_instance_ends() {
    let clock = ManualClock::new();
    let (sender, received) = mpsc::channel();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .on_slow(move |slow| sender.send(slow.kind).expect("heard"))
        .build()
        .unwrap();
    plimsoll.track_db_query("list", "devices", ms(51), Outcome::Ok);
    plimsoll.track_db_query("list", "devices", ms(50), Outcome::Ok);
    drop(plimsoll);
    assert_eq!(received.recv_timeout(SOON), Ok("db"));
    assert!(received.recv_timeout(SOON).is_err(), "nothing else");
}

#[test]
fn it_can_be_turned_off_and_its_mistakes_are_named() {
    let never = |_: &SlowOperation| panic!("it is off");
    let builder = Plimsoll::builder().clock(ManualClock::new()).manual_tick();
    let off = builder.slow_log(0, Duration::ZERO).on_slow(never);
    let off = off.build().unwrap();
    off.track_db_query("list", "devices", ms(5_000), Outcome::Ok);
    off.tick();
    assert_eq!(off.slowest(), []);
    assert!(!off.render().contains("plimsoll_slow_dropped_total"));
    let slow = sample(&off, "db_client_slow_operations_total", "list");
    assert_eq!(slow, Some(1.0), "the counter goes on");
    for (count, period, message) in [
        (
            1_001,
            10,
            "slow_log 1001 at a time are too many: at most 1000",
        ),
        (5, 0, "slow_log has no period: give it a second or more"),
    ] {
        let wrong = Plimsoll::builder().slow_log(count, Duration::from_secs(period));
        let error = wrong.build().unwrap_err();
        assert_eq!(error.problems()[0].to_string(), message);
    }
}

#[test]
fn many_threads_keep_the_slowest_and_lose_none_uncounted() {
    let (plimsoll, clock) = new();
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let plimsoll = &plimsoll;
            threads.spawn(move || {
                for nth in 0..1_000 {
                    let took = ms(100 + nth * 4 + thread);
                    plimsoll.track_db_query("list", "devices", took, Outcome::Ok);
                }
            });
        }
    });
    end_period(&plimsoll, &clock);
    let kept = plimsoll.slowest();
    assert!(kept.is_sorted_by(|a, b| a.duration >= b.duration));
    let dropped = |label: &str| sample(&plimsoll, "plimsoll_slow_dropped_total", label).unwrap();
    let dropped = dropped(r#"kind="db",reason="limit""#) + dropped(r#"kind="db",reason="busy""#);
    assert_eq!(dropped as usize + kept.len(), 4_000);
}

#[cfg(feature = "tracing")]
#[test]
fn a_line_goes_to_tracing_and_holds_nothing_of_the_clients() {
    let ((plimsoll, clock), log) = crate::log::listening(new);
    let layer = MeasureLayer::new(&plimsoll).anatomy().trace_ids();
    let mut service = service(&layer, &plimsoll, &clock);
    let header = format!("00-{ID}-00f067aa0ba902b7-01");
    drop(at_once(service.call(with_trace(500, &header))));
    end_period(&plimsoll, &clock);
    assert!(plimsoll.flush(SOON));
    let expected = format!(
        " WARN plimsoll::slow: slow request method=\"POST\" route=\"unmatched\" status=502 end=\"server_error\" \
         duration=0.5 trace_id={ID} queries=1 anatomy=query=250ms rest=250ms\n \
         WARN plimsoll::slow: slow query operation=\"list\" model=\"devices\" query=\"list devices\" end=\"ok\" duration=0.25 trace_id={ID}\n"
    );
    assert_eq!(log.text(), expected);
}
