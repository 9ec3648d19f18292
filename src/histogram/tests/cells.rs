use super::*;

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
