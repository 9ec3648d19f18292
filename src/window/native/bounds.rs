//! The bounds of exponential buckets, to the bit as Prometheus has them.

use std::f64::consts::SQRT_2;

/// The upper bound of a bucket above zero.
pub(super) fn bound(index: i32, schema: i8) -> f64 {
    let (fraction, exponent) = match u32::try_from(schema) {
        Ok(schema) => {
            let part = index & ((1 << schema) - 1);
            (fraction(part as u32, schema), (index >> schema) + 1)
        }
        Err(_) => {
            let octaves = i64::from(index) << -schema;
            (0.5, octaves.clamp(-10_000, 10_000) as i32 + 1)
        }
    };
    // Beyond the last bucket of numbers comes the one of infinities.
    if fraction == 0.5 && exponent == 1025 {
        return f64::MAX;
    }
    scaled(fraction, exponent)
}

/// 2^(part · 2^−schema − 1): the octave's middle is 1/√2, and each finer bound its lower neighbour times a root of 2.
fn fraction(part: u32, schema: u32) -> f64 {
    if schema == 0 {
        return 0.5;
    }
    let upper_half = part >> (schema - 1) & 1 == 1;
    let mut bound = if upper_half { 1.0 / SQRT_2 } else { 0.5 };
    let mut root = SQRT_2;
    for step in (0..schema - 1).rev() {
        root = root.sqrt();
        if part >> step & 1 == 1 {
            bound *= root;
        }
    }
    bound
}

/// `fraction` · 2^`exponent`, rounded once.
pub(super) fn scaled(fraction: f64, exponent: i32) -> f64 {
    let half = exponent.clamp(-2100, 2100) / 2;
    let power = |exponent: i32| f64::from_bits(((exponent.clamp(-1022, 1023) + 1023) as u64) << 52);
    match exponent {
        -1020..=1023 => fraction * power(exponent),
        // In two steps, of which only the last one rounds.
        _ if exponent > 0 => fraction * power(half) * power(exponent - half),
        _ => fraction * power(-1000) * power(exponent.max(-2020) + 1000),
    }
}
