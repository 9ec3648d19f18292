//! Confidence intervals, exact where there is an exact one.
//!
//! All of them come from one function, the regularised incomplete beta function: the binomial distribution is one, and
//! so is Student's.

/// Steps of its continued fraction, which takes some √n of them.
const MAX_STEPS: usize = 200_000;
/// Nobody needs an end of an interval more exactly.
const PRECISION: f64 = 1e-10;

/// The ratio behind `bad` of `valid`, by Clopper and Pearson: covers at least `1 − alpha`, for every ratio and number.
///
/// Wilson's interval is narrower, but at the levels that many comparisons need it is wrong for a few failures among
/// many: one error could then make a regression.
pub(super) fn ratio(bad: f64, valid: f64, alpha: f64) -> (f64, f64) {
    let low = match bad {
        0.0 => 0.0,
        _ => solve(1.0, |p| beta(p, bad, valid - bad + 1.0) > alpha / 2.0),
    };
    let high = if bad >= valid {
        1.0
    } else {
        solve(1.0, |p| beta(p, bad + 1.0, valid - bad) > 1.0 - alpha / 2.0)
    };
    (low, high)
}

/// The ranks, from 1 to `count`, whose values enclose the `q`-quantile with a probability of at least `1 − alpha`,
/// whatever the distribution. `None` where there are too few values for one of the ends.
pub(super) fn quantile_ranks(count: u64, q: f64, alpha: f64) -> Option<(u64, u64)> {
    // Of independent values so many lie below the quantile as heads among tosses.
    let at_most = |k: u64| binomial(k, count, q);
    // The first k with P(at most k) > alpha/2 is the greatest rank with P(at most rank − 1) <= alpha/2.
    let low = first(count, |k| at_most(k) > alpha / 2.0);
    let high = first(count, |k| 1.0 - at_most(k) <= alpha / 2.0) + 1;
    (low > 0 && high <= count).then_some((low, high))
}

/// How many operations it takes until none that is bad shows that at most `share` of them are.
pub(super) fn needed(share: f64, alpha: f64) -> u64 {
    if share <= 0.0 || share >= 1.0 {
        return 1;
    }
    ((alpha / 2.0).ln() / (-share).ln_1p()).ceil() as u64
}

/// By how many standard errors a mean of `count` values may be off.
pub(super) fn student(count: u64, alpha: f64) -> f64 {
    // Beyond that it is a normal distribution.
    let freedom = (count as f64 - 1.0).min(1e6);
    let outside = |t: f64| beta(freedom / (freedom + t * t), freedom / 2.0, 0.5);
    solve(1e4, |t| outside(t) < alpha)
}

/// What is expected where `count` independent events were seen, by Byar's approximation.
pub(super) fn events(count: u64, alpha: f64) -> (f64, f64) {
    let z = student(u64::MAX, alpha);
    let byar = |count: f64, z: f64| {
        let root = 1.0 - 1.0 / (9.0 * count) + z / (3.0 * count.sqrt());
        count * root.max(0.0).powi(3)
    };
    let low = if count == 0 {
        0.0
    } else {
        byar(count as f64, -z)
    };
    (low, byar(count as f64 + 1.0, z))
}

/// P(at most `k` heads among `count` tosses), each with probability `q`.
fn binomial(k: u64, count: u64, q: f64) -> f64 {
    if k >= count {
        return 1.0;
    }
    beta(1.0 - q, (count - k) as f64, k as f64 + 1.0)
}

/// The least of `0..=count` for which `holds`, which stays so from there on.
fn first(count: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut from, mut to) = (0, count);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// Where, between 0 and `end`, `beyond` begins to hold.
fn solve(end: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    let (mut from, mut to) = (0.0, end);
    while to - from > to * PRECISION {
        let middle = (from + to) / 2.0;
        if beyond(middle) {
            to = middle;
        } else {
            from = middle;
        }
    }
    (from + to) / 2.0
}

/// The regularised incomplete beta function I_x(a, b).
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges quickly on this side of the mean only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front.exp() * fraction(x, a, b) / a
    } else {
        1.0 - front.exp() * fraction(1.0 - x, b, a) / b
    }
}

/// Its continued fraction, by Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let no_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut d = 1.0 / no_zero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut value) = (1.0, d);
    for step in 1..MAX_STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for term in [even, odd] {
            d = 1.0 / no_zero(1.0 + term * d);
            c = no_zero(1.0 + term / c);
            factor = c * d;
            value *= factor;
        }
        if (factor - 1.0_f64).abs() < 1e-14 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function for `x > 0`, by Lanczos' approximation (relative error 1e-15).
fn ln_gamma(x: f64) -> f64 {
    const G: f64 = 7.0;
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflected, where the terms do not converge.
        let pi = std::f64::consts::PI;
        return (pi / (pi * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let terms = TERMS.iter().zip(1..);
    let sum: f64 = terms.map(|(term, at)| term / (x + f64::from(at))).sum();
    let t = x + G + 0.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t
        + (0.999_999_999_999_809_9 + sum).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_near(value: f64, expected: f64) {
        let error = (value - expected).abs() / expected.abs();
        assert!(error < 1e-6, "{value} is not {expected}");
    }

    #[test]
    fn known_intervals() {
        // Tables: Clopper–Pearson of 10 in 100, the rule of three in its exact form, Student's t.
        let (low, high) = ratio(10.0, 100.0, 0.05);
        is_near(low, 0.049_004_688_9);
        is_near(high, 0.176_222_597_6);
        is_near(ratio(0.0, 100.0, 0.05).1, 1.0 - 0.025_f64.powf(0.01));
        is_near(ratio(100.0, 100.0, 0.05).0, 0.025_f64.powf(0.01));
        is_near(student(11, 0.05), 2.228_138_852);
        is_near(student(u64::MAX, 0.05), 1.959_966_357);
        assert_eq!(
            (needed(0.01, 0.05), needed(0.05, 0.05), needed(0.5, 0.05)),
            (368, 72, 6)
        );
        assert_eq!((needed(0.0, 0.05), needed(1.0, 0.05)), (1, 1));
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // The median of 10 values: the 2nd to the 9th with 97.9 %, as every table of the sign test has it.
        assert_eq!(quantile_ranks(10, 0.5, 0.05), Some((2, 9)));
        assert_eq!(quantile_ranks(5, 0.5, 0.05), None);
        assert_eq!(quantile_ranks(6, 0.5, 0.05), Some((1, 6)));
        // p99 has an upper end once 0.99^n <= 2.5 %, which is at 368.
        assert_eq!(quantile_ranks(367, 0.99, 0.05), None);
        assert_eq!(
            quantile_ranks(368, 0.99, 0.05).map(|ranks| ranks.1),
            Some(368)
        );
        assert_eq!(quantile_ranks(0, 0.5, 0.05), None);
    }

    #[test]
    fn ranks_cover_what_they_say_and_no_rank_less_does() {
        for (count, q) in [(50_i32, 0.5_f64), (500, 0.95), (1_000, 0.99)] {
            // By adding probabilities up, each from the one before: of as many tails, then of as many heads.
            let mut at = (0..count).fold(vec![q.powi(count)], |mut all, k| {
                let ratio = f64::from(count - k) / f64::from(k + 1) * (1.0 - q) / q;
                all.push(all[k as usize] * ratio);
                all
            });
            at.reverse();
            (1..at.len()).for_each(|k| at[k] += at[k - 1]);
            let (low, high) = quantile_ranks(count as u64, q, 0.05).expect("enough");
            let (low, high) = (low as usize, high as usize);
            assert!(at[low - 1] <= 0.025 && at[low] > 0.025);
            assert!(1.0 - at[high - 1] <= 0.025 && 1.0 - at[high - 2] > 0.025);
        }
    }

    #[test]
    fn a_ratio_is_covered_whatever_it_is() {
        let (count, alpha) = (40, 0.01);
        for p in (1..200).map(|at| f64::from(at) / 200.0) {
            let probability = |k: u64| {
                let below = if k == 0 {
                    0.0
                } else {
                    binomial(k - 1, count, p)
                };
                binomial(k, count, p) - below
            };
            let missed = (0..=count).filter(|&k| {
                let (low, high) = ratio(k as f64, count as f64, alpha);
                !(low..=high).contains(&p)
            });
            let missed: f64 = missed.map(probability).sum();
            assert!(missed <= alpha + 1e-9, "{p}: {missed}");
        }
    }

    #[test]
    fn many_operations_are_no_trouble() {
        let (low, high) = quantile_ranks(1_000_000_000, 0.99, 1e-4).expect("enough");
        // 3.89 standard deviations of 3146.
        assert!((990_000_000 - low).abs_diff(12_240) < 30, "{low}");
        assert!((high - 990_000_000).abs_diff(12_240) < 30, "{high}");
    }

    #[test]
    fn events_are_covered() {
        // Garwood's exact limits for 10 events: 4.795 to 18.39.
        let (low, high) = events(10, 0.05);
        assert!((low - 4.795).abs() < 0.02 && (high - 18.39).abs() < 0.02);
        assert_eq!(events(0, 0.05).0, 0.0);
    }
}
