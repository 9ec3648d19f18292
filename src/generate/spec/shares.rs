//! Shares, as specs and as we have them.

use std::time::Duration;

use super::cursor::At;
use crate::slo::Period;

/// The alert that fires above this burn rate.
pub(super) fn burn_share(rate: f64, long: Duration, period: Period) -> f64 {
    digits(rate * long.as_secs_f64() / period.nominal().as_secs_f64())
}

/// To ten significant digits: what was multiplied and divided again is what it was.
pub(super) fn digits(value: f64) -> f64 {
    format!("{value:.9e}").parse().unwrap_or(value)
}

/// A share that is promised, from a share or from percent.
pub(super) fn objective(at: &At<'_>, percent: bool) -> Option<f64> {
    let number = at.number()?;
    let share = match percent {
        true => digits(number / 100.0),
        false => number,
    };
    let wrong = match (percent, number) {
        (false, percent) if percent > 1.0 && percent < 100.0 => {
            let share = digits(percent / 100.0);
            format!("{percent} is a percentage: write {share} for {percent} %")
        }
        (true, share) if share > 0.0 && share < 1.0 => {
            let percent = digits(share * 100.0);
            format!("{share} is a share, and means {share} % here: write {percent}")
        }
        _ if share > 0.0 && share < 1.0 => return Some(share),
        (true, other) => format!("{other} is not between 0 and 100: write 99.9"),
        (false, other) => format!("{other} is not between 0 and 1: write 0.999 for 99.9 %"),
    };
    at.refuse(wrong);
    None
}
