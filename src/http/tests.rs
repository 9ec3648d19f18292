//! The status that each end is counted under, which the public counts do not show.

use std::future::{Future, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::Plimsoll;
use crate::registry::{Domain, Outcome};

type Answer = Result<Response<Full<Bytes>>, &'static str>;

/// Calls a service once, polls its future once and drops whatever came out; how that was counted, which is once.
fn end_of(answer: impl Future<Output = Answer>) -> (Outcome, u16, &'static str) {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let mut answer = Some(answer);
    let mut service = MeasureLayer::new(&plimsoll).layer(service_fn(|_: Request<()>| {
        answer.take().expect("one call")
    }));
    let mut future = Box::pin(service.call(Request::new(())));
    let mut cx = Context::from_waker(Waker::noop());
    let poll = AssertUnwindSafe(|| drop(future.as_mut().poll(&mut cx)));
    let _ = std::panic::catch_unwind(poll);
    drop(future);
    let set = plimsoll.registry().set(Domain::Http);
    let operations = set.operations();
    assert_eq!(operations.len(), 1);
    let series: Vec<_> = operations[0].each_series().collect();
    assert_eq!((series.len(), series[0].histogram.count()), (1, 1));
    let end = series[0].end;
    (end.outcome, end.code, end.as_str())
}

fn response(status: u16, text: &'static str) -> Ready<Answer> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    ready(Ok(response))
}

#[test]
fn every_end_has_its_status_and_its_word() {
    use Outcome::{Cancelled, Error, Ok};
    assert_eq!(end_of(response(201, "")), (Ok, 201, "ok"));
    assert_eq!(end_of(response(101, "")), (Ok, 101, "upgraded"));
    assert_eq!(end_of(response(404, "")), (Ok, 404, "client_error"));
    assert_eq!(end_of(response(503, "")), (Error, 503, "server_error"));
    let unread = end_of(response(200, "unread"));
    assert_eq!(unread, (Cancelled, 499, "body_dropped"));
    let unread = end_of(response(503, "unread"));
    assert_eq!(unread, (Error, 503, "server_error"));
    let refused = end_of(ready(Err("refused")));
    assert_eq!(refused, (Error, 0, "service_error"));
    let pending = end_of(std::future::pending());
    assert_eq!(pending, (Cancelled, 499, "cancelled"));
    let panics = async { std::panic::resume_unwind(Box::new("on purpose")) };
    assert_eq!(end_of(panics), (Error, 500, "panic"));
}

#[test]
fn a_declared_route_has_a_series_of_its_own_at_zero() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let _layer = MeasureLayer::new(&plimsoll).declare_routes([("get", "/a")]);
    let operations = plimsoll.registry().set(Domain::Http).operations();
    let labels: Vec<&str> = operations[0]
        .labels()
        .iter()
        .map(|label| &**label)
        .collect();
    assert_eq!(labels, ["_OTHER", "/a"], "methods are case-sensitive");
    let series: Vec<_> = operations[0].each_series().collect();
    assert_eq!(
        (series[0].end.outcome, series[0].end.code),
        (Outcome::Ok, 200)
    );
    assert_eq!(series[0].histogram.count(), 0);
}

#[test]
fn a_body_may_outlive_everything_that_made_it() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let registry = Arc::downgrade(plimsoll.registry());
    let mut service = MeasureLayer::new(&plimsoll).layer(service_fn(|_: Request<()>| {
        response(200, "still to be read")
    }));
    let mut future = Box::pin(service.call(Request::new(())));
    drop((service, plimsoll));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("it is ready");
    };
    drop(future);
    let kept = registry.upgrade().expect("the body keeps it");
    let operation = kept.set(Domain::Http).operations().remove(0);
    assert_eq!(operation.in_flight(&operation.reading()), 1);
    drop(kept);
    std::thread::spawn(move || drop(response))
        .join()
        .expect("no panic");
    assert_eq!(operation.in_flight(&operation.reading()), 0);
    assert!(registry.upgrade().is_none(), "nobody else does");
}

#[test]
fn one_service_answers_on_many_threads() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let layer = MeasureLayer::new(&plimsoll);
    let service = layer.layer(service_fn(|_: Request<()>| response(204, "")));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut service = service.clone();
            scope.spawn(move || {
                let mut cx = Context::from_waker(Waker::noop());
                for _ in 0..1_000 {
                    let future = std::pin::pin!(service.call(Request::new(())));
                    assert!(future.poll(&mut cx).is_ready());
                }
            });
        }
    });
    let operation = plimsoll.registry().set(Domain::Http).operations().remove(0);
    let series = operation.each_series().next().expect("one series");
    assert_eq!(series.histogram.count(), 4_000);
    assert_eq!(operation.in_flight(&operation.reading()), 0);
}

#[test]
fn a_layer_does_not_keep_its_instance_and_lets_requests_through_without_it() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let registry = Arc::downgrade(plimsoll.registry());
    let layer = MeasureLayer::new(&plimsoll).exclude(["/health"]);
    let mut service = layer.layer(service_fn(|_: Request<()>| response(200, "not counted")));
    drop(plimsoll);
    assert!(registry.upgrade().is_none());
    let mut future = Box::pin(service.call(Request::new(())));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut cx) else {
        panic!("it is ready");
    };
    assert_eq!(response.status(), 200);
    let _layer = layer.declare_routes([("GET", "/a")]).first_byte();
}

#[test]
fn layers_of_one_kind_take_memory_once() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let other = Plimsoll::builder().build().expect("defaults");
    let share = share::Share::new(&plimsoll);
    let excluding = |route: &str| share.with(|settings| settings.excluded.push(route.to_owned()));
    assert!(std::ptr::eq(share, share::Share::new(&plimsoll)));
    assert!(std::ptr::eq(excluding("/a"), excluding("/a")));
    assert!(!std::ptr::eq(excluding("/a"), excluding("/b")));
    assert!(!std::ptr::eq(
        share,
        share.with(|settings| settings.first_byte = true)
    ));
    assert!(!std::ptr::eq(share, share::Share::new(&other)));
}
