//! What the layer for any tower service promises.

mod waiting;

use std::future::{pending, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll::service::MeasureLayer;
use plimsoll::{ManualClock, Outcome, Plimsoll};
use tower::{Layer, ServiceExt, service_fn};

fn plimsoll() -> Plimsoll {
    Plimsoll::builder().build().unwrap()
}

/// How many calls of `work` ended, failed, were cancelled and are under way.
fn counts(plimsoll: &Plimsoll) -> [u64; 4] {
    let operations = plimsoll.stats().operations;
    assert_eq!(operations.len(), 1);
    let work = &operations[0];
    assert_eq!(work.kind, "service");
    assert_eq!(work.labels, [("operation", "work".to_owned())]);
    [work.count, work.errors, work.cancelled, work.in_flight]
}

fn half(n: u32) -> Result<u32, String> {
    if n.is_multiple_of(2) {
        Ok(n / 2)
    } else {
        Err(format!("{n} is odd"))
    }
}

#[test]
fn handles_are_clones_for_any_thread() {
    fn handle<T: Clone + Send + Sync + std::fmt::Debug>(_: &T) {}
    let layer = MeasureLayer::new(&plimsoll(), "work");
    handle(&layer);
    handle(&layer.layer(()));
}

#[tokio::test]
async fn results_pass_unchanged_and_errors_are_counted() {
    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll, "work");
    assert_eq!(counts(&plimsoll), [0; 4], "it exists from the start");
    let service = layer.layer(service_fn(|n| ready(half(n))));
    assert_eq!(service.clone().oneshot(6).await, Ok(3));
    assert_eq!(service.oneshot(7).await, Err("7 is odd".to_owned()));
    assert_eq!(counts(&plimsoll), [2, 1, 0, 0]);
}

#[tokio::test]
async fn a_classifier_replaces_the_default() {
    let plimsoll = plimsoll();
    let tolerated = "7 is odd".to_owned();
    let layer =
        MeasureLayer::new(&plimsoll, "work").classify(move |result: &Result<u32, String>| {
            match result {
                Ok(0) => Outcome::Error,
                Err(error) if *error != tolerated => Outcome::Error,
                _ => Outcome::Ok,
            }
        });
    let service = layer.layer(service_fn(|n| ready(half(n))));
    for (n, errors) in [(6, 0), (7, 0), (9, 1), (0, 2)] {
        let _ = service.clone().oneshot(n).await;
        assert_eq!(counts(&plimsoll)[1], errors, "{n}");
    }
}

#[tokio::test]
async fn the_duration_is_that_of_the_future() {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder().clock(clock.clone()).build().unwrap();
    let service = MeasureLayer::new(&plimsoll, "work").layer(service_fn(|seconds| {
        clock.advance(Duration::from_secs(seconds));
        ready(Ok::<_, io::Error>(()))
    }));
    service.oneshot(2).await.unwrap();
    let p50 = plimsoll.stats().operations[0].p50.unwrap();
    assert!((p50 - 2.0).abs() < 2.0 * 0.0055, "{p50}");
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let plimsoll = plimsoll();
    let service = MeasureLayer::new(&plimsoll, "work")
        .layer(service_fn(|()| pending::<Result<(), io::Error>>()));
    let mut call = Box::pin(service.oneshot(()));
    assert!((&mut call).now_or_never().is_none());
    assert_eq!(counts(&plimsoll), [0, 0, 0, 1]);
    drop(call);
    assert_eq!(counts(&plimsoll), [1, 0, 1, 0]);
}

#[tokio::test]
async fn a_panicking_call_is_an_error_even_if_it_is_dropped_later() {
    fn explode() -> Result<(), io::Error> {
        std::panic::resume_unwind(Box::new("on purpose"))
    }
    let plimsoll = plimsoll();
    let service = MeasureLayer::new(&plimsoll, "work").layer(service_fn(|()| async { explode() }));
    let mut call = Box::pin(service.oneshot(()));
    let poll = AssertUnwindSafe(|| (&mut call).now_or_never());
    assert!(std::panic::catch_unwind(poll).is_err());
    assert_eq!(counts(&plimsoll), [1, 1, 0, 0]);
    drop(call);
    assert_eq!(counts(&plimsoll), [1, 1, 0, 0], "once only");
}
