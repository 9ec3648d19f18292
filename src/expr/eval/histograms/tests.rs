use super::*;

fn of(q: f64, buckets: &[(f64, f64)]) -> f64 {
    in_dialect(q, buckets, Dialect::V3)
}

fn in_dialect(q: f64, buckets: &[(f64, f64)], dialect: Dialect) -> f64 {
    let buckets = buckets
        .iter()
        .map(|&(bound, count)| Bucket { bound, count });
    quantile(q, buckets.collect(), dialect)
}

const INF: f64 = f64::INFINITY;

#[test]
fn quantiles_are_interpolated() {
    let buckets = [(1.0, 10.0), (2.0, 30.0), (4.0, 40.0), (INF, 40.0)];
    assert_eq!(of(0.25, &buckets), 1.0, "a rank on a bound is the bound");
    assert_eq!(of(0.125, &buckets), 0.5, "from 0 below the first bound");
    assert_eq!(of(0.5, &buckets), 1.5);
    assert_eq!(of(1.0, &buckets), 4.0);
    assert_eq!((of(-0.1, &buckets), of(1.1, &buckets)), (-INF, INF));
    assert!(of(f64::NAN, &buckets).is_nan());
}

#[test]
fn the_highest_finite_bound_is_the_greatest_answer() {
    assert_eq!(of(0.99, &[(1.0, 1.0), (INF, 100.0)]), 1.0);
    assert_eq!(
        of(0.1, &[(-1.0, 50.0), (INF, 100.0)]),
        -1.0,
        "none below a bound below 0"
    );
}

#[test]
fn what_is_no_histogram_has_no_quantile() {
    for buckets in [
        &[(1.0, 1.0), (2.0, 2.0)][..],
        &[(INF, 5.0)],
        &[(1.0, 0.0), (INF, 0.0)],
    ] {
        assert!(of(0.5, buckets).is_nan(), "{buckets:?}");
    }
}

#[test]
fn counts_that_fall_are_repaired_and_bounds_that_come_twice_are_one() {
    let fallen = [(1.0, 10.0), (2.0, 8.0), (4.0, 20.0), (INF, 20.0)];
    assert_eq!(of(0.75, &fallen), 3.0);
    let twice = [(1.0, 5.0), (1.0, 5.0), (2.0, 20.0), (INF, 20.0)];
    assert_eq!(of(0.5, &twice), 1.0);
    assert_eq!(bound("10"), bound("10.0"));
    assert_eq!(
        (bound("+Inf"), bound("1e999"), bound("")),
        (Some(INF), None, None)
    );
}

#[test]
fn roundings_are_no_counts_from_2_53_on() {
    let noisy = [
        (1.0, 1.0),
        (2.0, 1.0 + 1e-13),
        (4.0, 1.0 + 1e-13),
        (INF, 1.0 + 1e-13),
    ];
    assert_eq!(of(1.0, &noisy), 1.0);
    assert_eq!(in_dialect(1.0, &noisy, Dialect::V2_53), 1.0);
    assert_eq!(in_dialect(1.0, &noisy, Dialect::V2_42), 2.0);
}
