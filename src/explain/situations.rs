//! What may happen to a promise.

mod budget;
mod learned;
mod slo;

pub(super) use budget::of_budget;
pub(super) use slo::of_slo;

use super::made_up::Dial;
use super::percent;
use super::play::Act;
use super::table::Table;
use super::trial::Situation;
use crate::config::BuildError;
use crate::simulate::Load;

/// Operations per second, where the promise is not about them.
const RATE: f64 = 10.0;

/// When a promise fires; or a sentence on why that cannot be found out.
pub(super) type Tried = Result<Result<Table, String>, BuildError>;

/// How operations can be bad.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Badly {
    Fail,
    Slow,
}

impl Badly {
    /// This share of the operations that `name` speaks of.
    fn act(self, name: &str, rate: f64, share: f64) -> Act {
        let (errors, slow) = match self {
            Self::Fail => (share, 0.0),
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
        }
    }
}

/// The worst first, and on both sides of what is allowed.
fn shares(allowed: f64, others: &[f64]) -> Vec<f64> {
    let mut shares = others.to_vec();
    shares.extend([2.0 * allowed, allowed / 2.0]);
    shares.retain(|share| (1e-6..=1.0).contains(share));
    shares.sort_by(|a, b| b.total_cmp(a));
    shares.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    shares
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

/// Nothing at all: no operations, and nobody who sets these.
fn nothing(names: &[&str], good: &[Act]) -> Situation {
    let of_operations = names.iter();
    let mut acts: Vec<Act> = of_operations
        .map(|name| Act::Load((*name).to_owned(), Load::good(0.0)))
        .collect();
    let sets: Vec<_> = good.iter().flat_map(Act::sets).collect();
    let what = match sets.is_empty() {
        true => "no operations",
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
