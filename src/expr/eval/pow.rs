//! `^` as Prometheus computes it: by squaring, so that whole powers come out to the bit.

/// `base` to the power of `exponent`.
pub(in crate::expr) fn pow(base: f64, exponent: f64) -> f64 {
    let whole = exponent.abs().trunc();
    let special = base == 0.0 || base == 1.0 || !base.is_finite() || !exponent.is_finite();
    if special || exponent == 0.0 || whole >= 9.2e18 {
        return base.powf(exponent);
    }
    if exponent == 0.5 {
        return base.sqrt();
    }
    if exponent == -0.5 {
        return 1.0 / base.sqrt();
    }
    let mut part = exponent.abs() - whole;
    let mut times = whole as i64;
    if part != 0.0 && base < 0.0 {
        return f64::NAN;
    }
    let mut product = 1.0;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            times += 1;
        }
        product = (part * base.ln()).exp();
    }
    let (product, octaves) = squared(base, times, product);
    match exponent < 0.0 {
        true => scale(1.0 / product, -octaves),
        false => scale(product, octaves),
    }
}

/// `product` times `base` to the power of `times`, as a fraction and a power of two.
fn squared(base: f64, mut times: i64, mut product: f64) -> (f64, i64) {
    let mut octaves = 0;
    let (mut fraction, mut exponent) = split(base);
    while times != 0 {
        if exponent.abs() > 1 << 12 {
            // Far beyond what a number holds, either way.
            octaves += exponent;
            break;
        }
        if times & 1 == 1 {
            product *= fraction;
            octaves += exponent;
        }
        fraction *= fraction;
        exponent *= 2;
        if fraction < 0.5 {
            fraction += fraction;
            exponent -= 1;
        }
        times >>= 1;
    }
    (product, octaves)
}

/// A fraction of at least a half and below 1, and a power of two.
fn split(value: f64) -> (f64, i64) {
    let exponent = |value: f64| (value.to_bits() >> 52 & 0x7ff) as i64;
    let (value, below) = match exponent(value) {
        0 => (value * (1_u64 << 54) as f64, 54),
        _ => (value, 0),
    };
    let fraction = value.to_bits() & !(0x7ff << 52) | 1022 << 52;
    (f64::from_bits(fraction), exponent(value) - 1022 - below)
}

/// `value` · 2^`octaves`.
fn scale(value: f64, octaves: i64) -> f64 {
    let (fraction, own) = split(value);
    let power = |exponent: i64| f64::from_bits(((exponent + 1023) as u64) << 52);
    match own + octaves {
        _ if value == 0.0 || !value.is_finite() => value,
        exponent @ -1021..=1024 => fraction * 2.0 * power(exponent - 1),
        exponent if exponent > 1024 => f64::INFINITY.copysign(value),
        // Into the range of the smallest numbers: only the last step rounds.
        exponent => fraction * power(-1000) * power((exponent + 1000).max(-1022)),
    }
}
