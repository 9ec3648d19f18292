//! What gives an expression the value that is wanted.

use super::{Read, Setting, all_at, number, reads, samples};
use crate::expr::{Expr, eval};
use crate::generate::Declaration;
use crate::simulate::NOON;
use std::time::Duration;

/// Two series of one family are so much together, where one is turned against the other.
const TOGETHER: f64 = 10.0;

/// One of the series that an expression reads, on which its value depends in a straight line; the others stay at 1.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::explain) struct Dial {
    settings: Vec<Setting>,
    turned: Turned,
    /// The expression's value where it is at 1, ...
    one: f64,
    /// ... and how much more it is for each 1 that this one has more.
    slope: f64,
}

/// What is turned: the series at this place, and another that is less by as much, as in a share of a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Turned {
    at: usize,
    against: Option<usize>,
}

impl Turned {
    fn to(self, mut settings: Vec<Setting>, value: f64) -> Vec<Setting> {
        settings[self.at].value = number(value);
        if let Some(against) = self.against {
            settings[against].value = number(TOGETHER - value);
        }
        settings
    }

    /// Every series by itself first, then those of one family against one another.
    fn all(reads: &[Read]) -> impl Iterator<Item = Self> {
        let count = reads.len();
        let by_itself = (0..count).map(|at| Self { at, against: None });
        let pairs = (0..count).flat_map(move |at| (0..count).map(move |other| (at, other)));
        let name = |at: usize| reads[at].selector.name();
        let pairs = pairs.filter(move |&(at, other)| at != other && name(at) == name(other));
        by_itself.chain(pairs.map(|(at, other)| Self {
            at,
            against: Some(other),
        }))
    }
}

impl Dial {
    /// Finds one; else a sentence on why there is none.
    pub(in crate::explain) fn find(declaration: &Declaration, expr: &Expr) -> Result<Self, String> {
        let reads = reads(declaration, expr)?;
        let found = Turned::all(&reads).find_map(|turned| Self::try_out(expr, &reads, turned));
        found.ok_or_else(|| {
            format!(
                "No value of {expr} could be made up: it does not follow any one gauge or counter of the service's own in a straight line. Try values with `plimsoll simulate --set`."
            )
        })
    }

    fn try_out(expr: &Expr, reads: &[Read], turned: Turned) -> Option<Self> {
        let settings = all_at(reads, 1.0);
        let value = |of_it: f64, when: Duration| {
            let settings = turned.to(settings.clone(), of_it);
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
        straight.then_some(Self {
            settings,
            turned,
            one,
            slope,
        })
    }

    /// What gives this value.
    pub(in crate::explain) fn to(&self, value: f64) -> Vec<Setting> {
        let turned = 1.0 + (value - self.one) / self.slope;
        self.turned.to(self.settings.clone(), turned)
    }

    /// Whether it can be given: no counter shrinks.
    pub(in crate::explain) fn reaches(&self, value: f64) -> bool {
        let shrinks = |setting: &Setting| setting.read.grows && setting.value < 0.0;
        !self.to(value).iter().any(shrinks)
    }

    /// This value, or the nearest that can be given.
    pub(in crate::explain) fn nearest(&self, value: f64) -> f64 {
        if self.reaches(value) {
            return value;
        }
        let at = |turned: f64| self.one + (turned - 1.0) * self.slope;
        let none = at(0.0);
        match self.turned.against {
            Some(_) if (at(TOGETHER) - value).abs() < (none - value).abs() => at(TOGETHER),
            _ => none,
        }
    }
}
