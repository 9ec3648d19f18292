use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn float(value: f64) -> Option<SampleValue> {
    Some(SampleValue::Float(value))
}

fn window(samples: &[(i64, f64)]) -> Series {
    let mut window = Series::new(Duration::from_secs(60));
    samples
        .iter()
        .for_each(|&(at, value)| window.push(at * 1000, value));
    window
}

#[test]
fn steady_growth_is_extrapolated_to_the_whole_range() {
    let window = window(&[
        (100, 50.0),
        (101, 60.0),
        (102, 70.0),
        (103, 80.0),
        (104, 90.0),
        (105, 100.0),
    ]);
    // (100, 105] holds five samples over 4 s: 40 grown, one second of lead.
    assert_eq!(
        window.increase(105_000, Duration::from_secs(5), Dialect::V3),
        float(50.0)
    );
    assert_eq!(
        window.rate(105_000, Duration::from_secs(5), Dialect::V3),
        float(10.0)
    );
}

#[test]
fn the_left_edge_is_open() {
    let window = window(&[(100, 0.0), (105, 7.0)]);
    assert_eq!(
        window.increase(105_000, Duration::from_secs(5), Dialect::V3),
        None,
        "one sample in (100, 105]"
    );
    assert!(
        window
            .increase(105_000, Duration::from_secs(6), Dialect::V3)
            .is_some()
    );
}

#[test]
fn a_counter_born_at_zero_is_not_extrapolated_before_its_birth() {
    let window = window(&[(101, 0.0), (102, 0.0), (103, 0.0), (104, 0.0), (105, 1.0)]);
    assert_eq!(
        window.increase(105_000, Duration::from_secs(5), Dialect::V3),
        float(1.0)
    );
}

#[test]
fn a_reset_adds_what_was_counted_before() {
    let window = window(&[
        (101, 90.0),
        (102, 100.0),
        (103, 10.0),
        (104, 20.0),
        (105, 30.0),
    ]);
    // 10 + 10 + 10 + 10 over 4 s, with one second of lead.
    assert_eq!(
        window.increase(105_000, Duration::from_secs(5), Dialect::V3),
        float(50.0)
    );
}

#[test]
fn far_edges_count_as_half_a_gap() {
    let window = window(&[(103, 10.0), (104, 20.0)]);
    // Lead of 3 s and tail of 2 s are both beyond 1.1 gaps of 1 s, so half a gap each.
    assert_eq!(
        window.increase(106_000, Duration::from_secs(6), Dialect::V3),
        float(20.0)
    );
}

#[test]
fn samples_older_than_the_longest_range_go() {
    let mut window = Series::new(Duration::from_secs(5));
    (0..1000).for_each(|at| window.push(at * 1000, at as f64));
    assert!(window.floats.len() <= 6);
    assert_eq!(window.latest(999_000, MINUTE, Dialect::V3), float(999.0));
    window.push(999_000, 1000.0);
    assert_eq!(
        window.latest(999_000, MINUTE, Dialect::V3),
        float(1000.0),
        "a second sample of a moment replaces the first"
    );
}

#[test]
fn thirty_days_are_thinned_and_stay_accurate() {
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let mut window = Series::new(days(30));
    // Ten a second, with a restart on the twentieth day.
    let reset = 20 * 86_400;
    let last = 31 * 86_400;
    for at in (0..=last).step_by(5) {
        let since = if at < reset { at } else { at - reset };
        window.push(at as i64 * 1000, 10.0 * since as f64);
    }
    assert!(
        window.floats.len() < 10_000,
        "{} samples",
        window.floats.len()
    );
    for range in [days(30), days(7), days(1), Duration::from_secs(3600)] {
        let exact = 10.0 * range.as_secs_f64();
        let increase = window
            .increase(last as i64 * 1000, range, Dialect::V3)
            .and_then(|value| value.as_float())
            .expect("samples");
        assert!(
            (increase - exact).abs() <= exact * 0.004 + 100.0,
            "{range:?}: {increase} for {exact}"
        );
    }
}

