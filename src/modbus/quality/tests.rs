//! What each rule accepts and refuses, and what is counted of it.

use proptest::prelude::*;

use super::*;
use crate::instance::Plimsoll;

fn plimsoll() -> Plimsoll {
    Plimsoll::builder().manual_tick().build().expect("defaults")
}

fn point(rules: Rules) -> Point {
    Point::new(plimsoll().registry(), "press-3", rules).expect("rules")
}

/// The values, or the reasons.
fn check<const N: usize>(point: &mut Point, registers: [u16; N]) -> Result<f64, &'static str> {
    point.check(&registers).map_err(|rejected| rejected.reason)
}

/// 0xAABBCCDD in each order.
const ORDERS: [(WordOrder, [u16; 2]); 4] = [
    (WordOrder::Abcd, [0xAABB, 0xCCDD]),
    (WordOrder::Cdab, [0xCCDD, 0xAABB]),
    (WordOrder::Badc, [0xBBAA, 0xDDCC]),
    (WordOrder::Dcba, [0xDDCC, 0xBBAA]),
];

#[test]
fn four_bytes_are_put_in_order() {
    for (order, registers) in ORDERS {
        let unsigned = check(&mut point(Rules::u32(order)), registers);
        assert_eq!(unsigned, Ok(f64::from(0xAABB_CCDD_u32)), "{order:?}");
        let signed = check(&mut point(Rules::i32(order)), registers);
        assert_eq!(signed, Ok(f64::from(0xAABB_CCDD_u32 as i32)), "{order:?}");
        let float = check(&mut point(Rules::f32(order)), registers);
        assert_eq!(
            float,
            Ok(f64::from(f32::from_bits(0xAABB_CCDD))),
            "{order:?}"
        );
    }
}

/// The registers in which a device with this order keeps a number.
fn stored(order: WordOrder, bits: u32) -> [u16; 2] {
    let [a, b, c, d] = bits.to_be_bytes();
    let bytes = match order {
        WordOrder::Abcd => [a, b, c, d],
        WordOrder::Cdab => [c, d, a, b],
        WordOrder::Badc => [b, a, d, c],
        WordOrder::Dcba => [d, c, b, a],
    };
    [[bytes[0], bytes[1]], [bytes[2], bytes[3]]].map(u16::from_be_bytes)
}

proptest! {
    #[test]
    fn floats_come_out_as_they_went_in_or_are_refused(bits: u32, order in 0..4_usize) {
        let order = ORDERS[order].0;
        let float = f32::from_bits(bits);
        let found = Rules::f32(order).check(&stored(order, bits), &mut Last::default());
        let expected = if float.is_finite() { Ok(f64::from(float)) } else { Err("not_finite") };
        prop_assert_eq!(found.map_err(|rejected| rejected.reason), expected);
    }

    #[test]
    fn nothing_outside_its_rules_is_accepted(registers: Vec<i16>) {
        let rules = Rules::i16().range(-50.0..=50.0).max_step(10.0).sentinel(0x0007);
        let mut last = Last::default();
        for register in registers {
            let before = last.good;
            // Most of them near the range, so that some are accepted.
            let register = register % 64;
            match rules.check(&[register.cast_unsigned()], &mut last) {
                Ok(value) => {
                    prop_assert!((-50.0..=50.0).contains(&value) && value != 7.0);
                    prop_assert!(before.is_none_or(|before| (value - before).abs() <= 10.0));
                    prop_assert_eq!(last.good, Some(value));
                }
                Err(_) => prop_assert_eq!(last.good, before),
            }
        }
    }
}

#[test]
fn one_register_is_a_number_with_or_without_a_sign() {
    assert_eq!(check(&mut point(Rules::u16()), [0xFFFE]), Ok(65_534.0));
    assert_eq!(check(&mut point(Rules::i16()), [0xFFFE]), Ok(-2.0));
}

#[test]
fn as_many_registers_as_the_number_has() {
    let mut single = point(Rules::u16());
    assert_eq!(check(&mut single, []), Err("length"));
    assert_eq!(check(&mut single, [1, 2]), Err("length"));
    let mut double = point(Rules::u32(WordOrder::Abcd));
    assert_eq!(check(&mut double, [1]), Err("length"));
    let rejected = double.check(&[1, 2, 3]).expect_err("three");
    assert_eq!(rejected.to_string(), "no value: length");
}

#[test]
fn both_ends_of_a_range_are_in_it() {
    let mut point = point(Rules::u16().range(10.0..=20.0));
    let found = [9, 10, 20, 21].map(|register| check(&mut point, [register]));
    assert_eq!(found, [Err("range"), Ok(10.0), Ok(20.0), Err("range")]);
    let rejected = point.check(&[21]).expect_err("outside");
    assert_eq!(rejected.to_string(), "value 21 is refused: range");
}

#[test]
fn a_step_is_measured_from_the_last_good_value() {
    let mut point = point(Rules::u16().range(0.0..=100.0).max_step(10.0));
    let found = [50, 60, 71, 500, 70, 59].map(|register| check(&mut point, [register]));
    let step = Err("step");
    assert_eq!(
        found,
        [Ok(50.0), Ok(60.0), step, Err("range"), Ok(70.0), step]
    );
    point.forget();
    assert_eq!(check(&mut point, [0]), Ok(0.0));
}

#[test]
fn a_step_that_stays_is_believed_if_that_was_asked_for() {
    let rules = Rules::u16().range(0.0..=1_000.0).max_step(10.0);
    let mut strict = point(rules.clone());
    let mut open = point(rules.confirmed_by(2));
    for point in [&mut strict, &mut open] {
        assert_eq!(check(point, [50]), Ok(50.0));
        assert_eq!(check(point, [200]), Err("step"));
        assert_eq!(check(point, [201]), Err("step"));
    }
    assert_eq!(check(&mut strict, [202]), Err("step"));
    assert_eq!(check(&mut open, [202]), Ok(202.0));
    assert_eq!(
        check(&mut open, [400]),
        Err("step"),
        "counted from the last good one"
    );
    assert_eq!(
        check(&mut open, [9_999]),
        Err("range"),
        "other rules are never outvoted"
    );
}

#[test]
fn what_only_grows_may_stand_still() {
    let mut point = point(Rules::u32(WordOrder::Cdab).monotonic());
    let found = [5, 5, 4, 6].map(|value| check(&mut point, [value, 0]));
    assert_eq!(found, [Ok(5.0), Ok(5.0), Err("decreasing"), Ok(6.0)]);
}

#[test]
fn patterns_that_stand_for_no_value_are_none() {
    let mut single = point(Rules::i16().sentinel(0x8000).sentinel(0xFFFF));
    let found = [0x8000, 0xFFFF, 0x7FFF].map(|register| check(&mut single, [register]));
    assert_eq!(found, [Err("sentinel"), Err("sentinel"), Ok(32_767.0)]);
    // The pattern is that of the number, however it lies in the registers.
    let mut float = point(Rules::f32(WordOrder::Dcba).sentinel(0x7FC0_0000));
    assert_eq!(check(&mut float, [0x0000, 0xC07F]), Err("sentinel"));
    assert_eq!(check(&mut float, [0x0000, 0x807F]), Err("not_finite"));
}

#[test]
fn a_rule_of_ones_own_gives_its_own_reason() {
    let odd = |registers: &[u16]| match registers[0] % 2 {
        0 => Ok(()),
        _ => Err("odd"),
    };
    let mut point = point(Rules::u16().range(0.0..=10.0).own(odd).max_step(3.0));
    let found = [4, 5, 11, 8].map(|register| check(&mut point, [register]));
    assert_eq!(found, [Ok(4.0), Err("odd"), Err("range"), Err("step")]);
}

#[test]
fn what_a_rule_of_ones_own_refuses_confirms_no_step() {
    let odd = |registers: &[u16]| match registers[0] % 2 {
        0 => Ok(()),
        _ => Err("odd"),
    };
    let rules = Rules::u16().own(odd).max_step(3.0).confirmed_by(1);
    let mut point = point(rules);
    let found = [4, 11, 12, 14].map(|register| check(&mut point, [register]));
    assert_eq!(found, [Ok(4.0), Err("odd"), Err("step"), Ok(14.0)]);
}

#[test]
fn rules_that_nothing_can_keep_are_refused() {
    let plimsoll = plimsoll();
    let refused = |rules: Rules| {
        let refused = Point::new(plimsoll.registry(), "press-3", rules);
        refused.expect_err("refused").to_string()
    };
    let backwards = refused(Rules::u16().range(5.0..=1.0));
    assert_eq!(
        backwards,
        "range 5 to 1 holds no number: give the lower end first"
    );
    refused(Rules::u16().range(f64::NAN..=1.0));
    let step = refused(Rules::u16().max_step(-1.0));
    assert_eq!(
        step,
        "max_step -1 is not a distance: give a number of 0 or more"
    );
    refused(Rules::u16().max_step(f64::NAN));
}

#[test]
fn every_value_is_counted_once_and_every_reason_stands_at_zero_before() {
    let plimsoll = plimsoll();
    let rules = Rules::u16()
        .range(0.0..=100.0)
        .sentinel(0xFFFF)
        .max_step(50.0);
    let mut point = Point::new(plimsoll.registry(), "press-3", rules).expect("rules");
    let failures = |reason, count| {
        let labels = format!("device=\"press-3\",reason=\"{reason}\"");
        format!("data_validation_failures_total{{{labels}}} {count}")
    };
    let has = |line: String| {
        let page = plimsoll.render();
        assert!(page.lines().any(|shown| shown == line), "{line}\n{page}");
    };
    for reason in ["length", "sentinel", "range", "step"] {
        has(failures(reason, 0));
    }
    has("data_points_checked_total{device=\"press-3\"} 0".into());
    for register in [10, 101, 0xFFFF, 70, 20, 0xFFFF] {
        let _ = point.check(&[register]);
    }
    has("data_points_checked_total{device=\"press-3\"} 6".into());
    has(failures("range", 1));
    has(failures("sentinel", 2));
    has(failures("step", 1));
    has(failures("length", 0));
    assert!(!plimsoll.render().contains("reason=\"\""));
}

#[test]
fn reasons_are_bounded() {
    const WORDS: [&str; 80] = {
        let all = concat!(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "_-+*/.,;:!?@#$%&(=)"
        );
        let mut words = [""; 80];
        let mut at = 0;
        while at < 80 {
            words[at] = all.split_at(at).1.split_at(1).0;
            at += 1;
        }
        words
    };
    let plimsoll = plimsoll();
    let rules = Rules::u16().own(|registers| Err(WORDS[usize::from(registers[0])]));
    let mut point = Point::new(plimsoll.registry(), "press-3", rules).expect("rules");
    for register in 0..80 {
        assert!(point.check(&[register]).is_err());
    }
    let page = plimsoll.render();
    let failures = page
        .lines()
        .filter(|line| line.starts_with("data_validation_failures_total{"));
    let failures: Vec<_> = failures.collect();
    assert!(failures.len() <= 64, "{}", failures.len());
    let counts = failures
        .iter()
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    assert_eq!(counts.sum::<u64>(), 80);
}
