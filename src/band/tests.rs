//! What bands promise; how well they detect is asked of the simulation, in `tests/it/band.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::local::{HOUR_MS, INTERVAL_MS, WEEK_MS};
use super::*;

/// A Monday, 00:00 UTC.
const MONDAY: i64 = 1_767_571_200_000;

fn of_week() -> Band {
    Band::new(Dynamic::new(Method::HourOfWeek)).expect("it is there")
}

/// By day 2.0, by night 1.0, ± 5 %.
fn season(at_ms: i64) -> f64 {
    let hour = at_ms.div_euclid(HOUR_MS).rem_euclid(24);
    let level = if (8..20).contains(&hour) { 2.0 } else { 1.0 };
    let jitter = (at_ms / INTERVAL_MS * 7919 % 1013) as f64 / 1013.0 - 0.5;
    level * (1.0 + 0.1 * jitter)
}

/// Feeds a value for each five minutes of these hours; a value is breached when it is above the warning limit.
fn feed(band: &mut Band, from_ms: i64, hours: i64, value: impl Fn(i64) -> f64) {
    for at_ms in (from_ms..from_ms + hours * HOUR_MS).step_by(INTERVAL_MS as usize) {
        let value = value(at_ms);
        let breached = band
            .limits(at_ms)
            .is_some_and(|limits| value > limits.warning);
        band.observe(at_ms, value, breached);
    }
}

/// Two weeks of the season.
fn trained() -> Band {
    let mut band = of_week();
    feed(&mut band, MONDAY, 336, season);
    band
}

/// Within one unit in the last place.
fn within_ulp(a: f64, b: f64) -> bool {
    a == b || a.next_up() == b || a.next_down() == b
}

/// (values, sensitivity, hour, step, base, [mean, warning, critical]); value i is base + step · (7919 i mod 1013). Computed
/// with Python's `fractions`, σ of the population to 80 digits, rounded once.
#[allow(clippy::type_complexity, reason = "a table")]
#[rustfmt::skip]
const ORACLE: [(i64, f64, i64, f64, f64, [f64; 3]); 12] = [
    (12, 1.0, 8, 0.1, 0.0, [50.2, 113.65255445343921, 145.3788316801588]),
    (288, 1.0, 9, 0.1, 0.0, [51.15590277777778, 98.75226216143233, 132.0586946028234]),
    (288, 1.0, 18, 0.1, 0.0, [51.15590277777778, 98.75226216143233, 132.0586946028234]),
    (288, 1.5, 19, 0.1, 0.0, [51.15590277777778, 139.0091522134983, 182.9357769313586]),
    (288, 1.0, 22, 0.001, 0.05, [0.5615590277777778, 1.147247357349248, 1.4400915221349833]),
    (288, 0.7, 23, 0.001, 0.05, [0.5615590277777778, 1.1658490301733684, 1.3530115399019949]),
    (1000, 2.0, 0, 1e-09, 1.0, [1.000000506886, 1.2000020122964714, 1.1500026012167277]),
    (1000, 1.0, 6, 1e-06, 1000000000.0, [1000000000.0005069, 1200000000.0013103, 1150000000.0015922]),
    (288, 1.0, 7, 0.3, -40.0, [113.46770833333333, 289.1742072047744, 377.0274566404949]),
    (2016, 0.1, 3, 1e-07, 0.2, [0.20005059751984128, 0.24006773836378664, 0.2300682803240346]),
    (37, 3.3, 12, 12345.678, 0.001, [6547547.011648648, 27373461.16241763, 40231228.67662814]),
    (8000, 1.0, 14, 0.1, 1000000.0, [1000050.5976125, 900098.175408335, 950131.410530593]),
];

#[test]
fn the_classic_formula_is_exact_to_one_unit_in_the_last_place() {
    for (count, sensitivity, hour, step, base, expected) in ORACLE {
        let declared = Dynamic::new(Method::Classic).sensitivity(sensitivity);
        let mut band = Band::new(declared).expect("it is there");
        let at_ms = MONDAY + 24 * HOUR_MS + hour * HOUR_MS;
        for i in 0..count {
            // At most one for each ten seconds is taken in.
            band.observe(
                at_ms - (count - i) * 10_000,
                base + step * (i * 7919 % 1013) as f64,
                false,
            );
        }
        let limits = band.limits(at_ms).expect("it is there");
        let found = [limits.baseline, limits.warning, limits.critical];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                within_ulp(found, expected),
                "{count} values at {hour}: {found:e}, not {expected:e}"
            );
        }
    }
}

#[test]
fn the_classic_factors_change_with_the_local_hour_and_whole_hours() {
    let declared = Dynamic::new(Method::Classic).offset_minutes(-330);
    let mut band = Band::new(declared).expect("it is there");
    (0..288).for_each(|i| band.observe(MONDAY + i * INTERVAL_MS, 1.0, false));
    let factors = |hour: i64, minute: i64| {
        let local_ms = MONDAY + hour * HOUR_MS + minute * 60_000;
        let limits = band.limits(local_ms + 330 * 60_000).expect("it is there");
        (limits.warning, limits.critical)
    };
    assert_eq!(factors(6, 59), (1.2, 1.15));
    assert_eq!(factors(7, 0), (1.0, 1.0));
    assert_eq!(factors(8, 59), (1.0, 1.0));
    assert_eq!(factors(9, 0), (0.9, 0.95));
    assert_eq!(factors(18, 59), (0.9, 0.95));
    assert_eq!(factors(19, 0), (1.0, 1.0));
    assert_eq!(factors(22, 59), (1.0, 1.0));
    assert_eq!(factors(23, 0), (1.2, 1.15));
}

#[test]
fn the_classic_window_forgets_and_thins_what_comes_too_fast() {
    let mut band = Band::new(Dynamic::new(Method::Classic)).expect("it is there");
    feed(&mut band, MONDAY, 24, |_| 5.0);
    let end = MONDAY + 24 * HOUR_MS;
    feed(&mut band, end, 24, |_| 7.0);
    // The first of those at 7.0 is just in, the last of those at 5.0 just out.
    assert_eq!(
        band.limits(end + 24 * HOUR_MS - 1)
            .expect("it is there")
            .baseline,
        7.0
    );
    assert_eq!(band.coverage(end + 24 * HOUR_MS - 1), 1.0);
    assert_eq!(band.limits(end + 49 * HOUR_MS), None);
    // Ten a second: one for each ten seconds stays.
    let before = band.save().len();
    (0..10_000).for_each(|i| band.observe(end + 24 * HOUR_MS + i * 100, 9.0, false));
    assert!(band.save().len() - before <= 101 * 16);
}

#[test]
fn before_twelve_observations_nothing_is_said() {
    for method in [Method::Classic, Method::HourOfWeek] {
        let mut band = Band::new(Dynamic::new(method)).expect("it is there");
        for i in 0..12 {
            assert_eq!(band.limits(MONDAY + i * INTERVAL_MS), None);
            band.observe(MONDAY + i * INTERVAL_MS, 1.0, false);
        }
        assert!(band.limits(MONDAY + 12 * INTERVAL_MS).is_some());
    }
}

#[test]
fn after_two_weeks_limits_follow_the_season() {
    let band = trained();
    let at = |hour: i64| {
        band.limits(MONDAY + 2 * WEEK_MS + hour * HOUR_MS)
            .expect("it is there")
    };
    assert!((at(3).baseline - 1.0).abs() < 0.02, "{:?}", at(3));
    assert!((at(12).baseline - 2.0).abs() < 0.04, "{:?}", at(12));
    assert!(at(3).critical < 1.3 && at(12).warning > 2.1);
    assert!((band.coverage(MONDAY + 2 * WEEK_MS) - 0.5).abs() < 1e-9);
}

#[test]
fn the_margin_and_the_floor_hold() {
    let declared = Dynamic::new(Method::HourOfWeek).margin(0.5);
    let mut band = Band::new(declared.clone()).expect("it is there");
    feed(&mut band, MONDAY, 24, |_| 1.0);
    let at_ms = MONDAY + 24 * HOUR_MS;
    let limits = band.limits(at_ms).expect("it is there");
    assert!((limits.warning - 1.5).abs() < 1e-9 && (limits.critical - 5.0 / 3.0).abs() < 1e-9);
    let floored = Band::restore(declared.floor(1.6), &band.save()).expect("it is there");
    let limits = floored.limits(at_ms).expect("it is there");
    assert!(limits.warning == 1.6 && (limits.critical - 5.0 / 3.0).abs() < 1e-9);
}

#[test]
fn a_breach_is_not_learned() {
    let mut band = trained();
    let monday = MONDAY + 2 * WEEK_MS;
    let next = monday + WEEK_MS + 3 * HOUR_MS;
    let before = {
        let mut quiet = band.clone();
        feed(&mut quiet, monday, 6, season);
        quiet.limits(next).expect("it is there")
    };
    // Six hours at thrice the level, then a value that is usual but observed in an alert.
    feed(&mut band, monday, 6, |at_ms| 3.0 * season(at_ms));
    let after = band.limits(next).expect("it is there");
    assert!((after.baseline / before.baseline - 1.0).abs() < 0.02);
    assert!(after.critical / before.critical < 1.1);
    let mut flagged = trained();
    let mut unknowing = flagged.clone();
    flagged.observe(monday, 0.5, true);
    unknowing.observe(monday, 0.5, false);
    let week_on = monday + WEEK_MS;
    assert_ne!(flagged.limits(week_on), unknowing.limits(week_on));
}

#[test]
fn a_lasting_change_of_level_is_learned_a_rise_in_two_days_and_a_fall_in_a_week() {
    for (factor, not_yet, by_then) in [(2.0, 34, 50), (0.4, 120, 132)] {
        let mut band = trained();
        let changed = MONDAY + 2 * WEEK_MS;
        let value = |at_ms| factor * season(at_ms);
        let noon_after = |band: &Band, hours: i64| {
            let day = (hours + 23) / 24;
            band.limits(changed + (24 * day + 12) * HOUR_MS)
                .expect("it is there")
        };
        feed(&mut band, changed, not_yet, value);
        assert!((noon_after(&band, not_yet).baseline - 2.0).abs() < 0.1);
        feed(
            &mut band,
            changed + not_yet * HOUR_MS,
            by_then - not_yet,
            value,
        );
        let limits = noon_after(&band, by_then);
        assert!(
            (limits.baseline - factor * 2.0).abs() < 0.1 * factor,
            "{limits:?}"
        );
        assert!(limits.warning > factor * 2.1 && limits.warning < factor * 2.5);
    }
}

#[test]
fn what_happens_at_the_same_minutes_of_two_weeks_is_learned_in_the_third() {
    let mut band = trained();
    let job = |at_ms: i64| {
        let minute = (at_ms - MONDAY).rem_euclid(WEEK_MS) / 60_000;
        let running = (150..180).contains(&minute);
        season(at_ms) * if running { 2.0 } else { 1.0 }
    };
    let in_job = |week: i64| MONDAY + week * WEEK_MS + 165 * 60_000;
    for week in 2..4 {
        feed(&mut band, MONDAY + week * WEEK_MS, 168, job);
        assert!(band.limits(in_job(week)).expect("it is there").critical < 1.5);
    }
    feed(&mut band, MONDAY + 4 * WEEK_MS, 168, job);
    assert!(band.limits(in_job(4)).expect("it is there").critical > 2.0);
}

#[test]
fn what_is_no_number_is_ignored_and_counted() {
    for method in [Method::Classic, Method::HourOfWeek] {
        let mut band = Band::new(Dynamic::new(method)).expect("it is there");
        feed(&mut band, MONDAY, 24, season);
        let at_ms = MONDAY + 24 * HOUR_MS;
        let before = band.limits(at_ms);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            band.observe(at_ms, value, false);
        }
        assert_eq!(band.ignored(), 5);
        assert_eq!(band.limits(at_ms), before);
    }
}

#[test]
fn gaps_do_no_harm() {
    let mut band = trained();
    // Ten days without data: the weeks before still say what is usual.
    let later = MONDAY + 2 * WEEK_MS + 240 * HOUR_MS;
    let limits = band.limits(later + 12 * HOUR_MS).expect("it is there");
    assert!((limits.baseline - 2.0).abs() < 0.1);
    feed(&mut band, later, 24, season);
    // Half a year: nothing is known of the latest weeks, and the level is found within hours.
    let much_later = MONDAY + 30 * WEEK_MS;
    assert_eq!(band.coverage(much_later), 0.0);
    feed(&mut band, much_later, 24, |_| 5.0);
    let limits = band.limits(much_later + 24 * HOUR_MS).expect("it is there");
    assert!((limits.baseline - 5.0).abs() < 0.5, "{limits:?}");
}

#[test]
fn memory_has_its_bound() {
    let mut band = of_week();
    feed(&mut band, MONDAY, 10 * 168, season);
    assert!(band.save().len() <= 43_000, "{}", band.save().len());
    assert_eq!(size_of::<[u8; 64]>() * (4 * 168 + 2), 43_136);
    let mut classic = Band::new(Dynamic::new(Method::Classic)).expect("it is there");
    (0..20_000).for_each(|i| classic.observe(MONDAY + i * 10_000, 1.0, false));
    assert!(classic.save().len() <= 139_000, "{}", classic.save().len());
}

#[test]
fn every_mistake_in_a_declaration_is_named() {
    let mistakes = Dynamic::new(Method::HourOfWeek)
        .window(Duration::from_secs(86_400))
        .sensitivity(0.0)
        .margin(f64::NAN)
        .floor(f64::INFINITY)
        .offset_minutes(i32::MIN)
        .relearn_after(Duration::from_millis(1));
    let Err(BandError::Declaration(problems)) = Band::new(mistakes) else {
        panic!("no problems")
    };
    let fields: Vec<_> = problems.iter().map(|(field, _)| field.as_str()).collect();
    let expected = [
        "window",
        "sensitivity",
        "margin",
        "floor",
        "offset_minutes",
        "relearn_after",
    ];
    assert_eq!(fields, expected);
    let short = Dynamic::new(Method::Classic).window(Duration::from_secs(59));
    let said = Band::new(short).unwrap_err().to_string();
    assert_eq!(
        said,
        "1 mistake in the band\n  window 59s is no baseline: it takes one hour to seven days"
    );
}

#[test]
fn saved_bytes_that_are_not_whole_or_not_ours_are_refused() {
    let mut band = of_week();
    feed(&mut band, MONDAY, 30, season);
    let saved = band.save();
    let restore = |bytes: &[u8]| Band::restore(Dynamic::default(), bytes);
    for length in 0..saved.len() {
        assert!(restore(&saved[..length]).is_err(), "{length} bytes");
    }
    for place in 0..saved.len() {
        let mut damaged = saved.clone();
        damaged[place] ^= 1 << (place % 8);
        assert!(restore(&damaged).is_err(), "byte {place}");
    }
    assert_eq!(restore(b"[service]").unwrap_err(), BandError::Foreign);
    let mut newer = saved.clone();
    newer[6] = 2;
    assert_eq!(restore(&newer).unwrap_err(), BandError::Version(2));
    let elsewhere = Dynamic::default().offset_minutes(60);
    assert_eq!(
        Band::restore(elsewhere, &saved).unwrap_err(),
        BandError::Different
    );
    let classic = Dynamic::new(Method::Classic);
    assert_eq!(
        Band::restore(classic, &saved).unwrap_err(),
        BandError::Different
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any times and values, a clock that jumps included: no panic, ordered limits, and a restored band goes on alike.
    #[test]
    fn whatever_is_observed_a_restored_band_goes_on_alike(
        classic: bool,
        observations in prop::collection::vec(
            (prop_oneof![any::<i64>(), 0..4 * WEEK_MS, 0..2 * HOUR_MS], prop_oneof![any::<f64>(), 0.0..10.0], any::<bool>()),
            1..200,
        ),
        cut in 0.0..1.0_f64,
    ) {
        let declared = Dynamic::new(if classic { Method::Classic } else { Method::HourOfWeek });
        let mut band = Band::new(declared.clone()).expect("it is there");
        let (before, after) = observations.split_at((observations.len() as f64 * cut) as usize);
        for &(at_ms, value, breached) in before {
            band.observe(at_ms, value, breached);
        }
        let mut restored = Band::restore(declared, &band.save()).expect("it is there");
        for &(at_ms, value, breached) in after {
            band.observe(at_ms, value, breached);
            restored.observe(at_ms, value, breached);
            prop_assert_eq!(band.limits(at_ms), restored.limits(at_ms));
            if let Some(limits) = band.limits(at_ms) {
                prop_assert!(limits.baseline.is_finite() && limits.warning.is_finite() && limits.critical.is_finite());
            }
            prop_assert!((0.0..=1.0).contains(&band.coverage(at_ms)));
        }
        prop_assert_eq!(band.save(), restored.save());
    }
}
