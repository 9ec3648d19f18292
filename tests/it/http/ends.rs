//! How a request ends, and when.

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use plimsoll::http::{MeasureLayer, ResponseBody};
use plimsoll::{ManualClock, Plimsoll};
use tower::{Layer, ServiceExt, service_fn};

use super::{line, lines, plimsoll};

type Part = io::Result<Frame<Bytes>>;

fn data(text: &'static str) -> Part {
    Ok(Frame::data(Bytes::from_static(text.as_bytes())))
}

/// These frames, and then nothing more for ever.
fn unending(parts: Vec<Part>) -> impl Body<Data = Bytes, Error = io::Error> + Unpin {
    StreamBody::new(stream::iter(parts).chain(stream::pending()))
}

/// What a request of this method gets when the service answers with `response`.
async fn answer<B: Body>(
    plimsoll: &Plimsoll,
    method: &str,
    response: Response<B>,
) -> Response<ResponseBody<B>> {
    let mut response = Some(response);
    let service =
        service_fn(move |_: Request<()>| ready(Ok::<_, Infallible>(response.take().unwrap())));
    let request = Request::builder().method(method).body(()).unwrap();
    let measured = MeasureLayer::new(plimsoll).layer(service);
    measured.oneshot(request).await.unwrap()
}

fn counts(plimsoll: &Plimsoll) -> [u64; 4] {
    let lines = lines(plimsoll);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].1
}

#[tokio::test]
async fn the_duration_goes_to_the_end_of_the_body() {
    let clock = ManualClock::new();
    let plimsoll = Plimsoll::builder().clock(clock.clone()).build().unwrap();
    let body = StreamBody::new(stream::iter([data("a"), data("b")]));
    let mut body = answer(&plimsoll, "GET", Response::new(body))
        .await
        .into_body();
    clock.advance(Duration::from_secs(1));
    body.frame().await.unwrap().unwrap();
    clock.advance(Duration::from_secs(2));
    assert_eq!(counts(&plimsoll), [0, 0, 0, 1], "still streaming");
    body.frame().await.unwrap().unwrap();
    assert!(body.frame().await.is_none());
    clock.advance(Duration::from_secs(4));
    drop(body);
    assert_eq!(counts(&plimsoll), [1, 0, 0, 0]);
    let p50 = plimsoll.stats().operations[0].p50.unwrap();
    assert!((p50 - 3.0).abs() < 3.0 * 0.0055, "{p50}");
}

#[tokio::test]
async fn a_body_that_says_it_is_over_needs_no_further_poll() {
    let plimsoll = plimsoll();
    let mut body = answer(&plimsoll, "GET", Response::new(Full::new(Bytes::from("a"))))
        .await
        .into_body();
    assert_eq!(counts(&plimsoll), [0, 0, 0, 1]);
    body.frame().await.unwrap().unwrap();
    assert_eq!(counts(&plimsoll), [1, 0, 0, 0], "before the drop");
}

#[tokio::test]
async fn without_a_body_on_the_wire_the_headers_are_the_end() {
    let plimsoll = plimsoll();
    let empty = answer(&plimsoll, "GET", Response::new(Full::<Bytes>::default())).await;
    assert_eq!(counts(&plimsoll), [1, 0, 0, 0]);
    drop(empty);
    for (method, status) in [
        ("GET", 101),
        ("GET", 204),
        ("GET", 304),
        ("HEAD", 200),
        ("HEAD", 404),
        ("CONNECT", 200),
    ] {
        let plimsoll = super::plimsoll();
        let mut response = Response::new(unending(vec![]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let response = answer(&plimsoll, method, response).await;
        assert_eq!(counts(&plimsoll), [1, 0, 0, 0], "{method} {status}");
        drop(response);
        assert_eq!(counts(&plimsoll), [1, 0, 0, 0], "once only");
    }
}

#[tokio::test]
async fn a_server_error_is_an_error_and_a_client_error_is_not() {
    for (status, errors) in [(200, 0), (404, 0), (499, 0), (500, 1), (503, 1)] {
        let plimsoll = plimsoll();
        let mut response = Response::new(Full::new(Bytes::from("a")));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let body = answer(&plimsoll, "GET", response).await.into_body();
        body.collect().await.unwrap();
        assert_eq!(counts(&plimsoll), [1, errors, 0, 0], "{status}");
    }
}

#[tokio::test]
async fn a_body_dropped_half_way_is_cancelled_unless_the_service_had_failed() {
    for (status, expected) in [
        (200, [1, 0, 1, 0]),
        (404, [1, 0, 1, 0]),
        (503, [1, 1, 0, 0]),
    ] {
        let plimsoll = plimsoll();
        let mut response = Response::new(unending(vec![data("half")]));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let mut body = answer(&plimsoll, "GET", response).await.into_body();
        body.frame().await.unwrap().unwrap();
        assert_eq!(counts(&plimsoll), [0, 0, 0, 1]);
        drop(body);
        assert_eq!(counts(&plimsoll), expected, "{status}");
    }
}

#[tokio::test]
async fn a_body_dropped_after_its_announced_bytes_is_finished() {
    for (length, expected) in [
        ("4", [1, 0, 0, 0]),
        ("0", [1, 0, 0, 0]),
        ("5", [1, 0, 1, 0]),
    ] {
        let plimsoll = plimsoll();
        let response = Response::builder()
            .header("content-length", length)
            .body(unending(vec![data("ab"), data("cd")]))
            .unwrap();
        let mut body = answer(&plimsoll, "GET", response).await.into_body();
        body.frame().await.unwrap().unwrap();
        body.frame().await.unwrap().unwrap();
        assert_eq!(counts(&plimsoll), [0, 0, 0, 1], "trailers may follow");
        drop(body);
        assert_eq!(counts(&plimsoll), expected, "{length}");
    }
    let plimsoll = plimsoll();
    let none = Response::builder().header("content-length", "0");
    drop(answer(&plimsoll, "GET", none.body(unending(vec![])).unwrap()).await);
    assert_eq!(counts(&plimsoll), [1, 0, 0, 0], "never polled at all");

    let plimsoll = super::plimsoll();
    let sized =
        Full::new(Bytes::from("four")).with_trailers(pending::<Option<Result<_, Infallible>>>());
    let mut body = answer(&plimsoll, "GET", Response::new(sized))
        .await
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert_eq!(
        counts(&plimsoll),
        [1, 0, 0, 0],
        "announced by the size hint"
    );
}

#[tokio::test]
async fn a_failing_body_is_an_error() {
    let plimsoll = plimsoll();
    let broken = unending(vec![data("a"), Err(io::Error::other("disk on fire"))]);
    let body = answer(&plimsoll, "GET", Response::new(broken))
        .await
        .into_body();
    let error = body.collect().await.unwrap_err();
    assert_eq!(error.to_string(), "disk on fire");
    assert_eq!(counts(&plimsoll), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_service_error_is_counted_and_returned() {
    let plimsoll = plimsoll();
    let service = MeasureLayer::new(&plimsoll).layer(service_fn(|_: Request<()>| {
        ready(Err::<Response<String>, _>(io::Error::other("no such host")))
    }));
    let error = service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(error.to_string(), "no such host");
    assert_eq!(counts(&plimsoll), [1, 1, 0, 0]);
}

#[tokio::test]
async fn a_request_dropped_before_its_headers_is_cancelled() {
    let plimsoll = plimsoll();
    let service = service_fn(|_: Request<()>| pending::<Result<Response<String>, Infallible>>());
    let mut under_way = Box::pin(
        MeasureLayer::new(&plimsoll)
            .layer(service)
            .oneshot(Request::new(())),
    );
    assert!((&mut under_way).now_or_never().is_none());
    assert_eq!(counts(&plimsoll), [0, 0, 0, 1]);
    drop(under_way);
    assert_eq!(lines(&plimsoll), [line("GET unmatched", [1, 0, 1, 0])]);
}

/// Polls once; a panic is caught as a middleware would, and what panicked is dropped only later.
fn poll_caught<F: Future>(future: F, check: impl FnOnce()) {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    let poll = AssertUnwindSafe(|| future.as_mut().poll(&mut cx));
    assert!(std::panic::catch_unwind(poll).is_err());
    check();
}

#[tokio::test]
async fn a_panic_is_an_error_wherever_it_strikes() {
    fn explode<T>() -> T {
        std::panic::resume_unwind(Box::new("on purpose"))
    }
    type Answer = Result<Response<String>, Infallible>;

    let plimsoll = plimsoll();
    let layer = MeasureLayer::new(&plimsoll);
    let at_once = service_fn(|_: Request<()>| explode::<std::future::Ready<Answer>>());
    poll_caught(layer.layer(at_once).oneshot(Request::new(())), || {
        assert_eq!(counts(&plimsoll), [1, 1, 0, 0], "in the call");
    });
    let polled = service_fn(|_: Request<()>| async { explode::<Answer>() });
    poll_caught(layer.layer(polled).oneshot(Request::new(())), || {
        assert_eq!(counts(&plimsoll), [2, 2, 0, 0], "in the future");
    });
    let body = StreamBody::new(stream::poll_fn(|_| explode::<Poll<Option<Part>>>()));
    let mut body = answer(&plimsoll, "GET", Response::new(body))
        .await
        .into_body();
    poll_caught(body.frame(), || {
        assert_eq!(counts(&plimsoll), [3, 3, 0, 0], "in the body");
    });
}
