//! What takes long: `tests/run --long`.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use plimsoll::{Budget, EventKind, Layout, Outcome, Plimsoll, Select};

/// Repeats `work` until it is told to stop; how often it did.
fn until(stop: &AtomicBool, mut work: impl FnMut()) -> u64 {
    let mut times = 0;
    while !stop.load(Ordering::Relaxed) {
        work();
        times += 1;
    }
    times
}

/// The count of the histogram `work_seconds` on a page.
fn count_on(page: &str) -> u64 {
    let line = page
        .lines()
        .find(|line| line.starts_with("work_seconds_count"));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "takes ten seconds: tests/run --long"]
fn two_writers_flat_out_lose_and_invent_nothing_whatever_reads() {
    const BATCH: u64 = 1_000;
    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    let builder = plimsoll.histogram("work_seconds", Layout::durations(), &[0.1]);
    let histogram = builder.register().unwrap();
    let (stop, short) = (AtomicBool::new(false), AtomicU64::new(0));
    let batch = |salt: u64| {
        for i in 0..BATCH {
            histogram.record(1_000 + (salt * BATCH + i) * 7919 % 900_000_000);
        }
    };
    let (written, read) = thread::scope(|scope| {
        let writers = [0, 1].map(|salt| {
            scope.spawn({
                let (stop, batch) = (&stop, &batch);
                move || until(stop, || batch(salt)) * BATCH
            })
        });
        let snapshots = scope.spawn(|| {
            let mut last = 0;
            until(&stop, || {
                let count = histogram.snapshot().count();
                assert!(count >= last, "{count} after {last}");
                last = count;
            })
        });
        let pages = scope.spawn(|| {
            let mut last = 0;
            until(&stop, || {
                let ended = short.load(Ordering::Acquire);
                let count = count_on(&plimsoll.render());
                assert!(
                    count >= last.max(ended),
                    "{count} after {last}, {ended} of ended threads"
                );
                last = count;
                plimsoll.native_families(plimsoll::export::NativeSchema::nearest(3));
            })
        });
        // What ended threads counted is folded by whichever reader comes first.
        let folds = scope.spawn(|| {
            until(&stop, || {
                thread::scope(|scope| drop(scope.spawn(|| batch(7))));
                short.fetch_add(BATCH, Ordering::Release);
                plimsoll.tick();
            })
        });
        thread::sleep(Duration::from_secs(10));
        stop.store(true, Ordering::Relaxed);
        let written: u64 = writers.map(|writer| writer.join().unwrap()).iter().sum();
        let read = [snapshots, pages, folds].map(|reader| reader.join().unwrap());
        (written, read)
    });
    let all = written + short.into_inner();
    println!("{all} records; {read:?} snapshots, pages, threads that ended");
    assert_eq!(histogram.count(), all);
    assert_eq!(count_on(&plimsoll.render()), all);
}

#[test]
#[ignore = "takes a minute: tests/run --long"]
fn a_callback_that_takes_a_minute_delays_nobody() {
    let (sender, received) = mpsc::channel();
    let entered = Arc::new(AtomicBool::new(false));
    let inside = entered.clone();
    let window = Duration::from_millis(400);
    let plimsoll = Plimsoll::builder()
        .tick(Duration::from_millis(100))
        .budget(
            Budget::error_ratio("errors", Select::operation("work"))
                .at_most(0.0)
                .over(window),
        )
        .on_event("slow", move |_| {
            inside.store(true, Ordering::Relaxed);
            thread::sleep(Duration::from_secs(60));
        })
        .on_event("quick", move |event| {
            sender.send(event.kind).ok();
        })
        .build()
        .unwrap();
    let operation = plimsoll.operation("work");
    let end = Instant::now() + Duration::from_secs(55);
    let mut heard = 0;
    while Instant::now() < end {
        // Again and again: no window sees what came and went between two ticks that a busy machine holds apart for longer.
        let breach = (0..200).find_map(|_| {
            operation.record(Outcome::Error, Duration::from_millis(1));
            received.recv_timeout(Duration::from_millis(50)).ok()
        });
        let recovery = received.recv_timeout(Duration::from_secs(10)).ok();
        let both = [EventKind::Breach, EventKind::Recovery].map(Some);
        assert_eq!([breach, recovery], both);
        heard += 2;
    }
    assert!(entered.load(Ordering::Relaxed), "the slow one is at work");
    println!("{heard} edges were heard while another callback slept");
    assert!(heard > 50);
    let page = plimsoll.render();
    assert!(
        page.contains("plimsoll_callbacks_stuck_total{subscriber=\"slow\"} 1"),
        "{page}"
    );
    assert!(
        page.contains(&format!(
            "plimsoll_events_delivered_total{{subscriber=\"quick\"}} {heard}"
        )),
        "{page}"
    );
    assert!(
        page.contains("plimsoll_events_delivered_total{subscriber=\"slow\"} 0"),
        "{page}"
    );
}

#[test]
#[ignore = "takes a minute: tests/run --long"]
fn an_endless_churn_of_threads_and_instances_needs_no_more_memory() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    let round = || {
        let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    plimsoll
                        .operation("work")
                        .record(Outcome::Ok, Duration::from_millis(1))
                });
            }
        });
        assert_eq!(plimsoll.stats().operations[0].count, 4);
    };
    (0..500).for_each(|_| round());
    let before = resident();
    (0..10_000).for_each(|_| round());
    let grown = resident().saturating_sub(before);
    println!("{grown} KiB more after 10,000 instances and 40,000 threads");
    assert!(grown < 16 * 1024, "{grown} KiB");
}

/// Bytes that are resident.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages = statm.split(' ').nth(1).unwrap();
    pages.parse::<u64>().unwrap() * 4096
}

/// In ticks of a minute.
#[test]
#[ignore = "takes a minute: tests/run --long"]
fn sixty_days_of_slos_drift_nowhere_and_keep_nothing() {
    use plimsoll::{Calendar, ManualClock, Slo, expr::Offset};

    const DAY: u64 = 24 * 60;
    let clock = ManualClock::new();
    let slo = |name: &str| Slo::availability(name, Select::operation("work")).objective(0.999);
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .slo(slo("rolling").rolling(30))
        .slo(slo("month").calendar(Calendar::Month, Offset::UTC))
        .build()
        .unwrap();
    let work = plimsoll.operation("work");
    let run = |days: u64| {
        for minute in 1..=days * DAY {
            let bad = minute.is_multiple_of(2_000);
            let outcome = if bad { Outcome::Error } else { Outcome::Ok };
            work.record(outcome, Duration::from_millis(5));
            clock.advance(Duration::from_secs(60));
            plimsoll.tick();
        }
    };
    run(31);
    let month = &plimsoll.slos()[1];
    assert_eq!((month.valid, month.bad), (31.0 * DAY as f64, 22.0));
    assert_eq!(month.error_budget.minutes, 44.64);
    let (before, began) = (resident(), Instant::now());
    run(28);
    println!("28 days took {:?}", began.elapsed());
    let slos = plimsoll.slos();
    assert_eq!((slos[1].valid, slos[1].bad), (28.0 * DAY as f64, 20.0));
    assert_eq!(slos[1].error_budget.minutes, 40.32);
    assert_eq!(slos[0].valid, 30.0 * DAY as f64);
    assert_eq!(slos[0].period.coverage, 1.0);
    let more = resident().saturating_sub(before);
    assert!(more < 1024 * 1024, "{more} bytes more");
}
