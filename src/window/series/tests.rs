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

/// A slow counter, whose first sample lies 2.5 average gaps behind the start of a minute, and whose zero lies before.
fn lonely() -> Series {
    window(&[(125, 3.0), (135, 5.0), (145, 7.0)])
}

#[test]
fn the_order_of_the_limits_is_the_dialects() {
    // Lead 25 s; half a gap is 5 s, the counter's zero 15 s before. Tail 35 s, so half a gap.
    let increase = |dialect| lonely().increase(180_000, Duration::from_secs(80), dialect);
    // 4 · (20 + 5 + 5) / 20
    assert_eq!(increase(Dialect::V3), float(6.0));
    assert_eq!(increase(Dialect::V2_53), float(6.0));
    // Zero is 15 s before the first sample, which is more than 1.1 gaps: half a gap as well.
    assert_eq!(increase(Dialect::V2_42), float(6.0));
    // With zero 10.5 s before it, which is less than 1.1 gaps, only 2.42 goes all the way there: 4 · (20 + 10.5 + 5) / 20.
    let nearer = window(&[(125, 2.1), (135, 4.1), (145, 6.1)]);
    let increase = |dialect| {
        let increase = nearer.increase(180_000, Duration::from_secs(80), dialect);
        increase
            .and_then(|value| value.as_float())
            .expect("samples")
    };
    assert!((increase(Dialect::V2_42) - 7.1).abs() < 1e-9);
    assert!((increase(Dialect::V2_53) - 6.0).abs() < 1e-9);
}

#[test]
fn a_sample_on_the_old_edge_belongs_to_2() {
    let window = window(&[(100, 1.0), (105, 2.0), (110, 4.0)]);
    let count = |dialect| {
        window
            .floats(110_000, Duration::from_secs(10), dialect)
            .len()
    };
    assert_eq!(count(Dialect::V2_42), 3);
    assert_eq!(count(Dialect::V2_53), 3);
    assert_eq!(count(Dialect::V3), 2);
    assert_eq!(
        window
            .floats(109_999, Duration::from_secs(10), Dialect::V3)
            .len(),
        2
    );
}

#[test]
fn what_was_lost_is_added_drop_by_drop() {
    // 1e16 + 1 is no number: added in one sum, the lost ones would come out otherwise.
    let window = window(&[(101, 0.0), (102, 1e16), (103, 0.0), (104, 1.0), (105, 0.0)]);
    let first_drop_first = (0.0 - 0.0 + 1e16) + 1.0;
    let increase = window.increase(105_000, Duration::from_secs(5), Dialect::V3);
    assert_eq!(increase, float(first_drop_first * (4.0 + 0.0) / 4.0));
}

#[test]
fn a_sample_that_comes_again_replaces_the_drop_too() {
    let mut window = window(&[(101, 10.0), (102, 3.0)]);
    window.push(102_000, 12.0);
    let increase = window.increase(103_000, Duration::from_secs(3), Dialect::V3);
    // 2 · (1 + 1 + 1) / 1
    assert_eq!(increase, float(6.0));
}

#[test]
fn what_ended_ends_once() {
    let mut window = window(&[(100, 1.0)]);
    (101..200).for_each(|at| window.push_stale(at * 1000));
    assert_eq!(window.ends_ms.len(), 1);
    assert_eq!(window.latest(101_000, MINUTE, Dialect::V3), None);
    window.push(200_000, 2.0);
    assert_eq!(window.latest(200_000, MINUTE, Dialect::V3), float(2.0));
    window.push_stale(201_000);
    assert_eq!(window.latest(201_000, MINUTE, Dialect::V3), None);
}

proptest::proptest! {
    /// Where samples reach both edges, what grows in two halves is what grows in the whole, restarts included.
    #[test]
    fn halves_sum_to_the_whole(steps in proptest::collection::vec((0_u32..20, 0_u32..8), 8..60)) {
        let mut value = 0.0;
        let mut window = Series::whole();
        for (at, (by, restarts)) in (0_i64..).zip(&steps) {
            value = if *restarts == 0 { 0.0 } else { value } + f64::from(*by);
            window.push(at * 1000, value);
        }
        let last = steps.len() as i64 - 1;
        let raw = |from: i64, to: i64| {
            let span = Duration::from_secs((to - from) as u64);
            let grown = window.increase(to * 1000, span, Dialect::V2_53);
            grown.and_then(|value| value.as_float()).expect("samples")
        };
        let middle = last / 2;
        let whole = raw(0, last);
        proptest::prop_assert!((raw(0, middle) + raw(middle, last) - whole).abs() <= 1e-9 * whole.max(1.0));
    }

    /// A moment later than the last sample only shifts the window: the same samples, never fewer in the closed dialect.
    #[test]
    fn the_closed_edge_never_has_fewer_samples(gaps in proptest::collection::vec(1_i64..5000, 2..50), range in 1_u64..60_000) {
        let mut window = Series::whole();
        let mut at_ms = 0;
        for gap in gaps {
            at_ms += gap;
            window.push(at_ms, 1.0);
        }
        let count = |dialect| window.floats(at_ms, Duration::from_millis(range), dialect).len();
        let (open, closed) = (count(Dialect::V3), count(Dialect::V2_53));
        let on_edge = window.floats.iter().filter(|sample| sample.0 == at_ms - range as i64).count();
        proptest::prop_assert_eq!(closed, open + on_edge);
    }
}

#[test]
fn ranges_that_are_looked_for_where_they_last_began_are_the_same() {
    let mut window = Series::new(Duration::from_secs(3_600));
    for second in 0..9_000_i64 {
        let at_ms = second * 1_000 + second / 1_000 * 40_000;
        window.push(at_ms, (second % 2_500) as f64);
        // Now and then somebody looks at what was.
        let back_ms = [0, 500_000][usize::from(second % 65 == 0)];
        if second % 5 != 0 {
            continue;
        }
        let fresh = window.clone();
        // 300 and 319 seconds are remembered in one place.
        for range in [1, 60, 300, 319, 3_600].map(Duration::from_secs) {
            for dialect in [Dialect::V2_53, Dialect::V3] {
                let rate = |series: &Series| series.rate(at_ms - back_ms, range, dialect);
                assert_eq!(
                    rate(&window),
                    rate(&fresh),
                    "{range:?} at {at_ms} - {back_ms}"
                );
            }
        }
    }
}
