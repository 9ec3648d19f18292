//! What may happen to a promise.

mod budget;
mod learned;
mod slo;

pub(super) use budget::of_budget;
pub(super) use slo::of_slo;

use std::time::Duration;

use super::made_up::Dial;
use super::percent;
use super::play::Act;
use super::table::Table;
use super::trial::Situation;
use crate::simulate::Load;

/// Operations per second, where the promise is not about them, or that few are enough.
const RATE: f64 = 10.0;

/// So many bad ones in a window tell one share from another.
const SOME: f64 = 10.0;

/// When a promise fires; or a sentence on why that cannot be found out.
pub(super) type Tried = Result<Table, String>;

/// How operations, or what counters count, can be bad.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Badly {
    Fail,
    Slow,
    Counted,
}

impl Badly {
    /// This share of the operations that `name` speaks of.
    fn act(self, name: &str, rate: f64, share: f64) -> Act {
        let (errors, slow) = match self {
            Self::Fail | Self::Counted => (share, 0.0),
            Self::Slow => (0.0, share),
        };
        let load = Load {
            errors,
            slow,
            ..Load::good(rate)
        };
        Act::Load(name.to_owned(), load)
    }

    fn words(self, share: f64) -> String {
        match self {
            Self::Fail => format!("{} fail", percent(share)),
            Self::Slow => format!("{} too slow", percent(share)),
            Self::Counted => format!("{} bad", percent(share)),
        }
    }

    /// What there is of each second while all is well.
    fn good(self, rate: f64) -> String {
        let what = match self {
            Self::Counted => "events",
            _ => "operations",
        };
        format!("{} good {what} per second", tidy(rate))
    }
}

/// The shares that can be tried out, the worst first. None is so near a limit that it is chance on which side a window finds it;
/// all of them is beyond every limit but itself.
fn shares(limits: &[f64], shares: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut shares: Vec<f64> = shares.into_iter().collect();
    let is_near = |share: f64| {
        limits.iter().any(|&limit| {
            let is_beyond = share == 1.0 && limit < 1.0;
            (share / limit - 1.0).abs() < 0.09 && !is_beyond
        })
    };
    shares.retain(|&share| (1e-7..=1.0).contains(&share) && !is_near(share));
    shares.sort_by(|a, b| b.total_cmp(a));
    shares.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    shares
}

/// Half of the least limit, twice the greatest, and one between each two.
fn around(limits: &[f64]) -> Vec<f64> {
    let mut limits = limits.to_vec();
    limits.sort_by(f64::total_cmp);
    let (Some(least), Some(greatest)) = (limits.first(), limits.last()) else {
        return Vec::new();
    };
    let mut around = vec![least / 2.0, 2.0 * greatest];
    around.extend(between(&limits));
    around
}

/// The middle of each two limits that follow one another.
fn between(sorted: &[f64]) -> impl Iterator<Item = f64> {
    sorted.windows(2).map(|two| (two[0] + two[1]) / 2.0)
}

/// So many of each second that windows of this length hold some that are bad, where this share of them is, and as many events as they must.
fn enough(window: Duration, share: f64, events: u64) -> f64 {
    let seconds = window.as_secs_f64();
    let bad = if share > 0.0 {
        SOME / (share * seconds)
    } else {
        0.0
    };
    RATE.max(bad.ceil())
        .max((2.0 * events as f64 / seconds).ceil())
}

/// Values in their order, each once, without the noise of a calculation.
fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.map(tidy).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn tidy(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A value, by what gives it.
fn at(dial: &Dial, value: f64) -> Situation {
    Situation {
        what: format!("at {}", tidy(value)),
        acts: vec![Act::Hold(dial.to(value))],
    }
}

/// Nothing at all: no operations (or whatever they are), and nobody who sets these.
fn nothing(none: &str, names: &[&str], good: &[Act]) -> Situation {
    let of_operations = names.iter();
    let mut acts: Vec<Act> = of_operations
        .map(|name| Act::Load((*name).to_owned(), Load::good(0.0)))
        .collect();
    let sets: Vec<_> = good.iter().flat_map(Act::sets).collect();
    let what = match sets.is_empty() {
        true => none,
        false => "no values",
    };
    if !sets.is_empty() {
        acts.push(Act::Gone(sets));
    }
    Situation {
        what: what.to_owned(),
        acts,
    }
}
