//! Base-2 logarithm and power in the order of operations of Prometheus' runtime, so that quantiles agree to the bit: the
//! polynomials are those of fdlibm.

use std::f64::consts::FRAC_1_SQRT_2;

use super::bounds::scaled;

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const ODD: [f64; 4] = [
    6.666_666_666_666_735e-1,
    2.857_142_874_366_239e-1,
    1.818_357_216_161_805e-1,
    1.479_819_860_511_658_6e-1,
];
const EVEN: [f64; 3] = [
    3.999_999_999_940_942e-1,
    2.222_219_843_214_978_4e-1,
    1.531_383_769_920_937_3e-1,
];
const EXP: [f64; 5] = [
    1.666_666_666_666_666_6e-1,
    -2.777_777_777_701_559_3e-3,
    6.613_756_321_437_934e-5,
    -1.653_390_220_546_525_2e-6,
    4.138_136_797_057_238_5e-8,
];

/// c₀ + x·(c₁ + x·(…))
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    let descending = coefficients.iter().rev();
    descending.fold(0.0, |sum, coefficient| coefficient + x * sum)
}

/// The base-2 logarithm of a number above zero.
pub(super) fn log2(value: f64) -> f64 {
    if !value.is_normal() {
        return value.log2();
    }
    let exponent = f64::from((value.to_bits() >> 52) as i32 - 1022);
    let fraction = f64::from_bits(value.to_bits() & !(0x7ff << 52) | 1022 << 52);
    if fraction == 0.5 {
        return exponent - 1.0;
    }
    ln(fraction) * (1.0 / std::f64::consts::LN_2) + exponent
}

/// Of a fraction between a half and 1.
fn ln(fraction: f64) -> f64 {
    let (octave, fraction) = match fraction <= FRAC_1_SQRT_2 {
        true => (-1.0, 2.0 * fraction),
        false => (0.0, fraction),
    };
    let f = fraction - 1.0;
    let s = f / (2.0 + f);
    let (s2, s4) = (s * s, s * s * (s * s));
    let rest = s2 * polynomial(&ODD, s4) + s4 * polynomial(&EVEN, s4);
    let half = 0.5 * f * f;
    octave * LN_2_HIGH - ((half - (s * (half + rest) + octave * LN_2_LOW)) - f)
}

/// 2 to the power of a number.
pub(super) fn exp2(value: f64) -> f64 {
    if !(-1022.0..1023.0).contains(&value) {
        return value.exp2();
    }
    let whole = (value + 0.5_f64.copysign(value)).trunc();
    let part = value - whole;
    let (high, low) = (part * LN_2_HIGH, -part * LN_2_LOW);
    let r = high - low;
    let t = r * r;
    let c = r - t * polynomial(&EXP, t);
    scaled(1.0 - ((low - (r * c) / (2.0 - c)) - high), whole as i32)
}
