//! What gives an expression the value that is wanted.

use super::{Read, Setting, all_at, number, reads, samples};
use crate::expr::{Expr, eval};
use crate::generate::Declaration;
use crate::simulate::NOON;
use std::time::Duration;

/// One of the series that an expression reads, on which its value depends in a straight line; the others stay at 1.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::explain) struct Dial {
    settings: Vec<Setting>,
    at: usize,
    /// The expression's value where all are at 1, ...
    one: f64,
    /// ... and how much more it is for each 1 that this one has more.
    slope: f64,
}

impl Dial {
    /// Finds one; else a sentence on why there is none.
    pub(in crate::explain) fn find(declaration: &Declaration, expr: &Expr) -> Result<Self, String> {
        let reads = reads(declaration, expr)?;
        let found = (0..reads.len()).find_map(|at| Self::try_out(expr, &reads, at));
        found.ok_or_else(|| {
            format!(
                "No value of {expr} could be made up: it does not follow any one gauge or counter of the service's own in a straight line. Try values with `plimsoll simulate --set`."
            )
        })
    }

    fn try_out(expr: &Expr, reads: &[Read], at: usize) -> Option<Self> {
        let value = |of_it: f64, when: Duration| {
            let mut settings = all_at(reads, 1.0);
            settings[at].value = of_it;
            let samples = samples(expr, &settings, when);
            let value = eval(expr, &samples, when.as_millis() as i64).ok()?;
            value.as_float().filter(|value| value.is_finite())
        };
        let [one, two, three] = [1.0, 2.0, 3.0].map(|of_it| value(of_it, NOON));
        let (one, two, three) = (one?, two?, three?);
        let slope = two - one;
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-6 * slope.abs();
        let later = value(1.0, NOON + Duration::from_secs(3_600))?;
        let straight = same(three, two + slope) && same(later, one) && slope != 0.0;
        straight.then(|| Self {
            settings: all_at(reads, 1.0),
            at,
            one,
            slope,
        })
    }

    /// What gives this value.
    pub(in crate::explain) fn to(&self, value: f64) -> Vec<Setting> {
        let mut settings = self.settings.clone();
        settings[self.at].value = number(1.0 + (value - self.one) / self.slope);
        settings
    }
}
