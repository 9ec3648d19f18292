//! How sure one can be of a share, after so few events.

use crate::expr::{Expr, Function};

/// Wilson's lower bound of the share `bad / valid`: the true share is above it as surely as `z` says.
///
/// `(bad + z²/2 − z·√(bad·(valid − bad)/valid + z²/4)) / (valid + z²)`. Undefined (NaN, which exceeds nothing) without events.
pub(crate) fn lower_bound(bad: Expr, valid: Expr, z: f64) -> Expr {
    let number = |value| Expr::Number(tidy(value));
    let spread = bad.clone() * (valid.clone() - bad.clone()) / valid.clone();
    let spread = (spread + number(z * z / 4.0)).call(Function::Sqrt);
    (bad + number(z * z / 2.0) - number(z) * spread) / (valid + number(z * z))
}

/// The quantile of the standard normal distribution for a confidence in `0.5..1.0`: 1.644854 for 0.95.
pub(crate) fn z(confidence: f64) -> f64 {
    let (mut low, mut high) = (0.0, 8.0);
    for _ in 0..64 {
        let middle = (low + high) / 2.0;
        if share_below(middle) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    tidy(low)
}

/// To six digits behind the point, so that rules can be read.
fn tidy(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The share of the standard normal distribution below `z`, by its series around 0.
fn share_below(z: f64) -> f64 {
    let density = (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (mut term, mut sum) = (z, z);
    for odd in (3..400).step_by(2) {
        term *= z * z / f64::from(odd);
        sum += term;
    }
    0.5 + density * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Samples, eval};

    fn bound(bad: f64, valid: f64, z: f64) -> f64 {
        let expr = lower_bound(vector(bad), vector(valid), z);
        eval(&expr, &Samples::new(), 0)
            .expect("it is there")
            .as_float()
            .expect("it is there")
    }

    fn vector(value: f64) -> Expr {
        Expr::Number(value).call(Function::Vector)
    }

    #[test]
    fn z_is_what_tables_say() {
        for (confidence, expected) in [
            (0.5, 0.0),
            (0.9, 1.281552),
            (0.95, 1.644854),
            (0.975, 1.959964),
            (0.99, 2.326348),
            (0.995, 2.575829),
            (0.999, 3.090232),
        ] {
            let z = z(confidence);
            assert!((z - expected).abs() < 1e-6, "{confidence}: {z}");
        }
    }

    /// Newcombe's table (Statistics in Medicine 17, 1998) of two-sided 95 % intervals, whose lower edges are bounds at 97.5 %.
    #[test]
    fn the_bound_is_what_tables_say() {
        for (bad, valid, expected) in [
            (81.0, 263.0, 0.2553),
            (15.0, 148.0, 0.0624),
            (0.0, 20.0, 0.0),
            (1.0, 29.0, 0.0061),
            (5.0, 10.0, 0.2366),
            (10.0, 10.0, 0.7225),
            (10.0, 1000.0, 0.0054),
        ] {
            let bound = bound(bad, valid, z(0.975));
            assert!((bound - expected).abs() < 5e-5, "{bad}/{valid}: {bound}");
        }
    }

    #[test]
    fn without_events_there_is_no_bound() {
        assert!(bound(0.0, 0.0, z(0.95)).is_nan());
    }
}
