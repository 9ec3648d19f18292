//! The status that each end is counted under, which the public counts do not show.

use std::future::{Future, Ready, ready};
use std::panic::AssertUnwindSafe;
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service, service_fn};

use super::*;
use crate::Plimsoll;
use crate::registry::Domain;

type Answer = Result<Response<Full<Bytes>>, &'static str>;

/// Calls a service once, polls its future once and drops whatever came out; returns what was counted.
fn ends(answer: impl Future<Output = Answer>) -> Vec<(Outcome, u16, u64)> {
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
    let series = operations[0].each_series();
    series
        .map(|series| (series.outcome, series.detail, series.histogram.count()))
        .collect()
}

fn response(status: u16, text: &'static str) -> Ready<Answer> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    ready(Ok(response))
}

#[test]
fn every_end_has_its_status() {
    assert_eq!(ends(response(201, "")), [(Outcome::Ok, 201, 1)]);
    assert_eq!(ends(response(404, "")), [(Outcome::Ok, 404, 1)]);
    assert_eq!(ends(response(503, "")), [(Outcome::Error, 503, 1)]);
    assert_eq!(
        ends(response(200, "unread")),
        [(Outcome::Cancelled, 499, 1)]
    );
    assert_eq!(ends(response(503, "unread")), [(Outcome::Error, 503, 1)]);
    assert_eq!(ends(ready(Err("refused"))), [(Outcome::Error, 0, 1)]);
    assert_eq!(ends(std::future::pending()), [(Outcome::Cancelled, 499, 1)]);
    let panics = async { std::panic::resume_unwind(Box::new("on purpose")) };
    assert_eq!(ends(panics), [(Outcome::Error, 500, 1)]);
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
    assert_eq!((series[0].outcome, series[0].detail), (Outcome::Ok, 200));
    assert_eq!(series[0].histogram.count(), 0);
}
