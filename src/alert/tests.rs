use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, UNIX_EPOCH};

use super::queue::Hub;
use super::*;
use crate::clock::{ManualClock, SharedClock};

const SOON: Duration = Duration::from_secs(20);

fn hub(capacity: usize) -> (Hub, ManualClock) {
    let clock = ManualClock::new();
    (
        Hub::new(SharedClock::Custom(Arc::new(clock.clone())), capacity, 2),
        clock,
    )
}

fn edge(budget: &str, kind: EventKind) -> Event {
    Event {
        kind,
        budget: budget.into(),
        labels: [].into(),
        level: Level::Target,
        value: Some(0.312_71),
        limit: 0.2,
        unit: "s",
        since: UNIX_EPOCH,
        at: UNIX_EPOCH,
    }
}

#[test]
fn a_line_per_edge() {
    assert_eq!(
        edge("p95", EventKind::Breach).to_string(),
        "BREACH p95 level=target value=0.3127 limit=0.2 unit=s since=1970-01-01T00:00:00.000Z"
    );
    let mut recovery = edge("p95", EventKind::Recovery);
    (recovery.value, recovery.unit) = (None, "");
    assert!(
        recovery
            .to_string()
            .starts_with("RECOVERED p95 level=target value=none limit=0.2 unit=1 ")
    );
}

#[test]
fn a_panicking_callback_is_counted_and_goes_on() {
    let (hub, _) = hub(8);
    hub.add(
        "bad",
        Some(Box::new(|_| {
            std::panic::resume_unwind(Box::new("on purpose"))
        })),
    );
    let (sender, received) = mpsc::channel();
    hub.add(
        "good",
        Some(Box::new(move |event| {
            sender.send(event.kind).ok();
        })),
    );
    hub.publish(&edge("a", EventKind::Breach));
    hub.publish(&edge("a", EventKind::Recovery));
    assert!(hub.flush(SOON));
    assert_eq!(
        received.try_iter().collect::<Vec<_>>(),
        [EventKind::Breach, EventKind::Recovery]
    );
    let stats = hub.stats();
    assert_eq!((stats[0].panics, stats[0].delivered), (2, 0));
    assert_eq!((stats[1].panics, stats[1].delivered), (0, 2));
}

#[test]
fn a_stuck_callback_delays_nobody_and_is_counted_once() {
    let (hub, clock) = hub(8);
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = parking_lot::Mutex::new(blocked);
    let (entered, waiting) = mpsc::channel();
    hub.add(
        "stuck",
        Some(Box::new(move |_| {
            {
                entered.send(()).ok();
            };
            {
                blocked.lock().recv().ok();
            };
        })),
    );
    let (sender, received) = mpsc::channel();
    hub.add(
        "good",
        Some(Box::new(move |event| {
            sender.send(event.budget.clone()).ok();
        })),
    );
    hub.publish(&edge("a", EventKind::Breach));
    waiting.recv_timeout(SOON).expect("the callback runs");
    hub.look_for_stuck();
    assert_eq!(hub.stats()[0].stuck, 0, "not yet");
    clock.advance(STUCK_AFTER);
    hub.look_for_stuck();
    hub.look_for_stuck();
    assert_eq!(hub.stats()[0].stuck, 1);
    assert_eq!(&*received.recv_timeout(SOON).expect("delivered"), "a");
    assert!(
        !hub.flush(Duration::from_millis(10)),
        "one is still at work"
    );
    drop(release);
    assert!(hub.flush(SOON));
}

#[test]
fn a_full_queue_keeps_the_last_edge_of_every_rule() {
    let (hub, _) = hub(3);
    let queue = hub.add("slow", None);
    hub.publish(&edge("quiet", EventKind::Breach));
    for _ in 0..50 {
        hub.publish(&edge("flapping", EventKind::Breach));
        hub.publish(&edge("flapping", EventKind::Recovery));
    }
    let mut kept = Vec::new();
    while let Some(event) = queue.take() {
        kept.push((event.budget.to_string(), event.kind));
    }
    assert_eq!(kept.first(), Some(&("quiet".to_owned(), EventKind::Breach)));
    assert_eq!(
        kept.last(),
        Some(&("flapping".to_owned(), EventKind::Recovery))
    );
    assert_eq!(kept.len(), 3);
    assert_eq!(queue.stats().dropped, 98);
}

#[test]
fn a_subscription_can_be_awaited_and_unsubscribes_when_dropped() {
    let (hub, _) = hub(8);
    let mut subscription = Subscription::new(hub.add("stream", None));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| runtime.block_on(subscription.recv()));
        hub.publish(&edge("a", EventKind::Breach));
        assert_eq!(
            waiter.join().expect("no panic").map(|event| event.kind),
            Some(EventKind::Breach)
        );
    });
    assert_eq!(subscription.recv_timeout(Duration::from_millis(1)), None);
    assert_eq!(hub.stats().len(), 1);
    drop(subscription);
    assert_eq!(hub.stats().len(), 0);
}

#[test]
fn a_closed_hub_ends_a_subscription() {
    let (hub, _) = hub(8);
    let mut subscription = Subscription::new(hub.add("stream", None));
    hub.publish(&edge("a", EventKind::Breach));
    drop(hub);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime");
    assert!(
        runtime.block_on(subscription.recv()).is_some(),
        "what was sent is kept"
    );
    assert!(runtime.block_on(subscription.recv()).is_none());
}
