use std::sync::Barrier;
use std::thread;

use proptest::prelude::*;

use super::*;

fn durations(bounds: &[f64]) -> Histogram {
    Histogram::new(Buckets::new(Layout::durations(), bounds).expect("bounds"))
}

/// Values at and around every edge, every power of two and every slot border.
fn probes(buckets: &Buckets) -> Vec<u64> {
    let mut values = vec![0, 1, 2, 3];
    for cell in 0..buckets.cell_count() {
        let (low, high) = buckets.cell_range(cell);
        values.extend([low.saturating_sub(1), low, (low + high) / 2, high, high + 1]);
    }
    for octave in 0..47 {
        for slot in 0..128_u64 {
            let border = (1_u64 << octave) + (((1_u64 << octave) * slot) >> 7);
            values.extend([border.saturating_sub(1), border, border + 1]);
        }
    }
    values.retain(|&value| value <= buckets.max());
    values
}

#[test]
fn every_value_finds_the_cell_that_a_search_finds() {
    let default = [
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
    let crowded = [
        0.1,
        0.100_000_001,
        0.100_01,
        0.100_1,
        0.1005,
        0.000_001,
        3600.0,
    ];
    for (layout, bounds) in [
        (Layout::durations(), &default[..]),
        (Layout::durations(), &crowded[..]),
        (Layout::durations(), &[][..]),
        (Layout::counts(), &[0.0, 1.0, 2.0, 10.0, 1000.0][..]),
        (Layout::bytes(), &[1024.0, 1_048_576.0][..]),
        (Layout::ratios(), &[0.5, 0.999, 1.0][..]),
        (Layout::of(Unit::Milliseconds), &[0.5, 100.0][..]),
        (Layout::of(Unit::Microseconds), &[0.001, 100.0][..]),
        (Layout::of(Unit::Nanoseconds), &[1.0, 100.0][..]),
        (Layout::of(Unit::Tebibytes), &[0.25, 64.0][..]),
        (Layout::of(Unit::Number), &[0.001, 1e6][..]),
    ] {
        let buckets = Buckets::new(layout, bounds).expect("bounds");
        let mut slow = 0;
        for value in probes(&buckets) {
            let cell = buckets.cell(value);
            let (low, high) = buckets.cell_range(cell);
            assert!(
                (low..=high).contains(&value),
                "{layout:?}: {value} is not in {low}..={high}"
            );
            let quick = buckets.quick_cell(value);
            let nowhere = buckets.cell_count().next_multiple_of(64);
            let right =
                quick.is_none_or(|quick| quick == cell || quick == nowhere || quick == nowhere + 1);
            assert!(right, "{layout:?}: {value} is in {cell}, not {quick:?}");
            slow += usize::from(quick != Some(cell));
        }
        assert!(
            slow < probes(&buckets).len() / 4,
            "{layout:?}: {slow} values take the slow way"
        );
        for value in [buckets.max() + 1, 1 << 48, 1 << 62, 1 << 63, u64::MAX] {
            let quick = buckets.quick_cell(value);
            assert!(
                quick.is_none_or(|quick| quick >= buckets.cell_count()),
                "{value}: {quick:?}"
            );
        }
    }
}

#[test]
fn no_cell_straddles_a_schema_bound() {
    let buckets = Buckets::new(Layout::durations(), &[0.1, 0.2, 0.25]).expect("bounds");
    for cell in 1..buckets.cell_count() {
        let (low, high) = buckets.cell_range(cell);
        let bucket = ((high as f64 / 1e9).log2() * 64.0 - 1e-9).ceil();
        let below = 1e9 * ((bucket - 1.0) / 64.0).exp2();
        assert!(
            low as f64 > below,
            "cell {low}..={high} reaches below {below}"
        );
    }
}

#[test]
fn bounds_are_exact_to_the_nanosecond() {
    let histogram = durations(&[0.1]);
    histogram.record(100_000_000);
    histogram.record(100_000_001);
    let snapshot = histogram.snapshot();
    assert_eq!(
        (snapshot.at_or_below(0.1), snapshot.above(0.1)),
        (Some(1), Some(1))
    );
    assert_eq!(snapshot.at_or_below(0.2), None);
}

#[test]
fn out_of_range_values_are_clamped_and_counted() {
    let histogram = durations(&[1.0]);
    histogram.record(0);
    histogram.record(u64::MAX);
    let snapshot = histogram.snapshot();
    assert_eq!((snapshot.count(), snapshot.saturated()), (2, 1));
    assert_eq!(snapshot.sum(), 3600.0);
}

#[test]
fn values_below_the_range_are_found_quickly() {
    let buckets = Buckets::new(Layout::durations(), &[]).expect("bounds");
    for value in 1..900 {
        assert_eq!(buckets.quick_cell(value), Some(0), "{value} ns");
    }
}

#[test]
fn the_greatest_value_and_the_mean() {
    let histogram = durations(&[]);
    assert_eq!(histogram.snapshot().max(), None);
    [3_000_000, 1_000_000_000, 2_000_000]
        .into_iter()
        .for_each(|value| histogram.record(value));
    let snapshot = histogram.snapshot();
    let max = snapshot.max().expect("values");
    assert!((1.0..=1.011).contains(&max), "{max}");
    assert_eq!(snapshot.mean(), Some(1.005 / 3.0));
}

#[test]
fn bounds_that_are_no_numbers_are_refused() {
    for bound in [f64::NAN, f64::INFINITY, -0.1, 3601.0] {
        let error = Buckets::new(Layout::durations(), &[0.1, bound]).expect_err("refused");
        assert!(
            error
                .to_string()
                .contains("is not a number between 0 and 3600"),
            "{error}"
        );
    }
    for (layout, bound) in [
        (Layout::durations(), 0.000_000_001_5),
        (Layout::of(Unit::Milliseconds), 0.100_000_5),
        (Layout::counts(), 2.5),
    ] {
        let error = Buckets::new(layout, &[bound]).expect_err("refused");
        assert!(
            error.to_string().contains("is not a whole number of steps"),
            "{error}"
        );
    }
    let sums = Buckets::new(Layout::durations(), &[0.1 + 0.2, 0.3, 3_599.999_999_999]);
    let bounds: Vec<f64> = sums.expect("whole").bounds().collect();
    assert_eq!(bounds, [0.3, 3_599.999_999_999]);
    let empty = Buckets::new(Layout::durations().range(10, 10), &[]).expect_err("refused");
    assert!(empty.to_string().contains("1 <= min < max"), "{empty}");
}

#[test]
fn paced_work_has_the_values_that_a_stall_hides() {
    let ms = 1_000_000;
    for (value, interval) in [
        (0, 0),
        (5, 0),
        (5, 5),
        (9, 5),
        (10, 5),
        (11, 5),
        (1_003, 10),
        (3, 7),
    ] {
        let histogram = durations(&[]);
        let mut oracle = hdrhistogram::Histogram::<u64>::new(5).expect("digits");
        assert_eq!(histogram.record_paced(value * ms, interval * ms), 0);
        let correct = oracle.record_correct(value * ms, interval * ms);
        correct.expect("resizes");
        let snapshot = histogram.snapshot();
        assert_eq!(snapshot.count(), oracle.len(), "{value} by {interval}");
        let sum: u64 = (0..oracle.len())
            .map(|nth| value * ms - nth * interval * ms)
            .sum();
        assert_eq!(snapshot.raw_sum(), sum, "{value} by {interval}");
    }
}

#[test]
fn a_stall_without_end_adds_a_bounded_number_of_values() {
    let histogram = durations(&[]);
    // An hour, the range's end, is 3.6e12 intervals of 1 ns; all but the last one are missing.
    let left_out = histogram.record_paced(u64::MAX, 1);
    assert_eq!(left_out, 3_600_000_000_000 - 1 - 10_000);
    let snapshot = histogram.snapshot();
    assert_eq!((snapshot.count(), snapshot.saturated()), (10_001, 1));
}

#[test]
fn a_difference_is_what_came_in_between() {
    let histogram = durations(&[0.1]);
    histogram.record(50_000_000);
    let first = histogram.snapshot();
    histogram.record(u64::MAX);
    let second = histogram.snapshot();
    let added = second.since(&first).expect("the same buckets");
    assert_eq!((added.count(), added.saturated()), (1, 1));
    assert_eq!((added.sum(), added.above(0.1)), (3600.0, Some(1)));
    assert_eq!(first.since(&second).expect("the same").count(), 0);
    assert!(durations(&[0.1]).snapshot().since(&first).is_none());
}

#[test]
fn an_empty_histogram_has_no_quantile() {
    let snapshot = durations(&[0.1]).snapshot();
    assert_eq!(snapshot.quantile(0.5), None);
    assert_eq!(snapshot.quantile_prom(0.5), None);
    assert_eq!(snapshot.mean(), None);
    let histogram = durations(&[0.1]);
    histogram.record(5);
    assert_eq!(histogram.snapshot().quantile(1.5), None);
}

#[test]
fn prometheus_interpolation() {
    let histogram = durations(&[0.1, 0.2, 0.4]);
    for ms in [50_u64, 150, 150, 150, 300, 300, 300, 300, 500, 500] {
        histogram.record(ms * 1_000_000);
    }
    let snapshot = histogram.snapshot();
    assert_eq!(snapshot.cumulative(), [1, 4, 8]);
    // rank 5 of 10: one of the four in (0.2, 0.4]
    assert_eq!(snapshot.quantile_prom(0.5), Some(0.2 + (0.4 - 0.2) * 0.25));
    assert_eq!(snapshot.quantile_prom(0.05), Some(0.0 + 0.1 * 0.5));
    assert_eq!(
        snapshot.quantile_prom(0.99),
        Some(0.4),
        "saturates at the highest finite bound"
    );
}

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

proptest! {
    #[test]
    fn quantiles_stay_within_their_error_of_an_exact_sort(
        mut values in prop::collection::vec(1_000_u64..3_600_000_000_000, 1..400),
        q in 0.0..=1.0_f64,
    ) {
        let histogram = durations(&[0.1, 0.5]);
        values.iter().for_each(|&value| histogram.record(value));
        values.sort_unstable();
        let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
        let exact = values[rank - 1] as f64 / 1e9;
        let snapshot = histogram.snapshot();
        let quantile = snapshot.quantile(q).expect("not empty");
        let error = Layout::durations().relative_error();
        prop_assert!((quantile - exact).abs() <= exact * error, "{quantile} for {exact}");
        let (low, high) = snapshot.quantile_bounds(q).expect("not empty");
        prop_assert!(low <= exact && exact <= high);
        prop_assert_eq!(snapshot.raw_sum(), values.iter().sum::<u64>());
        let below = values.iter().filter(|&&value| value <= 500_000_000).count() as u64;
        prop_assert_eq!(snapshot.at_or_below(0.5), Some(below));
    }

    #[test]
    fn quantiles_agree_with_an_independent_histogram(
        values in prop::collection::vec(1_000_u64..60_000_000_000, 1..400),
        q in 0.01..=0.99_f64,
    ) {
        let histogram = durations(&[]);
        let mut oracle = hdrhistogram::Histogram::<u64>::new_with_bounds(1_000, 60_000_000_000, 3).expect("bounds");
        for &value in &values {
            histogram.record(value);
            oracle.record(value).expect("in range");
        }
        let ours = histogram.snapshot().quantile(q).expect("not empty");
        let theirs = oracle.value_at_quantile(q) as f64 / 1e9;
        // Half a bucket of ours and a thousandth of theirs.
        prop_assert!((ours - theirs).abs() <= theirs * 0.0066, "{ours} and {theirs}");
    }
}

#[test]
fn native_buckets_hold_what_their_bounds_say() {
    let indices: Vec<i32> = (-2_000..3_000).collect();
    for (layout, bounds) in [
        // Two bounds in the zero bucket, two in one bucket of the schema.
        (
            Layout::durations(),
            &[0.000_000_3, 0.000_000_5, 0.1, 0.100_01][..],
        ),
        (Layout::counts(), &[0.0, 1.0, 2.0, 10.0, 1000.0][..]),
        (Layout::bytes(), &[1024.0, 1_048_576.0][..]),
        (Layout::ratios(), &[0.5, 0.999, 1.0][..]),
    ] {
        let histogram = Histogram::new(Buckets::new(layout, bounds).expect("bounds"));
        let scale = layout.unit().scale();
        let bound = |index: i32| 2_f64.powf(f64::from(index) / 64.0) * scale;
        let threshold = histogram
            .snapshot()
            .native(NativeSchema::default())
            .zero_threshold
            * scale;
        let (mut zero, mut expected) = (0, std::collections::BTreeMap::new());
        for value in probes(histogram.buckets()) {
            histogram.record(value);
            if value as f64 <= threshold {
                zero += 1;
            } else {
                let at = indices.partition_point(|&index| bound(index) < value as f64);
                *expected.entry(indices[at]).or_insert(0) += 1;
            }
        }
        let native = histogram.snapshot().native(NativeSchema::default());
        assert_eq!(
            native.buckets,
            expected.into_iter().collect::<Vec<_>>(),
            "{layout:?}"
        );
        assert_eq!(native.zero_count, zero, "{layout:?}");
    }
}

#[test]
fn a_lower_schema_is_the_sum_of_its_parts() {
    let histogram = durations(&[0.1, 0.2]);
    probes(histogram.buckets())
        .into_iter()
        .for_each(|value| histogram.record(value));
    let snapshot = histogram.snapshot();
    for schema in -4..6 {
        let (coarse, fine) = [schema, schema + 1]
            .map(|schema| snapshot.native(NativeSchema::nearest(schema)))
            .into();
        assert!(coarse.buckets.len() < fine.buckets.len());
        for (index, count) in coarse.buckets {
            let parts = fine.buckets.iter();
            let parts = parts.filter(|(part, _)| [2 * index - 1, 2 * index].contains(part));
            assert_eq!(
                count,
                parts.map(|(_, count)| count).sum::<u64>(),
                "{schema}: {index}"
            );
        }
        assert_eq!(coarse.zero_count, fine.zero_count);
    }
    assert_eq!(NativeSchema::nearest(9), NativeSchema::default());
    assert_eq!(NativeSchema::nearest(-9).number(), -4);
}
