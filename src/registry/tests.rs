//! Operations and their series.

#[cfg(feature = "http")]
mod labelled;

use std::thread;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::histogram::{Layout, Memory};
use crate::scope::QueryLimits;

fn registry(cap: usize) -> (Registry, ManualClock) {
    labelled(cap, Vec::new())
}

fn labelled(cap: usize, labels: Vec<Label>) -> (Registry, ManualClock) {
    let clock = ManualClock::new();
    let memory = Arc::new(Memory::new(usize::MAX));
    let shared = SharedClock::Custom(Arc::new(clock.clone()));
    let buckets = |_| Buckets::new(Layout::durations(), &[0.1]).expect("bounds");
    let sizes = Buckets::new(Layout::bytes(), &[1024.0]).expect("bounds");
    let slow = SlowLog::new(0, Duration::ZERO, &[], 0);
    let running = None;
    let findings = Findings::new(QueryLimits::default(), 0);
    let late = Late {
        slow,
        running,
        findings,
    };
    let registry = Registry::new(shared, labels, buckets, &sizes, cap, memory, late);
    (registry, clock)
}

#[test]
fn the_same_labels_lead_to_the_same_operation() {
    let (registry, _) = registry(10);
    let set = registry.set(Domain::Http);
    assert!(Arc::ptr_eq(
        set.get(&["GET", "/a"]),
        set.get(&["GET", "/a"])
    ));
    assert!(
        !Arc::ptr_eq(set.get(&["GET", "/a"]), set.get(&["GET/", "a"])),
        "no ambiguity by concatenation"
    );
}

#[test]
fn two_registries_on_one_thread_never_mix() {
    let ((one, _), (two, _)) = (registry(10), registry(10));
    let routes = ["/a", "/b", "/c"];
    for _ in 0..3 {
        for registry in [&one, &two] {
            for route in routes {
                let set = registry.set(Domain::Http);
                set.get(&["GET", route]).record(Outcome::Ok, 1);
            }
        }
    }
    for registry in [one, two] {
        let operations = registry.set(Domain::Http).operations();
        let labels: Vec<&str> = operations.iter().map(|found| &*found.labels()[1]).collect();
        assert_eq!(labels, routes);
        for operation in operations {
            let series = operation.each_series().next().expect("one series");
            assert_eq!(series.histogram.count(), 3);
        }
    }
}

#[test]
fn a_registry_in_the_place_of_a_dropped_one_begins_anew() {
    let mut places = std::collections::HashSet::new();
    for _ in 0..100 {
        let (registry, _) = registry(10);
        let set = registry.set(Domain::Http);
        places.insert(std::ptr::from_ref(set));
        let operation = Arc::downgrade(set.get(&["GET", "/a"]));
        set.get(&["GET", "/a"]).record(Outcome::Ok, 1);
        assert!(Arc::ptr_eq(&set.operations()[0], set.get(&["GET", "/a"])));
        let found = operation.upgrade().expect("its set is there");
        let series = found.each_series().next().expect("one series");
        assert_eq!(series.histogram.count(), 1);
        drop((found, registry));
        assert!(operation.upgrade().is_none(), "nobody keeps it");
    }
    assert!(places.len() < 100, "no place was used again");
}

#[test]
fn other_labels_at_the_same_address_are_another_operation() {
    let (registry, _) = registry(10);
    let set = registry.set(Domain::Http);
    let mut route = String::from("/a");
    let address = route.as_ptr();
    for text in ["/a", "/b", "/a", "/b"] {
        route.clear();
        route.push_str(text);
        assert_eq!(route.as_ptr(), address);
        assert_eq!(&*set.get(&["GET", &route]).labels()[1], text);
        assert_eq!(&*set.get(&["GET", &route[..1]]).labels()[1], "/");
    }
    assert_eq!(set.operations().len(), 3);
}

#[test]
fn a_flood_of_paths_is_told_apart_and_leaves_nothing_behind() {
    const CAP: usize = 1_000;
    let (registry, _) = registry(CAP);
    let set = registry.set(Domain::Http);
    for nth in 0..100_000_u64 {
        let path = format!("/{:x}", nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..2 {
            let operation = set.get(&["GET", &path]);
            let label = if nth < CAP as u64 { &path } else { OTHER };
            assert_eq!(&*operation.labels()[1], label);
        }
    }
    assert_eq!(set.overflow(), 2 * (100_000 - CAP as u64));
    let operations: Vec<_> = set.operations().iter().map(Arc::downgrade).collect();
    assert_eq!(operations.len(), CAP + 1);
    drop(registry);
    assert!(operations.iter().all(|gone| gone.upgrade().is_none()));
}

#[test]
fn every_domain_stands_at_its_index() {
    let (registry, _) = registry(10);
    for domain in Domain::ALL {
        assert_eq!(registry.set(domain).domain(), domain);
    }
}

#[test]
fn racing_threads_make_one_operation_and_one_series() {
    for _ in 0..50 {
        let (registry, _) = registry(10);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    registry
                        .set(Domain::Db)
                        .get(&["select", "orders"])
                        .record(Outcome::Ok, 5_000)
                });
            }
        });
        let operations = registry.set(Domain::Db).operations();
        assert_eq!(operations.len(), 1);
        let series: Vec<_> = operations[0].each_series().collect();
        assert_eq!(series.len(), 1);
        assert_eq!(series[0].histogram.count(), 4);
    }
}

#[test]
fn what_comes_after_the_cap_is_other_and_counted() {
    let (registry, _) = registry(3);
    let set = registry.set(Domain::Modbus);
    for device in 0..10 {
        set.get(&[&format!("d{device}"), "read"])
            .record(Outcome::Ok, 1_000);
    }
    set.declare(&["declared", "read"])
        .record(Outcome::Ok, 1_000);
    assert!(Arc::ptr_eq(
        set.get(&["declared", "read"]),
        set.declare(&["declared", "read"])
    ));
    let counts: Vec<_> = set
        .operations()
        .iter()
        .map(|operation| {
            (
                operation.labels()[0].to_string(),
                operation.series(Outcome::Ok).histogram.count(),
            )
        })
        .collect();
    let expected = [
        ("d0", 1),
        ("d1", 1),
        ("d2", 1),
        ("other", 7),
        ("declared", 1),
    ];
    assert_eq!(
        counts,
        expected.map(|(device, count)| (device.to_owned(), count))
    );
    assert_eq!(set.overflow(), 7);
}

#[test]
fn a_dropped_operation_is_cancelled_and_a_panicking_one_an_error() {
    let (registry, clock) = registry(3);
    let operation = registry.set(Domain::Http).get(&["GET", "/a"]).clone();
    let under_way = operation.start();
    clock.advance(Duration::from_millis(3));
    assert_eq!(operation.in_flight(&operation.reading()), 1);
    drop(under_way);
    let panicking = operation.clone();
    thread::spawn(move || {
        let _under_way = panicking.start();
        std::panic::resume_unwind(Box::new("on purpose"));
    })
    .join()
    .expect_err("it panicked");
    operation.start().finish((Outcome::Ok, 200));
    assert_eq!(operation.in_flight(&operation.reading()), 0);
    let series: Vec<_> = operation
        .each_series()
        .map(|series| {
            (
                series.end.outcome,
                series.end.code,
                series.histogram.count(),
            )
        })
        .collect();
    assert_eq!(
        series,
        [
            (Outcome::Cancelled, 499, 1),
            (Outcome::Error, 500, 1),
            (Outcome::Ok, 200, 1)
        ]
    );
    assert_eq!(
        operation
            .series((Outcome::Cancelled, 499))
            .histogram
            .snapshot()
            .raw_sum(),
        3_000_000
    );
}

#[test]
fn one_name_has_one_kind_and_one_label_schema() {
    let (registry, _) = registry(2);
    let instruments = &registry.instruments;
    instruments
        .register(
            "jobs_total",
            "Jobs.",
            InstrumentKind::Counter,
            &[("queue", "a")],
        )
        .expect("new");
    let kind = instruments
        .register("jobs_total", "", InstrumentKind::Gauge, &[("queue", "a")])
        .expect_err("kind");
    assert_eq!(
        kind.to_string(),
        "instrument jobs_total is already a counter and cannot be a gauge too: choose another name"
    );
    let labels = instruments
        .register("jobs_total", "", InstrumentKind::Counter, &[])
        .expect_err("labels");
    assert!(
        labels
            .to_string()
            .contains("one family has one label schema"),
        "{labels}"
    );
    for name in ["", "9a", "a-b", "a b"] {
        assert!(
            instruments
                .register(name, "", InstrumentKind::Counter, &[])
                .is_err(),
            "{name:?}"
        );
    }
    for key in ["le", "__name__", "a-b", ""] {
        assert!(
            instruments
                .register("x", "", InstrumentKind::Counter, &[(key, "")])
                .is_err(),
            "{key:?}"
        );
    }
    for queue in ["b", "c", "d"] {
        instruments
            .register(
                "jobs_total",
                "",
                InstrumentKind::Counter,
                &[("queue", queue)],
            )
            .expect("capped");
    }
    let family = instruments.family("jobs_total").expect("there");
    assert_eq!(
        family.series.keys().flatten().collect::<Vec<_>>(),
        ["a", "b", "other"]
    );
    assert_eq!(instruments.overflow(), 2);
}

#[test]
fn a_proxy_that_passes_on_any_status_cannot_fill_the_memory() {
    let (registry, _) = registry(3);
    let operation = registry.set(Domain::Http).get(&["GET", "/proxy"]).clone();
    for _ in 0..2 {
        for status in 100..1000 {
            let outcome = if status < 500 {
                Outcome::Ok
            } else {
                Outcome::Error
            };
            operation.record((outcome, status), 5_000);
        }
    }
    let series: Vec<_> = operation.each_series().collect();
    assert!(series.len() <= 66, "{}", series.len());
    let of = |outcome| {
        let of_outcome = series.iter().filter(|series| series.end.outcome == outcome);
        of_outcome
            .map(|series| series.histogram.count())
            .sum::<u64>()
    };
    assert_eq!((of(Outcome::Ok), of(Outcome::Error)), (800, 1000));
}

/// Every lock of the registry is held while an operation is counted: taking one would never end.
#[test]
fn counting_takes_no_lock_once_the_series_exists() {
    let (registry, _) = registry(3);
    let set = registry.set(Domain::Http);
    let count = || set.get(&["GET", "/a"]).start().finish((Outcome::Ok, 200));
    count();
    let operation = set.get(&["GET", "/a"]);
    let reading = registry.reading();
    set.with_lock_held(|| {
        count();
        // A thread that has no blocks yet leases them, and ends.
        thread::scope(|scope| drop(scope.spawn(count)));
    });
    drop(reading);
    assert_eq!(operation.series((Outcome::Ok, 200)).histogram.count(), 3);
}

#[test]
fn a_query_that_nobody_names_is_one_however_it_is_looked_for() {
    let (registry, _) = registry(2);
    let set = registry.set(Domain::Db);
    let list = set.get(&["list", "devices"]);
    for _ in 0..2 {
        assert!(Arc::ptr_eq(set.get(&["list", "devices", ""]), list));
        let query = ["list", "devices", "list devices"];
        assert!(Arc::ptr_eq(set.get(&query), list));
        assert!(Arc::ptr_eq(set.declare(&["list", "devices"]), list));
    }
    assert_eq!(list.labels()[2], "list devices".into());
    let named = set.get(&["list", "devices", "all devices"]);
    assert!(!Arc::ptr_eq(named, list));
    let other = set.get(&["list", "orders"]);
    assert!(other.labels().iter().all(|label| **label == *OTHER));
    assert_eq!(set.operations().len(), 3);
}
