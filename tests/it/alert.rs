//! Whoever hears of a breach can do what it wants: nobody else notices.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use plimsoll::{Budget, EventKind, Outcome, Plimsoll, STUCK_AFTER, Select};

const SOON: Duration = Duration::from_secs(30);

fn errors() -> Budget {
    Budget::error_ratio("errors", Select::operation("work"))
        .at_most(0.0)
        .over(Duration::from_secs(2))
}

#[test]
fn callbacks_hear_each_edge_once_from_the_tick_of_the_thread() {
    let (sender, received) = mpsc::channel();
    let (breaches, recoveries) = (sender.clone(), sender);
    let plimsoll = Plimsoll::builder()
        .budget(errors().over(Duration::from_millis(200)))
        .tick(Duration::from_millis(50))
        .on_breach(move |event| {
            breaches.send(event.clone()).ok();
        })
        .on_recovery(move |event| {
            recoveries.send(event.clone()).ok();
        })
        .build()
        .unwrap();
    plimsoll
        .operation("work")
        .record(Outcome::Error, Duration::from_millis(1));
    let breach = received.recv_timeout(SOON).unwrap();
    assert_eq!(
        (breach.kind, &*breach.budget, breach.value),
        (EventKind::Breach, "errors", Some(1.0))
    );
    let recovery = received.recv_timeout(SOON).unwrap();
    assert_eq!(recovery.kind, EventKind::Recovery);
    assert_eq!(recovery.since, breach.since);
    assert!(recovery.at > breach.at);
    drop(plimsoll);
    assert!(
        received.recv_timeout(SOON).is_err(),
        "nothing else was announced, and the workers have ended"
    );
}

#[test]
fn panicking_and_blocking_callbacks_harm_nobody_and_are_counted() {
    let clock = plimsoll::ManualClock::new();
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    let (entered, inside) = mpsc::channel();
    let (sender, received) = mpsc::channel();
    let plimsoll = Plimsoll::builder()
        .budget(errors())
        .clock(clock.clone())
        .manual_tick()
        .on_event("panicking", |_| {
            std::panic::resume_unwind(Box::new("on purpose"))
        })
        .on_event("blocking", move |_| {
            entered.send(()).ok();
            blocked.lock().unwrap().recv().ok();
        })
        .on_event("good", move |event| {
            sender.send(event.kind).ok();
        })
        .build()
        .unwrap();
    let operation = plimsoll.operation("work");
    for _ in 0..3 {
        operation.record(Outcome::Error, Duration::from_millis(1));
        for _ in 0..6 {
            clock.advance(Duration::from_secs(1));
            plimsoll.tick();
        }
    }
    let heard: Vec<_> = (0..6)
        .map(|_| received.recv_timeout(SOON).unwrap())
        .collect();
    assert_eq!(heard, [EventKind::Breach, EventKind::Recovery].repeat(3));
    inside.recv_timeout(SOON).unwrap();
    clock.advance(STUCK_AFTER);
    plimsoll.tick();
    // A worker counts after its callback has returned.
    let deadline = Instant::now() + SOON;
    for line in [
        "plimsoll_callback_panics_total{subscriber=\"panicking\"} 6",
        "plimsoll_callbacks_stuck_total{subscriber=\"blocking\"} 1",
        "plimsoll_events_delivered_total{subscriber=\"good\"} 6",
        "plimsoll_events_dropped_total{subscriber=\"blocking\"} 0",
    ] {
        while !plimsoll.render().contains(line) {
            assert!(
                Instant::now() < deadline,
                "{line} is not in\n{}",
                plimsoll.render()
            );
            std::thread::yield_now();
        }
    }
    drop(release);
    assert!(plimsoll.flush(SOON));
}

#[test]
fn a_subscription_sees_events_in_order() {
    let clock = plimsoll::ManualClock::new();
    let plimsoll = Plimsoll::builder()
        .budget(errors())
        .clock(clock.clone())
        .manual_tick()
        .build()
        .unwrap();
    let subscription = plimsoll.subscribe();
    plimsoll
        .operation("work")
        .record(Outcome::Error, Duration::from_millis(1));
    for _ in 0..5 {
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
    }
    assert_eq!(
        subscription.recv_timeout(SOON).map(|event| event.kind),
        Some(EventKind::Breach)
    );
    assert_eq!(
        subscription.try_recv().map(|event| event.kind),
        Some(EventKind::Recovery)
    );
    assert_eq!(subscription.try_recv(), None);
    assert_eq!(subscription.dropped(), 0);
}

#[cfg(feature = "tracing")]
#[test]
fn every_edge_is_a_structured_tracing_event() {
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Lines(std::sync::Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl MakeWriter<'_> for Lines {
        type Writer = Self;
        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    // With a single dispatcher in the process, `tracing` asks the thread that meets an event first whether anybody wants
    // it, and that may be a worker of another test. With two it asks them all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .without_time()
        .with_ansi(false)
        .finish();
    let clock = plimsoll::ManualClock::new();
    let plimsoll = tracing::subscriber::with_default(subscriber, || {
        Plimsoll::builder()
            .budget(errors())
            .clock(clock.clone())
            .manual_tick()
            .build()
            .unwrap()
    });
    plimsoll
        .operation("work")
        .record(Outcome::Error, Duration::from_millis(1));
    for _ in 0..5 {
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
    }
    assert!(plimsoll.flush(SOON));
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let expected =
        "budget=errors level=target value=1.0 limit=0.0 unit=\"\" since=1970-01-01T00:00:01.000Z";
    assert!(
        text.contains("WARN plimsoll::alert: breach budget=errors"),
        "{text}"
    );
    assert!(
        text.contains("INFO plimsoll::alert: recovery budget=errors"),
        "{text}"
    );
    assert!(text.contains(expected), "{text}");
}
