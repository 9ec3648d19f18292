use proptest::prelude::*;

use super::*;

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
