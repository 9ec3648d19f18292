use super::*;

fn histogram(schema: i8, positive: &[(i32, f64)]) -> NativeHistogram {
    let count = positive.iter().map(|bucket| bucket.1).sum();
    NativeHistogram {
        schema,
        count,
        sum: count,
        positive: positive.to_vec(),
        ..NativeHistogram::default()
    }
}

#[test]
fn bounds_are_prometheus_own() {
    assert_eq!((bound(0, 0), bound(3, 0), bound(-1, 0)), (1.0, 8.0, 0.5));
    assert_eq!((bound(1, -2), bound(-1, -4)), (16.0, 2_f64.powi(-16)));
    // Twice the table's 0.7071067811865475, which is not the nearest number to 1/√2.
    assert_eq!(bound(1, 1), std::f64::consts::SQRT_2.next_down());
    assert_eq!(bound(4, 3), bound(1, 1));
    assert_eq!((bound(1024, 0), bound(1025, 0)), (f64::MAX, f64::INFINITY));
    assert_eq!(bound(-1074, 0), 5e-324);
    assert_eq!(bound(i32::MIN, -4), 0.0);
}

#[test]
fn a_coarser_resolution_stands() {
    let mut sum = histogram(1, &[(1, 2.0), (2, 3.0), (3, 5.0)]);
    sum.add(&histogram(0, &[(1, 10.0), (4, 1.0)]));
    assert_eq!(sum.schema, 0);
    assert_eq!(sum.positive, [(1, 15.0), (2, 5.0), (4, 1.0)]);
    assert_eq!(sum.count, 21.0);
}

#[test]
fn a_wider_zero_bucket_stands_and_ends_where_a_bucket_ends() {
    // (1, 2] reaches beyond 1.5, so that the zero bucket goes up to 2.
    let mut sum = histogram(0, &[(0, 4.0), (1, 3.0), (2, 1.0)]);
    let mut wide = histogram(0, &[(2, 7.0)]);
    (wide.zero_threshold, wide.zero_count) = (1.5, 2.0);
    sum.add(&wide);
    assert_eq!((sum.zero_threshold, sum.zero_count), (2.0, 9.0));
    assert_eq!(sum.positive, [(2, 8.0)]);
}

#[test]
fn a_count_that_falls_is_a_restart() {
    let before = histogram(0, &[(1, 5.0), (2, 5.0)]);
    let grown = |positive: &[(i32, f64)]| growth(&[&before, &histogram(0, positive)]);
    assert_eq!(grown(&[(1, 5.0), (2, 8.0)]).positive, [(2, 3.0)]);
    assert_eq!(grown(&[(1, 2.0)]).positive, [(1, 2.0)], "fewer in all");
    assert_eq!(
        grown(&[(1, 4.0), (2, 9.0)]).positive,
        [(1, 4.0), (2, 9.0)],
        "fewer in one"
    );
    assert_eq!(
        grown(&[(2, 20.0)]).positive,
        [(2, 20.0)],
        "one that is gone"
    );
    let finer = growth(&[&before, &histogram(1, &[(1, 20.0)])]);
    assert_eq!((finer.schema, finer.positive), (1, vec![(1, 20.0)]));
}

#[test]
fn a_restart_in_between_adds_what_was_counted_before() {
    let points = [10.0, 30.0, 5.0, 6.0].map(|count| histogram(0, &[(1, count)]));
    let grown = growth(&points.each_ref());
    assert_eq!((grown.positive, grown.count), (vec![(1, 26.0)], 26.0));
}

#[test]
fn quantiles_are_interpolated_exponentially() {
    let octave = histogram(0, &[(1, 10.0)]);
    assert!((native_quantile(0.5, &octave) - 2_f64.sqrt()).abs() < 1e-15);
    assert_eq!(
        (native_quantile(0.0, &octave), native_quantile(1.0, &octave)),
        (1.0, 2.0)
    );
    assert_eq!(native_quantile(-0.1, &octave), f64::NEG_INFINITY);
    assert_eq!(native_quantile(1.1, &octave), f64::INFINITY);
    assert!(native_quantile(0.5, &NativeHistogram::default()).is_nan());
    let mirrored = NativeHistogram {
        negative: vec![(1, 10.0)],
        positive: Vec::new(),
        ..octave.clone()
    };
    assert!((native_quantile(0.25, &mirrored) + 2_f64.powf(0.75)).abs() < 1e-15);
    let zero = NativeHistogram {
        zero_threshold: 0.5,
        zero_count: 10.0,
        count: 20.0,
        ..octave
    };
    assert_eq!(
        native_quantile(0.25, &zero),
        0.25,
        "linear, from 0 up without values below"
    );
}

#[test]
fn what_is_none_is_refused() {
    let with = |change: fn(&mut NativeHistogram)| {
        let mut histogram = histogram(0, &[(1, 1.0), (2, 0.0)]);
        change(&mut histogram);
        histogram.checked()
    };
    assert_eq!(
        with(|_| {}).map(|checked| checked.positive),
        Ok(vec![(1, 1.0)])
    );
    assert_eq!(with(|h| h.schema = 9), Err(NativeError::Schema(9)));
    assert_eq!(with(|h| h.schema = -53), Err(NativeError::Schema(-53)));
    assert_eq!(
        with(|h| h.zero_threshold = -1.0),
        Err(NativeError::ZeroThreshold(-1.0))
    );
    assert_eq!(with(|h| h.zero_count = -1.0), Err(NativeError::Count(-1.0)));
    assert_eq!(
        with(|h| h.negative = vec![(1, -2.0)]),
        Err(NativeError::Count(-2.0))
    );
    assert_eq!(with(|h| h.positive.reverse()), Err(NativeError::Order(1)));
}

#[test]
fn logarithms_and_powers_are_those_of_numbers() {
    for at in 1..4000 {
        let value = f64::from(at) * 0.013;
        let (log, power) = (logarithm::log2(value), logarithm::exp2(value - 26.0));
        assert!(
            (log - value.log2()).abs() <= 1e-15 * log.abs().max(1.0),
            "{value}"
        );
        assert!(
            (power / (value - 26.0).exp2() - 1.0).abs() < 4e-16,
            "{value}"
        );
    }
    assert_eq!((logarithm::log2(8.0), logarithm::exp2(-3.0)), (3.0, 0.125));
}
