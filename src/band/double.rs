//! Sums of two doubles, about 32 decimal digits: so that a formula over thousands of values is rounded once.
//!
//! The error-free sum is Knuth's, the product Dekker's; values must be far from overflow, as observations are.

use std::ops::{Add, Mul};

/// `hi + lo`, with `lo` less than half a unit in the last place of `hi`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Double {
    hi: f64,
    lo: f64,
}

impl From<f64> for Double {
    fn from(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }
}

impl From<Double> for f64 {
    fn from(double: Double) -> Self {
        double.hi + double.lo
    }
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let high = sum(self.hi, other.hi);
        let low = sum(self.lo, other.lo);
        let high = quick_sum(high.hi, high.lo + low.hi);
        quick_sum(high.hi, high.lo + low.lo)
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let high = product(self.hi, other.hi);
        quick_sum(high.hi, high.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Double {
    pub(super) fn negative(self) -> Self {
        Self {
            hi: -self.hi,
            lo: -self.lo,
        }
    }

    pub(super) fn divided_by(self, divisor: f64) -> Self {
        let first = self.hi / divisor;
        let rest = self + product(first, divisor).negative();
        quick_sum(first, f64::from(rest) / divisor)
    }

    /// The square root of what is not negative.
    pub(super) fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self::default();
        }
        let first = self.hi.sqrt();
        let rest = self + product(first, first).negative();
        quick_sum(first, f64::from(rest) / (2.0 * first))
    }
}

fn sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    let of_b = hi - a;
    let lo = (a - (hi - of_b)) + (b - of_b);
    Double { hi, lo }
}

/// As [`sum`], if `a` is the greater one.
fn quick_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    Double {
        hi,
        lo: b - (hi - a),
    }
}

fn product(a: f64, b: f64) -> Double {
    let hi = a * b;
    let ((a1, a2), (b1, b2)) = (halves(a), halves(b));
    let lo = ((a1 * b1 - hi) + a1 * b2 + a2 * b1) + a2 * b2;
    Double { hi, lo }
}

/// Two numbers of 26 bits that make up this one.
fn halves(x: f64) -> (f64, f64) {
    let shifted = 134_217_729.0 * x;
    let high = shifted - (shifted - x);
    (high, x - high)
}
