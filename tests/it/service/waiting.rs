//! Waiting for one's turn is measured apart from the call.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll::service::MeasureLayer;
use plimsoll::{Clock, ManualClock, Plimsoll};
use tokio::sync::{Notify, Semaphore};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::counts;

const SECOND: Duration = Duration::from_secs(1);

fn plimsoll(clock: impl Clock) -> Plimsoll {
    let builder = Plimsoll::builder().clock(clock).manual_tick();
    builder.build().unwrap()
}

/// How many waits of `work` there were, and how many seconds they took together.
fn waits(plimsoll: &Plimsoll) -> (u64, f64) {
    let page = plimsoll.render();
    let value = |suffix: &str| {
        let sample = format!("service_wait_duration_seconds_{suffix}{{operation=\"work\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&sample));
        value.unwrap_or("0").to_owned()
    };
    (
        value("count").parse().unwrap(),
        value("sum").parse().unwrap(),
    )
}

fn poll<S: Service<()>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

/// Says, one after the other, whether it is ready.
struct Told(Vec<Poll<Result<(), &'static str>>>);

impl Service<()> for Told {
    type Response = ();
    type Error = &'static str;
    type Future = Ready<Result<(), &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        self.0.remove(0)
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}

#[tokio::test]
async fn a_service_that_is_ready_at_once_counts_a_wait_of_nothing_and_reads_no_clock() {
    /// Counts how often it is read.
    struct Counting(Arc<AtomicU64>);

    impl Clock for Counting {
        fn now_ns(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    let read = Arc::new(AtomicU64::new(0));
    let plimsoll = plimsoll(Counting(read.clone()));
    let mut service =
        MeasureLayer::new(&plimsoll, "work").layer(Told(vec![Poll::Ready(Ok(())); 4]));
    assert_eq!(waits(&plimsoll), (0, 0.0));
    let before = read.load(Ordering::Relaxed);
    for _ in 0..3 {
        assert_eq!(poll(&mut service), Poll::Ready(Ok(())));
    }
    assert_eq!(read.load(Ordering::Relaxed), before);
    assert_eq!(waits(&plimsoll), (1, 0.0), "asked thrice for one call");
    service.call(()).await.unwrap();
    assert_eq!(poll(&mut service), Poll::Ready(Ok(())));
    assert_eq!(waits(&plimsoll), (2, 0.0), "another call waits anew");
}

#[tokio::test]
async fn a_wait_ends_when_the_service_is_ready_or_fails() {
    for (last, again) in [(Ok(()), 1), (Err("gone"), 2)] {
        let clock = ManualClock::new();
        let plimsoll = plimsoll(clock.clone());
        let told = vec![
            Poll::Pending,
            Poll::Pending,
            Poll::Ready(last),
            Poll::Ready(Ok(())),
        ];
        let mut service = MeasureLayer::new(&plimsoll, "work").layer(Told(told));
        for _ in 0..2 {
            assert_eq!(poll(&mut service), Poll::Pending);
            assert_eq!((waits(&plimsoll), counts(&plimsoll)), ((0, 0.0), [0; 4]));
            clock.advance(2 * SECOND);
        }
        assert_eq!(poll(&mut service), Poll::Ready(last));
        assert_eq!(waits(&plimsoll), (1, 4.0));
        clock.advance(SECOND);
        assert_eq!(poll(&mut service), Poll::Ready(Ok(())));
        drop(service);
        assert_eq!(waits(&plimsoll), (again, 4.0), "{last:?}");
    }
}

#[tokio::test]
async fn a_failure_at_once_is_no_wait() {
    let plimsoll = plimsoll(ManualClock::new());
    let told = vec![Poll::Ready(Err("gone"))];
    let mut service = MeasureLayer::new(&plimsoll, "work").layer(Told(told));
    assert_eq!(poll(&mut service), Poll::Ready(Err("gone")));
    drop(service);
    assert_eq!(waits(&plimsoll), (0, 0.0));
}

#[tokio::test]
async fn behind_a_limit_the_wait_is_that_for_a_permit() {
    let clock = ManualClock::new();
    let plimsoll = plimsoll(clock.clone());
    let gate = Arc::new(Notify::new());
    let work = {
        let gate = gate.clone();
        service_fn(move |()| {
            let gate = gate.clone();
            async move {
                gate.notified().await;
                Ok::<_, &str>(())
            }
        })
    };
    let service = MeasureLayer::new(&plimsoll, "work").layer(ConcurrencyLimit::new(work, 1));
    let mut first = Box::pin(service.clone().oneshot(()));
    assert!((&mut first).now_or_never().is_none());
    assert_eq!(
        (waits(&plimsoll), counts(&plimsoll)),
        ((1, 0.0), [0, 0, 0, 1])
    );

    let mut second = service.clone();
    assert!(poll(&mut second).is_pending());
    clock.advance(3 * SECOND);
    assert_eq!(
        counts(&plimsoll),
        [0, 0, 0, 1],
        "who waits is not under way"
    );
    // A clone asks for itself; dropped at once, it has waited for nothing.
    let mut clone = second.clone();
    drop(second.clone());
    assert!(poll(&mut clone).is_pending());
    clock.advance(SECOND);
    drop(clone);
    assert_eq!(waits(&plimsoll), (2, 1.0), "given up after a second");

    gate.notify_one();
    first.await.unwrap();
    second.ready().await.unwrap();
    assert_eq!(waits(&plimsoll), (3, 5.0));
    gate.notify_one();
    second.call(()).await.unwrap();
    assert_eq!(counts(&plimsoll), [2, 0, 0, 0]);
    // Of the first alone: the wait is no part of the second.
    let durations = r#"service_duration_seconds_sum{operation="work",outcome="ok"} 4.0"#;
    assert!(plimsoll.render().contains(durations));
    assert_eq!(waits(&plimsoll), (3, 5.0));
}

#[tokio::test]
async fn behind_a_buffer_the_wait_is_that_for_room() {
    let clock = ManualClock::new();
    let plimsoll = plimsoll(clock.clone());
    let permits = Arc::new(Semaphore::new(0));
    let work = {
        let permits = permits.clone();
        service_fn(move |()| {
            let permits = permits.clone();
            async move {
                permits.acquire().await.unwrap().forget();
                Ok::<_, tower::BoxError>(())
            }
        })
    };
    let buffer = Buffer::new(ConcurrencyLimit::new(work, 1), 1);
    let service = MeasureLayer::new(&plimsoll, "work").layer(buffer);
    let mut under_way = Vec::new();
    let mut waiting = loop {
        // The buffer's worker takes as much as it can.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let mut next = service.clone();
        match poll(&mut next) {
            Poll::Ready(result) => result.unwrap(),
            Poll::Pending => break next,
        }
        under_way.push(tokio::spawn(next.call(())));
    };
    let calls = under_way.len() as u64;
    assert!((1..10).contains(&calls), "{calls} calls fit");
    assert_eq!(waits(&plimsoll), (calls, 0.0));
    clock.advance(2 * SECOND);
    permits.add_permits(10);
    waiting.ready().await.unwrap();
    waiting.call(()).await.unwrap();
    for call in under_way {
        call.await.unwrap().unwrap();
    }
    assert_eq!(waits(&plimsoll), (calls + 1, 2.0));
    assert_eq!(counts(&plimsoll), [calls + 1, 0, 0, 0]);
}
