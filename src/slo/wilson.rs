//! How much of a ratio is certain when there are few events.

use crate::expr::{Expr, Function};

/// The lower bound of Wilson's score interval of `bad ÷ valid`, for a quantile `z` of the normal distribution: with 1.645 the
/// true ratio is below it in one case of 20. Plain arithmetic, which Prometheus reads as well.
///
/// `(bad + z²/2 − z·√(bad·(valid − bad)/valid + z²/4)) / (valid + z²)`; NaN without events, so nothing exceeds a limit.
pub(crate) fn wilson_lower(bad: Expr, valid: Expr, z: f64) -> Expr {
    let number = |value: f64| Expr::Number(rounded(value));
    let spread = bad.clone() * (valid.clone() - bad.clone()) / valid.clone();
    let spread = (spread + number(z * z / 4.0)).call(Function::Sqrt);
    (bad + number(z * z / 2.0) - number(z) * spread) / (valid + number(z * z))
}

/// The quantile of the normal distribution for a one-sided confidence (`0.5..1.0`): 1.645 for 0.95.
///
/// Found by halving: the distribution is the integral of its density, by Simpson's rule.
pub(crate) fn z_of(confidence: f64) -> f64 {
    let (mut below, mut above) = (0.0, 8.0);
    while above - below > 1e-9 {
        let middle = (below + above) / 2.0;
        if below_of(middle) < confidence {
            below = middle;
        } else {
            above = middle;
        }
    }
    rounded((below + above) / 2.0)
}

/// The probability of being below `z`.
fn below_of(z: f64) -> f64 {
    const STEPS: u32 = 1_000;
    let step = z / f64::from(STEPS);
    let density = |at: f64| (-at * at / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let weighed = |i: u32| {
        let weight = match i {
            0 | STEPS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        };
        weight * density(step * f64::from(i))
    };
    0.5 + step / 3.0 * (0..=STEPS).map(weighed).sum::<f64>()
}

/// To six digits behind the point, so that rules can be read.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Samples, eval};

    fn lower(bad: f64, valid: f64, confidence: f64) -> Option<f64> {
        let number = |value| Expr::Number(value);
        let bound = wilson_lower(number(bad), number(valid), z_of(confidence));
        eval(&bound, &Samples::new(), 0).ok()?.as_float()
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (confidence, z) in [
            (0.5, 0.0),
            (0.9, 1.281552),
            (0.95, 1.644854),
            (0.975, 1.959964),
            (0.99, 2.326348),
            (0.999, 3.090232),
        ] {
            assert_eq!(z_of(confidence), z, "{confidence}");
        }
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        // The lower ends of two-sided 95 % intervals, as of R's prop.test(bad, valid, correct = FALSE).
        for (bad, valid, expected) in [
            (1.0, 10.0, 0.017_876),
            (5.0, 10.0, 0.236_593),
            (10.0, 10.0, 0.722_467),
            (0.0, 10.0, 0.0),
            (10.0, 1000.0, 0.005_442),
        ] {
            let bound = lower(bad, valid, 0.975).expect("a number");
            assert!((bound - expected).abs() < 2e-6, "{bad} of {valid}: {bound}");
        }
    }

    #[test]
    fn without_events_it_is_no_number() {
        assert!(lower(0.0, 0.0, 0.95).expect("a number").is_nan());
    }
}
