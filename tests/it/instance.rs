//! Everything hangs off one value, and goes with it.

use std::time::Duration;

use plimsoll::{Budget, Naming, Outcome, Plimsoll, Select};

#[cfg(target_os = "linux")]
use crate::alone::{is_alone, resident};

#[test]
fn handles_can_be_shared() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Plimsoll>();
    shared::<plimsoll::Counter>();
    shared::<plimsoll::Gauge>();
    shared::<plimsoll::Operation>();
    shared::<std::sync::Arc<plimsoll::Histogram>>();
}

#[test]
fn two_instances_with_two_prefixes_live_side_by_side() {
    let build = |prefix: &str| {
        Plimsoll::builder()
            .naming(Naming::classic().prefix(prefix))
            .build()
            .unwrap()
    };
    let (a, b) = (build("a_"), build("b_"));
    a.operation("work")
        .record(Outcome::Ok, Duration::from_millis(1));
    (0..5).for_each(|_| {
        b.operation("work")
            .record(Outcome::Error, Duration::from_millis(1))
    });
    assert_eq!(
        (a.stats().operations[0].count, b.stats().operations[0].count),
        (1, 5)
    );
    assert!(
        a.render()
            .contains("a_operation_duration_seconds_count{operation=\"work\",outcome=\"ok\"} 1")
    );
    assert!(!a.render().contains("b_operation_duration"));
    assert!(
        b.render()
            .contains("b_operation_duration_seconds_count{operation=\"work\",outcome=\"error\"} 5")
    );
}

#[cfg(target_os = "linux")]
fn ticking_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |task: std::fs::DirEntry| {
        std::fs::read_to_string(task.path().join("comm")).unwrap_or_default()
    };
    tasks
        .map(name)
        .filter(|name| name.trim() == "plimsoll-tick")
        .count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_rebuilds_leave_no_memory_no_thread_and_no_count() {
    if !is_alone("instance::a_thousand_rebuilds_leave_no_memory_no_thread_and_no_count") {
        return;
    }
    let round = |round: u64| {
        let pair = ["a_", "b_"].map(|prefix| {
            Plimsoll::builder()
                .naming(Naming::classic().prefix(prefix))
                .budget(Budget::error_ratio("errors", Select::operation("work")).at_most(0.0))
                .on_breach(|_| {})
                .build()
                .unwrap()
        });
        for plimsoll in &pair {
            assert!(
                plimsoll
                    .stats()
                    .operations
                    .iter()
                    .all(|operation| operation.count == 0),
                "round {round}"
            );
            plimsoll
                .operation("work")
                .record(Outcome::Error, Duration::from_millis(1));
            plimsoll
                .operation(&format!("work-{}", round % 7))
                .record(Outcome::Ok, Duration::from_millis(1));
            assert_eq!(
                plimsoll
                    .stats()
                    .operations
                    .iter()
                    .map(|operation| operation.count)
                    .sum::<u64>(),
                2
            );
            plimsoll.tick();
        }
    };
    (0..100).for_each(round);
    let before = resident();
    (100..1_100).for_each(round);
    let grown = resident().saturating_sub(before);
    // One pair keeps about 200 KiB while it lives: a leak of one in ten would show.
    assert!(grown < 16 << 20, "{grown} bytes after 1000 rebuilds");
    let gone = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        ticking_threads() < 20
    });
    assert!(gone, "{} ticking threads are left", ticking_threads());
}

#[test]
fn the_global_instance_is_built_once_and_a_failure_can_be_mended() {
    let broken = || Plimsoll::builder().max_series(0).manual_tick().build();
    assert!(Plimsoll::global(broken).is_err());
    let first =
        Plimsoll::global(|| Plimsoll::builder().service("first").manual_tick().build()).unwrap();
    let second = Plimsoll::global(broken).unwrap();
    assert_eq!((first.service(), second.service()), ("first", "first"));
}

#[cfg(feature = "serde")]
#[test]
fn stats_are_serialisable() {
    let plimsoll = Plimsoll::builder().manual_tick().build().unwrap();
    plimsoll
        .operation("work")
        .record(Outcome::Error, Duration::from_millis(5));
    let json = serde_json::to_value(plimsoll.stats()).unwrap();
    assert_eq!(
        (&json["total"], &json["errors"], &json["error_ratio"]),
        (&0.into(), &0.into(), &0.0.into())
    );
    assert_eq!(json["thresholds"]["error_ratio"], 0.001);
    let operation = &json["operations"][0];
    assert_eq!(
        (&operation["kind"], &operation["count"]),
        (&"operation".into(), &1.into())
    );
    assert!((operation["p95"].as_f64().unwrap() - 0.005).abs() < 0.005 * 0.0055);
}
