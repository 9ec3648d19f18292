use std::sync::Barrier;
use std::thread;

use super::*;

#[test]
fn what_a_block_is_stands_in_one_line() {
    use shard::Line;
    assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
}

#[test]
fn a_cell_that_is_emptied_again_and_again_keeps_its_count() {
    let histogram = durations(&[]);
    let memory = || histogram.reading().memory().taken();
    histogram.record(5_000);
    let narrow = memory();
    for count in 2..=10 * u64::from(FULL) {
        histogram.record(5_000);
        histogram.record(5_400);
        assert_eq!(histogram.count(), 2 * count - 1);
        assert_eq!(histogram.snapshot().raw_sum(), 10_400 * count - 5_400);
    }
    assert_eq!(memory(), narrow + 512, "wide cells came behind one page");
}

/// What a reader pays for series that nobody writes to: `cargo test --release -- --ignored --nocapture marks`.
#[test]
#[ignore = "prints a measurement"]
fn marks_of_series_that_nobody_writes_to() {
    const SERIES: u32 = 10_000;
    let memory = Arc::new(Memory::new(usize::MAX));
    let buckets = Buckets::new(Layout::durations(), &[0.1]).expect("bounds");
    let make = |_| Histogram::within(buckets.clone(), memory.clone());
    let all: Vec<Histogram> = (0..SERIES).map(make).collect();
    for threads in 1..=2 {
        let written = Barrier::new(2);
        let write = || all.iter().for_each(|histogram| histogram.record(5_000));
        thread::scope(|scope| {
            // The second writer lives for as long as is measured.
            scope.spawn(|| {
                (threads == 2).then(&write);
                written.wait();
                written.wait();
            });
            write();
            written.wait();
            let best = (0..200).map(|_| {
                let started = std::time::Instant::now();
                let reading = memory.reading();
                let marks = all.iter().map(|histogram| histogram.mark(&reading));
                std::hint::black_box(marks.fold(0, u64::wrapping_add));
                started.elapsed() / SERIES
            });
            println!("{threads} writers: {:?} for a mark", best.min());
            written.wait();
        });
    }
}

fn blocks(histogram: &Histogram) -> usize {
    let mut blocks = 0;
    histogram.cells.read(&histogram.reading(), |_| blocks += 1);
    blocks
}

#[test]
fn what_ended_threads_counted_is_folded_into_one_block() {
    let histogram = Arc::new(durations(&[]));
    for _ in 0..100 {
        let histogram = histogram.clone();
        thread::spawn(move || histogram.record(5_000))
            .join()
            .expect("no panic");
    }
    assert_eq!(histogram.count(), 100);
    assert_eq!(histogram.snapshot().raw_sum(), 500_000);
    assert_eq!(blocks(&histogram), 1);
    histogram.record(5_000);
    assert_eq!((histogram.count(), blocks(&histogram)), (101, 2));
}

#[test]
fn threads_share_when_the_byte_budget_is_spent_and_nothing_is_lost() {
    for limit in [0, 1_000, 1_400, 100_000] {
        let memory = Arc::new(Memory::new(limit));
        let buckets = Buckets::new(Layout::durations(), &[0.1]).expect("bounds");
        let histogram = Histogram::within(buckets, memory.clone());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for value in 0..10_000_u64 {
                        histogram.record(value * 104_729 % 2_000_000_000);
                    }
                    histogram.record(u64::MAX);
                });
            }
        });
        let snapshot = histogram.snapshot();
        assert_eq!(
            (snapshot.count(), snapshot.saturated()),
            (30_003, 3),
            "limit {limit}"
        );
        let one: u64 = (0..10_000)
            .map(|value| value * 104_729 % 2_000_000_000)
            .sum();
        assert_eq!(
            snapshot.raw_sum(),
            3 * (one + 3_600_000_000_000),
            "limit {limit}"
        );
        drop(histogram);
        assert_eq!((memory.taken(), memory.shared()), (0, 0), "limit {limit}");
    }
}

#[test]
fn a_dropped_histogram_leaves_nothing_to_its_successor() {
    for round in 0..2_000_u64 {
        let histogram = durations(&[]);
        assert_eq!(histogram.count(), 0);
        for _ in 0..=round % 3 {
            histogram.record(5_000);
        }
        assert_eq!(histogram.count(), round % 3 + 1);
    }
}

#[test]
fn a_dropped_histogram_gives_back_its_bytes_while_its_threads_live_on() {
    let memory = Arc::new(Memory::new(DEFAULT_LIMIT));
    let buckets = Buckets::new(Layout::durations(), &[]).expect("bounds");
    for _ in 0..3 {
        let histogram = Histogram::within(buckets.clone(), memory.clone());
        histogram.record(5_000);
        assert!(memory.taken() > 0);
        drop(histogram);
        assert_eq!(memory.taken(), 0);
    }
}

#[test]
fn recording_while_the_thread_is_torn_down() {
    static HISTOGRAM: std::sync::OnceLock<Histogram> = std::sync::OnceLock::new();
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            HISTOGRAM.get_or_init(|| durations(&[])).record(5_000);
        }
    }
    thread_local!(static LATE: Late = const { Late });
    let histogram = HISTOGRAM.get_or_init(|| durations(&[]));
    thread::spawn(|| {
        // Destructors run in the order of registration or against it: either way one record comes late.
        LATE.with(|_| ());
        HISTOGRAM.get_or_init(|| durations(&[])).record(5_000);
    })
    .join()
    .expect("no panic");
    thread::spawn(|| {
        HISTOGRAM.get_or_init(|| durations(&[])).record(5_000);
        LATE.with(|_| ());
    })
    .join()
    .expect("no panic");
    assert_eq!(histogram.count(), 4);
}

#[test]
fn nothing_is_lost_or_invented_under_readers() {
    const WRITERS: u64 = 2;
    const EACH: u64 = 300_000;
    let histogram = durations(&[0.1]);
    let start = Barrier::new(WRITERS as usize + 1);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (histogram, start) = (&histogram, &start);
            scope.spawn(move || {
                start.wait();
                for i in 0..EACH {
                    histogram.record(1_000_000 + (i * 7919 + writer) % 400_000_000);
                }
            });
        }
        start.wait();
        let mut last = 0;
        while last < WRITERS * EACH {
            let snapshot = histogram.snapshot();
            let count = snapshot.count();
            assert!((last..=WRITERS * EACH).contains(&count), "counts only grow");
            assert!(
                snapshot.raw_sum() <= count * 401_000_000,
                "what the sum covers is counted"
            );
            last = count;
        }
    });
    assert_eq!(histogram.count(), WRITERS * EACH);
}
