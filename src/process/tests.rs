use std::time::Duration;

use super::*;
use crate::export::Format;
use crate::{AlertState, Budget, Expr, ManualClock, Naming, Selector};

fn observed() -> Plimsoll {
    let plimsoll = Plimsoll::builder()
        .naming(Naming::classic().prefix("shop_"))
        .build()
        .expect("defaults");
    plimsoll.observe_process();
    plimsoll.observe_allocator(AllocatorStats::glibc);
    plimsoll
}

#[cfg(target_os = "linux")]
#[test]
fn the_standard_families_are_on_the_page_without_prefix() {
    let page = observed().render();
    for line in [
        "# TYPE process_cpu_seconds_total counter",
        "# TYPE process_open_fds gauge",
        "# TYPE process_max_fds gauge",
        "# TYPE process_virtual_memory_bytes gauge",
        "# TYPE process_virtual_memory_max_bytes gauge",
        "# TYPE process_resident_memory_bytes gauge",
        "# TYPE process_start_time_seconds gauge",
        "# TYPE process_threads gauge",
        "# TYPE process_disk_read_bytes_total counter",
        "# TYPE process_disk_written_bytes_total counter",
        "# TYPE process_network_receive_bytes_total counter",
        "# TYPE process_network_transmit_bytes_total counter",
        "plimsoll_families_dropped_total 0",
    ] {
        assert!(page.lines().any(|known| known == line), "{line}\n{page}");
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn glibc_counts_what_is_allocated() {
    let allocated = || AllocatorStats::glibc().and_then(|stats| stats.allocated);
    let before = allocated().expect("a glibc that has it");
    // So much that other tests do not give it back meanwhile.
    let held = std::hint::black_box(vec![0_u8; 256 << 20]);
    let after = allocated().expect("as before");
    assert!(after >= before + (128 << 20), "{before} {after}");
    drop(held);
    assert!(observed().render().contains("\nprocess_heap_mapped_bytes "));
}

#[test]
fn whatever_is_shown_may_be_read_by_rules_and_is_known_by_name() {
    let plimsoll = observed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    plimsoll.observe_runtime(runtime.handle());
    let every = AllocatorStats {
        allocated: Some(1),
        free: Some(2),
        mapped: Some(3),
        resident: Some(4),
    };
    plimsoll.observe_allocator(move || Some(every));
    let shown: Vec<String> = plimsoll
        .families()
        .into_iter()
        .map(|family| family.name)
        .collect();
    let readable = plimsoll.inner().naming.readable();
    let ours: Vec<&String> = shown
        .iter()
        .filter(|name| name.starts_with("process_") || name.starts_with("tokio_"))
        .collect();
    assert!(ours.len() >= 9, "{shown:?}");
    for name in ours {
        assert!(readable.contains(name), "{name} has to be in the table");
    }
}

#[test]
fn a_budget_judges_it() {
    let clock = ManualClock::new();
    let heap = Expr::select(Selector::new("process_heap_allocated_bytes")).sum();
    let plimsoll = Plimsoll::builder()
        .clock(clock.clone())
        .manual_tick()
        .budget(Budget::value("heap", heap).at_most(1e6))
        .build()
        .expect("a family that is known");
    let state = || {
        clock.advance(Duration::from_secs(1));
        plimsoll.tick();
        plimsoll.budgets()[0].state
    };
    assert_eq!(state(), AlertState::Inactive, "nobody observes it yet");
    let heap = |allocated| AllocatorStats {
        allocated: Some(allocated),
        ..AllocatorStats::default()
    };
    plimsoll.observe_allocator(move || Some(heap(2_000_000)));
    assert_eq!(state(), AlertState::Firing);
    plimsoll.observe_allocator(move || Some(heap(500_000)));
    assert_eq!(state(), AlertState::Inactive, "the later one holds");
    plimsoll.observe_allocator(|| panic!("it has a bug"));
    assert!(!plimsoll.render().contains("process_heap"));
}

#[test]
fn every_format_has_it_and_counters_began_with_the_process() {
    let plimsoll = observed();
    let page = plimsoll.render_as(Format::OpenMetrics { created: true });
    let page = String::from_utf8(page).expect("text");
    assert!(
        page.contains("# UNIT process_cpu_seconds seconds\n"),
        "{page}"
    );
    let value = |name: &str| -> f64 {
        let mut lines = page.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.expect(name).parse().expect("a number")
    };
    assert_eq!(
        value("process_cpu_seconds_created"),
        value("process_start_time_seconds")
    );
    assert!(value("process_network_receive_bytes_created") > value("process_start_time_seconds"));
}

#[test]
fn a_name_that_somebody_else_has_is_theirs() {
    let plimsoll = Plimsoll::builder().build().expect("defaults");
    let threads = plimsoll.gauge("process_threads").register();
    threads.expect("a free name").set(-7.0);
    plimsoll.observe_process();
    let page = plimsoll.render();
    assert!(page.contains("\nprocess_threads -7.0\n"), "{page}");
    assert!(
        page.contains("\nplimsoll_families_dropped_total 1\n"),
        "{page}"
    );
}
