use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;
use crate::clock::{ManualClock, SharedClock};

fn clock() -> (SharedClock, ManualClock) {
    let manual = ManualClock::new();
    (SharedClock::Custom(Arc::new(manual.clone())), manual)
}

/// Runs `work` as a part of the request with this record.
fn enter<R>(record: Option<(&mut Scope, &SharedClock)>, work: impl FnOnce() -> R) -> R {
    let here = Here::new(std::ptr::null(), record);
    let _entered = here.enter();
    work()
}

fn queried(ns: u64) {
    called(Call::Query(StatementId::of(&clock)), ns);
}

/// Of a request whose parts are told apart, and that may query as often as it likes.
fn record() -> Scope {
    Scope::new(true, None, QueryLimits::default())
}

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// (stage, milliseconds, how often) of a request that took so many milliseconds.
fn parts(scope: &Scope, total_ms: u64) -> Vec<(&'static str, u64, u64)> {
    let parts = scope.parts(total_ms * 1_000_000);
    parts
        .map(|(stage, tally)| (stage, tally.ns / 1_000_000, tally.count))
        .collect()
}

#[test]
fn a_stage_takes_what_its_insides_do_not() {
    let ((shared, clock), mut scope) = (clock(), record());
    enter(Some((&mut scope, &shared)), || {
        let outer = stage("outer");
        clock.advance(ms(1));
        for _ in 0..2 {
            let _inner = stage("inner");
            clock.advance(ms(10));
            queried(4_000_000);
        }
        called(Call::Device, 2_000_000);
        clock.advance(ms(2));
        outer.end();
        clock.advance(ms(5));
    });
    let expected = [
        ("query", 8, 2),
        ("device", 2, 1),
        ("inner", 12, 2),
        ("outer", 1, 1),
        ("rest", 5, 1),
    ];
    assert_eq!(parts(&scope, 28), expected);
    assert_eq!(scope.queries(), 2);
    let anatomy = scope.to_anatomy(28_000_000).expect("told apart");
    let shares: f64 = anatomy.parts.iter().map(|part| part.share).sum();
    assert!((shares - 1.0).abs() < 1e-9, "{shares}");
    let text = "query=8ms device=2ms inner=12ms outer=1ms rest=5ms";
    assert_eq!(anatomy.to_string(), text);
}

#[test]
fn what_overlaps_saturates_and_shares_still_add_up() {
    let ((shared, clock), mut scope) = (clock(), record());
    enter(Some((&mut scope, &shared)), || {
        let _both = stage("both");
        clock.advance(ms(10));
        queried(10_000_000);
        queried(10_000_000);
    });
    let expected = [("query", 20, 2), ("both", 0, 1), ("rest", 0, 1)];
    assert_eq!(parts(&scope, 10), expected);
    let anatomy = scope.to_anatomy(10_000_000).expect("told apart");
    assert_eq!(anatomy.parts[0].share, 1.0);
}

#[test]
fn the_ninth_name_is_other() {
    const NAMES: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let ((shared, clock), mut scope) = (clock(), record());
    enter(Some((&mut scope, &shared)), || {
        for name in NAMES.iter().chain(&NAMES) {
            let _stage = stage(name);
            clock.advance(ms(1));
        }
    });
    let parts = parts(&scope, 20);
    assert_eq!(parts.len(), 10);
    assert_eq!(parts[7..], [("h", 2, 2), ("other", 4, 4), ("rest", 0, 1)]);
}

#[test]
fn nested_requests_count_each_for_itself_and_a_panic_restores_the_outer_one() {
    let (shared, clock) = clock();
    let (mut outer, mut inner) = (record(), record());
    enter(Some((&mut outer, &shared)), || {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            enter(Some((&mut inner, &shared)), || {
                let _stage = stage("inner");
                clock.advance(ms(3));
                queried(1_000_000);
                std::panic::resume_unwind(Box::new("on purpose"));
            });
        }));
        assert!(panicked.is_err());
        called(Call::Device, 2_000_000);
        // A layer without a record leaves the request as it is.
        enter(None, || called(Call::Device, 2_000_000));
    });
    called(Call::Device, 2_000_000);
    assert_eq!(
        parts(&inner, 3),
        [("query", 1, 1), ("inner", 2, 1), ("rest", 0, 1)]
    );
    assert_eq!(parts(&outer, 4), [("device", 4, 2), ("rest", 0, 1)]);
}

#[test]
fn a_guard_moves_between_threads_with_its_request_and_counts_in_no_other() {
    let (shared, clock) = clock();
    let (mut own, mut other) = (record(), record());
    let (kept, lost, foreign) = enter(Some((&mut own, &shared)), || {
        (stage("kept"), stage("lost"), stage("foreign"))
    });
    clock.advance(ms(5));
    drop(lost);
    enter(Some((&mut other, &shared)), || drop(foreign));
    thread::scope(|threads| {
        threads.spawn(|| enter(Some((&mut own, &shared)), || drop(kept)));
    });
    assert_eq!(parts(&own, 6), [("kept", 5, 1), ("rest", 1, 1)]);
    assert_eq!(parts(&other, 6), [("rest", 6, 1)]);
}

#[test]
fn without_a_record_of_parts_no_clock_is_read() {
    struct NeverRead;
    impl crate::Clock for NeverRead {
        fn now_ns(&self) -> u64 {
            panic!("it was read")
        }
    }
    let shared = SharedClock::of(NeverRead);
    stage("nowhere").end();
    let mut traced = Scope::new(false, crate::TraceId::new([7; 16]), QueryLimits::default());
    enter(Some((&mut traced, &shared)), || {
        stage("traced only").end();
        assert_eq!(trace_id(), crate::TraceId::new([7; 16]));
    });
    assert_eq!(trace_id(), None);
}

#[test]
fn no_two_requests_have_one_id() {
    let ids = || (0..3).map(|_| record().id());
    let there = thread::spawn(move || ids().collect::<Vec<_>>());
    let mut all: Vec<_> = ids().collect();
    all.extend(there.join().expect("no panic"));
    for (nth, id) in all.iter().enumerate() {
        assert!(!all[..nth].contains(id), "{all:?}");
    }
}

#[test]
fn a_request_is_known_by_what_it_is_counted_as() {
    let (outer, inner) = (&1_u8, &2_u8);
    let subject = |it: &u8| std::ptr::from_ref(it).cast::<()>();
    assert!(!is_at(subject(outer)));
    let here = Here::new(subject(outer), None);
    let entered = here.enter();
    {
        let here = Here::new(subject(inner), None);
        let _entered = here.enter();
        assert!(is_at(subject(outer)) && is_at(subject(inner)));
    }
    assert!(is_at(subject(outer)) && !is_at(subject(inner)));
    drop(entered);
    assert!(!is_at(subject(outer)));
}

#[test]
fn what_came_as_often_as_the_limit_is_named_and_counted_with_its_time() {
    let (shared, _) = clock();
    let limits = QueryLimits {
        n_plus_one: 3,
        queries: 5,
    };
    let mut scope = Scope::new(true, None, limits);
    let [orders, items] = [&1_u8, &2].map(StatementId::of);
    let mut run = |statement| {
        enter(Some((&mut scope, &shared)), || {
            called(Call::Query(statement), 1_000_000)
        })
    };
    let asked = [items, orders, orders, items].map(&mut run);
    assert_eq!(asked, [false; 4]);
    assert!(run(items), "the third one");
    assert_eq!(scope.repeated(), None);
    enter(Some((&mut scope, &shared)), || name_latest("SELECT items"));
    let (ns, count) = (4_000_000, 4);
    enter(Some((&mut scope, &shared)), || {
        assert!(!called(Call::Query(items), 1_000_000));
        called(Call::Device, 1_000_000);
    });
    assert_eq!(
        scope.repeated(),
        Some(("SELECT items", Tally { ns, count }))
    );
    let (ns, count) = (6_000_000, 6);
    assert_eq!(scope.too_many(), Some(Tally { ns, count }));
    let anatomy = scope.to_anatomy(9_000_000).expect("told apart");
    let repeated = anatomy.n_plus_one.expect("named");
    assert_eq!(repeated.to_string(), "SELECT items x 4 in 4ms");
}

#[test]
fn what_is_joined_is_a_part_of_the_request_and_what_is_not_is_none() {
    let ((shared, clock), trace) = (clock(), crate::TraceId::new([7; 16]));
    let limits = QueryLimits {
        n_plus_one: 4,
        queries: 0,
    };
    let mut scope = Scope::new(true, trace, limits);
    let statements = [1_u8, 2];
    let query = |which: usize| {
        if called(Call::Query(StatementId::of(&statements[which])), 1_000_000) {
            name_latest(&which.to_string());
        }
    };
    let work = || {
        assert_eq!(trace_id(), trace);
        let _stage = stage("apart");
        clock.advance(ms(5));
        query(0);
        query(1);
        called(Call::Device, 1_000_000);
    };
    let forked = enter(Some((&mut scope, &shared)), || {
        query(0);
        [(); 4].map(|()| fork_sync(work))
    });
    let forked =
        thread::scope(|threads| forked.map(|work| threads.spawn(work).join().expect("no panic")));
    let [first, second, third, never] = forked;
    enter(Some((&mut scope, &shared)), || {
        _ = [first, second, third].map(Forked::join);
    });
    drop(never);
    let expected = [
        ("query", 7, 7),
        ("device", 3, 3),
        ("apart", 6, 3),
        ("rest", 4, 1),
    ];
    assert_eq!(parts(&scope, 20), expected);
    let (ns, count) = (4_000_000, 4);
    assert_eq!(scope.repeated(), Some(("0", Tally { ns, count })));
}

#[test]
fn a_fork_outside_of_a_request_does_nothing() {
    let forked = fork_sync(|| (trace_id(), 7))();
    let ((shared, _), mut scope) = (clock(), record());
    let joined = enter(Some((&mut scope, &shared)), || forked.join());
    assert_eq!(joined, (None, 7));
    assert_eq!(parts(&scope, 1), [("rest", 1, 1)]);
}

#[test]
fn a_record_is_as_large_as_the_documents_say() {
    let bytes = size_of::<Scope>();
    assert!((800..=900).contains(&bytes), "{bytes}");
}
