//! What nobody should do, and somebody will.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use plimsoll::{
    AlertState, Buckets, Budget, Clock, Histogram, InstrumentError, Layout, LayoutError, Naming,
    Outcome, Plimsoll, Select,
};

#[cfg(target_os = "linux")]
use crate::alone::{is_alone, resident};

fn plimsoll() -> Plimsoll {
    let builder = Plimsoll::builder().naming(Naming::classic());
    builder.max_series(100).manual_tick().build().unwrap()
}

#[test]
fn bounds_are_sorted_and_repeated_ones_count_once() {
    let buckets = Buckets::new(Layout::durations(), &[0.5, 0.1, 0.5, 0.1, 0.2]).unwrap();
    assert_eq!(buckets.bounds().collect::<Vec<_>>(), [0.1, 0.2, 0.5]);
}

#[test]
fn what_can_be_no_family_is_not_expected() {
    for name in ["a b", "1x", "", "\u{e4}_total", "http.server"] {
        let built = Plimsoll::builder().manual_tick().expect_family(name);
        let error = built.build().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("expect_families"), "{error}");
        assert!(error.contains(&format!("{name:?}")), "{error}");
    }
    let sound = Plimsoll::builder()
        .manual_tick()
        .expect_family("jobs:rate5m");
    assert!(sound.build().is_ok());
}

#[test]
fn bounds_that_cannot_be_exact_are_refused() {
    let refused = |layout, bound| Buckets::new(layout, &[0.1, bound]).unwrap_err();
    for bound in [
        -1e-9,
        -0.1,
        3_600.000_000_001,
        1e300,
        f64::NAN,
        f64::INFINITY,
    ] {
        let error = refused(Layout::durations(), bound);
        assert!(matches!(error, LayoutError::Bound { .. }), "{bound}");
    }
    for bound in [0.000_000_001_5, 0.1 + 1e-10, 1e-300] {
        let error = refused(Layout::durations(), bound);
        assert!(matches!(error, LayoutError::Step { .. }), "{bound}");
    }
    // The ends of the range are in it.
    Buckets::new(Layout::durations(), &[0.0, 3600.0]).unwrap();
    let error = plimsoll().histogram("x_seconds", Layout::durations(), &[0.000_000_001_5]);
    let message = error.register().unwrap_err().to_string();
    assert_eq!(
        message,
        "instrument x_seconds: bound 0.0000000015 is not a whole number of steps of 0.000000001: round it"
    );
}

#[test]
fn one_name_with_other_buckets_type_or_labels_is_refused_and_loses_nothing() {
    let plimsoll = plimsoll();
    let jobs = plimsoll.counter("jobs_total").label("queue", "a");
    let jobs = jobs.register().unwrap();
    let wait = |bounds: &[f64]| {
        let wait = plimsoll.histogram("wait_seconds", Layout::durations(), bounds);
        wait.register()
    };
    let kept = wait(&[0.1]).unwrap();
    for refused in [
        plimsoll
            .gauge("jobs_total")
            .label("queue", "a")
            .register()
            .unwrap_err(),
        wait(&[0.2]).unwrap_err(),
    ] {
        assert!(matches!(refused, InstrumentError::Kind { .. }), "{refused}");
    }
    for labels in [&[][..], &["shop"], &["queue", "shop"]] {
        let counter = plimsoll.counter("jobs_total");
        let counter = labels.iter().fold(counter, |it, key| it.label(*key, "a"));
        let error = counter.register().unwrap_err();
        assert!(matches!(error, InstrumentError::Labels { .. }), "{error}");
    }
    jobs.add(3);
    kept.record(1);
    let page = plimsoll.render();
    for line in ["jobs_total{queue=\"a\"} 3\n", "\nwait_seconds_count 1\n"] {
        assert!(page.contains(line), "{page}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_million_label_sets_are_capped_counted_and_take_no_memory() {
    const NAME: &str = "bad_input::a_million_label_sets_are_capped_counted_and_take_no_memory";
    if is_alone(NAME) {
        ask_for_a_million_label_sets();
    }
}

#[cfg(target_os = "linux")]
fn ask_for_a_million_label_sets() {
    const ASKED: u64 = 1_000_000;
    // A hundred series have 2 MiB of cells. Uncapped, the names alone would take 100 MiB.
    const ROOM: u64 = 16 << 20;
    let plimsoll = plimsoll();
    let before = resident();
    for i in 0..ASKED {
        let name = format!("a rather long name for an operation, invented: {i}");
        plimsoll
            .operation(&name)
            .record(Outcome::Ok, Duration::from_millis(1));
        let counter = plimsoll.counter("asked_total").label("who", name);
        counter.register().unwrap().increment();
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < ROOM, "{} MiB", grown >> 20);

    let operations = plimsoll.stats().operations;
    let counted: u64 = operations.iter().map(|operation| operation.count).sum();
    assert_eq!((operations.len(), counted), (101, ASKED));
    let page = plimsoll.render();
    let asked = page.lines().filter(|line| line.starts_with("asked_total{"));
    let values: Vec<u64> = asked
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!((values.len(), values.iter().sum()), (101, ASKED));
    for kind in ["operation", "instrument"] {
        let line = format!(
            "plimsoll_series_overflow_total{{kind=\"{kind}\"}} {}\n",
            ASKED - 100
        );
        assert!(page.contains(&line), "{line} is not in\n{page}");
    }
}

#[test]
fn a_snapshot_that_is_held_for_ever_stays_as_it_is_and_holds_nobody_up() {
    const EACH: u64 = 100_000;
    let buckets = Buckets::new(Layout::durations(), &[0.1]).unwrap();
    let histogram = Histogram::new(buckets);
    histogram.record(1_000_000);
    let held = histogram.snapshot();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..EACH).for_each(|_| histogram.record(200_000_000)));
        }
    });
    assert_eq!(
        (held.count(), held.above(0.1), held.sum()),
        (1, Some(0), 0.001)
    );
    assert_eq!(histogram.count(), 1 + 4 * EACH);
    drop(histogram);
    assert_eq!(held.quantile_prom(0.5), Some(0.05), "it outlives the cells");
}

/// A clock that can be set to any time.
#[derive(Clone, Default)]
struct Unsteady(Arc<AtomicU64>);

impl Unsteady {
    fn set(&self, seconds: u64) {
        self.0.store(seconds * 1_000_000_000, Ordering::SeqCst);
    }
}

impl Clock for Unsteady {
    fn now_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[test]
fn a_clock_that_runs_backwards_costs_durations_but_no_tick() {
    let clock = Unsteady::default();
    clock.set(1_000);
    let work = || Select::operation("work");
    let slow = Budget::quantile("slow", work(), 0.95).at_most(Duration::from_secs(1));
    let failed = Budget::error_ratio("failed", work()).at_most(0.1);
    let failed = failed.sustained(Duration::from_secs(2));
    let failed = failed.keep_firing(Duration::from_secs(5));
    let rate = Budget::throughput("rate", work()).at_least(0.001);
    let mut builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
    for budget in [slow, failed, rate] {
        builder = builder.budget(budget.over(Duration::from_secs(60)));
    }
    let plimsoll = builder.build().unwrap();
    let operation = plimsoll.operation("work");
    let times = [1_001, 1_002, 900, 0, 901, 1_002, 500, 1_003, 1_004];
    for seconds in times {
        let under_way = operation.start();
        clock.set(seconds);
        under_way.finish(Outcome::Error);
        plimsoll.tick();
        plimsoll.render();
    }
    let stats = &plimsoll.stats().operations[0];
    assert_eq!(stats.count, times.len() as u64);
    let page = plimsoll.render();
    assert!(page.contains("plimsoll_ticks_total 9\n"), "{page}");
    // Forward: 1, 1, 901, 101 and 503 seconds and a last one; backwards: none.
    assert!(
        page.contains(
            "operation_duration_seconds_sum{operation=\"work\",outcome=\"error\"} 1508.0\n"
        ),
        "{page}"
    );
    let failed = plimsoll.budgets().into_iter();
    let failed = failed.filter(|reading| reading.budget == "failed");
    assert!(failed.into_iter().all(|it| it.state == AlertState::Firing));
}
