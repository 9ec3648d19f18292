//! Where a request's time goes: exact parts, whichever way it ends, and never another request's.

#[cfg(feature = "modbus")]
mod device;
mod queries;
mod slow;

use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full};
use plimsoll::http::{MeasureLayer, ResponseBody, ResponseFuture};
use plimsoll::{ManualClock, Plimsoll, scope, stage};
use tower::{Layer, Service, ServiceExt, service_fn};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn new() -> (Plimsoll, ManualClock) {
    let clock = ManualClock::new();
    let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    (builder.build().unwrap(), clock)
}

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// The value of the one sample that begins like this and has this in its labels.
fn sample(plimsoll: &Plimsoll, name: &str, label: &str) -> Option<f64> {
    let page = plimsoll.render();
    let mut lines = page.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('{')) && line.contains(label)
    });
    let value = lines.next()?.rsplit(' ').next()?.parse().ok();
    assert_eq!(lines.next(), None, "of {name} with {label}");
    value
}

/// Milliseconds and share of a part, summed over all requests.
fn part(plimsoll: &Plimsoll, route: &str, stage: &str) -> Option<(f64, f64)> {
    let label = format!("http_route=\"{route}\",stage=\"{stage}\"");
    let seconds = sample(plimsoll, "http_server_stage_duration_seconds_sum", &label)?;
    let share = sample(plimsoll, "http_server_stage_share_sum", &label)?;
    Some(((seconds * 1e6).round() / 1e3, (share * 1e6).round() / 1e6))
}

/// A query that takes so long.
async fn query(plimsoll: &Plimsoll, clock: &ManualClock, took: Duration) {
    let work = async {
        clock.advance(took);
        Ok::<_, ()>(())
    };
    plimsoll.db("devices").time("list", work).await.unwrap();
}

fn at_once<F: Future>(future: F) -> F::Output {
    pin!(future).now_or_never().unwrap()
}

#[test]
fn what_the_layer_wraps_stays_send_and_sync() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    type Answer = Result<Response<Full<bytes::Bytes>>, ()>;
    shared::<ResponseFuture<std::future::Ready<Answer>>>();
    shared::<ResponseBody<Full<bytes::Bytes>>>();
    shared::<plimsoll::scope::Stage>();
    sent::<ResponseFuture<Pin<Box<dyn Future<Output = Answer> + Send>>>>();
    fn unpin<T: Unpin>() {}
    unpin::<ResponseFuture<std::future::Ready<Answer>>>();
    unpin::<ResponseBody<Full<bytes::Bytes>>>();
}

#[test]
fn the_parts_of_a_request_add_up_to_its_duration() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let handler = move || async move {
        {
            let _auth = stage("auth");
            time.advance(ms(5));
            query(&shared, &time, ms(20)).await;
        }
        query(&shared, &time, ms(10)).await;
        let load = async {
            time.advance(ms(40));
            7
        };
        assert_eq!(scope::time("load", load).await, 7);
        time.advance(ms(25));
        "done"
    };
    let app = Router::new()
        .route("/a", get(handler))
        .layer(MeasureLayer::new(&plimsoll).anatomy());
    let response = at_once(app.oneshot(request("/a"))).unwrap();
    at_once(response.into_body().collect()).unwrap();
    let expected = [
        ("query", Some((30.0, 0.3))),
        ("auth", Some((5.0, 0.05))),
        ("load", Some((40.0, 0.4))),
        ("rest", Some((25.0, 0.25))),
        ("device", None),
        ("other", None),
    ];
    for (stage, numbers) in expected {
        assert_eq!(part(&plimsoll, "/a", stage), numbers, "{stage}");
    }
    let queries = |name: &str| sample(&plimsoll, name, "/a");
    assert_eq!(queries("http_server_request_queries_sum"), Some(2.0));
    assert_eq!(queries("http_server_request_queries_count"), Some(1.0));
}

#[test]
fn a_cancelled_request_keeps_its_parts_and_its_cancelled_query() {
    let (plimsoll, clock) = new();
    let shared = plimsoll.clone();
    let handler = move || async move {
        let _wait = stage("wait");
        let never = pending::<Result<(), ()>>();
        shared.db("devices").time("list", never).await.ok();
    };
    let app = Router::new()
        .route("/a", get(handler))
        .layer(MeasureLayer::new(&plimsoll).anatomy());
    let mut future = Box::pin(app.oneshot(request("/a")));
    assert!(future.as_mut().now_or_never().is_none());
    clock.advance(ms(30));
    // On another thread, as a server's shutdown may do it.
    std::thread::spawn(move || drop(future)).join().unwrap();
    assert_eq!(part(&plimsoll, "/a", "query"), Some((30.0, 1.0)));
    assert_eq!(part(&plimsoll, "/a", "wait"), Some((0.0, 0.0)));
    assert_eq!(part(&plimsoll, "/a", "rest"), Some((0.0, 0.0)));
    assert_eq!(plimsoll.stats().operations[0].cancelled, 1);
}

/// Two frames, each of which takes a query; a third one never comes.
struct Rows(Plimsoll, ManualClock, u32);

impl http_body::Body for Rows {
    type Data = bytes::Bytes;
    type Error = ();

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<bytes::Bytes>, ()>>> {
        self.2 += 1;
        if self.2 > 2 {
            return Poll::Pending;
        }
        let Self(plimsoll, clock, _) = &*self;
        at_once(query(plimsoll, clock, ms(10)));
        Poll::Ready(Some(Ok(Frame::data(bytes::Bytes::from_static(b"row")))))
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        at_once(query(&self.0, &self.1, ms(5)));
    }
}

#[test]
fn queries_of_a_body_on_its_way_count_until_it_is_dropped() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let mut service =
        MeasureLayer::new(&plimsoll)
            .anatomy()
            .layer(service_fn(move |_: Request<()>| {
                std::future::ready(Ok::<_, ()>(Response::new(Rows(
                    shared.clone(),
                    time.clone(),
                    0,
                ))))
            }));
    let response = at_once(service.call(Request::new(()))).unwrap();
    let mut body = Box::pin(response.into_body());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(body.as_mut().poll_frame(&mut cx).is_ready());
    clock.advance(ms(75));
    assert!(body.as_mut().poll_frame(&mut cx).is_ready());
    assert!(body.as_mut().poll_frame(&mut cx).is_pending());
    drop(body);
    assert_eq!(part(&plimsoll, "unmatched", "query"), Some((25.0, 0.25)));
    assert_eq!(part(&plimsoll, "unmatched", "rest"), Some((75.0, 0.75)));
}

#[test]
fn requests_that_take_turns_on_one_thread_do_not_mix() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    // Each gives way in the middle of its own stage and of its own query.
    let handler = move |name: &'static str, took: u64| {
        let (shared, time) = (shared.clone(), time.clone());
        async move {
            let _stage = stage(name);
            let work = async {
                let mut yielded = false;
                poll_fn(|_| {
                    time.advance(ms(took));
                    let polled = if yielded {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    };
                    yielded = true;
                    polled
                })
                .await;
                Ok::<_, ()>(())
            };
            shared.db("devices").time("list", work).await.unwrap();
            time.advance(ms(took));
        }
    };
    let other = handler.clone();
    let app = Router::new()
        .route("/a", get(move || handler("a", 1)))
        .route("/b", get(move || other("b", 10)))
        .layer(MeasureLayer::new(&plimsoll).anatomy());
    let (a, b) = (
        app.clone().oneshot(request("/a")),
        app.oneshot(request("/b")),
    );
    let mut both = pin!(futures_util::future::join(a, b));
    assert!(both.as_mut().now_or_never().is_none());
    let (a, b) = both.now_or_never().unwrap();
    drop((a.unwrap(), b.unwrap()));
    // a: polled at 0, back at 11, its query ends at 12; b: polled at 1, back at 13, its query ends at 23.
    assert_eq!(part(&plimsoll, "/a", "query").unwrap().0, 12.0);
    assert_eq!(part(&plimsoll, "/a", "a").unwrap().0, 1.0);
    assert_eq!(part(&plimsoll, "/a", "b"), None);
    assert_eq!(part(&plimsoll, "/b", "query").unwrap().0, 22.0);
    assert_eq!(part(&plimsoll, "/b", "b").unwrap().0, 10.0);
    assert_eq!(part(&plimsoll, "/b", "a"), None);
}

#[test]
fn a_panic_keeps_the_parts_and_leaves_no_request_behind() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let mut service =
        MeasureLayer::new(&plimsoll)
            .anatomy()
            .layer(service_fn(move |_: Request<()>| {
                let (shared, time) = (shared.clone(), time.clone());
                async move {
                    let _stage = stage("fatal");
                    time.advance(ms(3));
                    query(&shared, &time, ms(7)).await;
                    std::panic::resume_unwind(Box::new("on purpose"));
                    #[expect(unreachable_code, reason = "the type")]
                    Ok::<_, ()>(Response::new(Full::new(bytes::Bytes::new())))
                }
            }));
    let future = service.call(Request::new(()));
    assert!(catch_unwind(AssertUnwindSafe(|| at_once(future))).is_err());
    at_once(query(&plimsoll, &clock, ms(100)));
    assert_eq!(part(&plimsoll, "unmatched", "query"), Some((7.0, 0.7)));
    assert_eq!(part(&plimsoll, "unmatched", "fatal"), Some((3.0, 0.3)));
    assert_eq!(plimsoll.stats().operations[0].errors, 1);
}

#[test]
fn a_request_inside_another_one_counts_for_itself() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let inner = move || async move { query(&shared, &time, ms(5)).await };
    let layer = MeasureLayer::new(&plimsoll).anatomy();
    let inner = Router::new().route("/in", get(inner)).layer(layer.clone());
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let outer = move || async move {
        let _calls = stage("calls");
        drop(inner.oneshot(request("/in")).await);
        query(&shared, &time, ms(2)).await;
    };
    let app = Router::new().route("/out", get(outer)).layer(layer);
    at_once(app.oneshot(request("/out"))).unwrap();
    assert_eq!(part(&plimsoll, "/in", "query").unwrap().0, 5.0);
    assert_eq!(part(&plimsoll, "/out", "query").unwrap().0, 2.0);
    assert_eq!(part(&plimsoll, "/out", "calls").unwrap().0, 5.0);
}

#[test]
fn without_anatomy_nothing_is_kept() {
    let (plimsoll, clock) = new();
    let (shared, time) = (plimsoll.clone(), clock.clone());
    let handler = move || async move {
        let _stage = stage("auth");
        query(&shared, &time, ms(5)).await;
    };
    let app = Router::new()
        .route("/a", get(handler))
        .layer(MeasureLayer::new(&plimsoll));
    at_once(app.oneshot(request("/a"))).unwrap();
    let page = plimsoll.render();
    assert!(!page.contains("stage_") && !page.contains("request_queries"));
}

#[test]
fn a_flood_of_stages_shares_other() {
    const NAMES: [&str; 20] = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r",
        "s", "t",
    ];
    let (plimsoll, clock) = new();
    let time = clock.clone();
    let handler = move |axum::extract::Path(nth): axum::extract::Path<usize>| async move {
        let _stage = stage(NAMES[nth]);
        time.advance(ms(1));
    };
    let app = Router::new()
        .route("/{nth}", get(handler))
        .layer(MeasureLayer::new(&plimsoll).anatomy());
    for nth in 0..NAMES.len() {
        at_once(app.clone().oneshot(request(&format!("/{nth}")))).unwrap();
    }
    // Fifteen of them beside the rest.
    assert_eq!(part(&plimsoll, "/{nth}", "o"), Some((1.0, 1.0)));
    assert_eq!(part(&plimsoll, "/{nth}", "p"), None);
    assert_eq!(part(&plimsoll, "/{nth}", "other"), Some((5.0, 5.0)));
}
