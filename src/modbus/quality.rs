//! Why it exists: a register that was read without an error may still hold nonsense, and whoever computes with it should
//! hear of that before, not after.
//!
//! [`Rules`] say how registers become a number and what it may be; a [`Point`] keeps them for one measured value of one
//! device, with its last good value, and counts:
//!
//! ```
//! use plimsoll::{Budget, Plimsoll, modbus::{Rules, WordOrder}};
//!
//! let plimsoll = Plimsoll::builder().budget(Budget::device_accuracy("accuracy")).build()?;
//! let press = plimsoll.modbus("press-3").tcp("plc.example:502")?;
//! let mut pressure = press.point(Rules::f32(WordOrder::Abcd).range(0.0..=400.0).max_step(25.0))?;
//! # let registers = [0x4316, 0x0000];
//! // let registers = press.read_holding_registers(12, 2).await??;
//! assert_eq!(pressure.check(&registers), Ok(150.0));
//! let refused = pressure.check(&[0x7FC0, 0x0000]).unwrap_err();
//! assert_eq!(refused.reason, "not_finite");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | refused as | because |
//! |---|---|
//! | `length` | there are not as many registers as the number has |
//! | `sentinel` | the registers are a pattern that stands for "no value" |
//! | `not_finite` | it is infinite, or no number at all |
//! | `range` | it lies outside |
//! | a word of yours | a rule of yours says so |
//! | `decreasing` | it is less than the last good one, of what only grows |
//! | `step` | it is too far from the last good one |
//!
//! The first rule that refuses, in this order, gives the reason. `data_points_checked_total{device}` counts what was
//! checked, `data_validation_failures_total{device,reason}` what was refused, and
//! [`Select::data_points`](crate::Select::data_points) makes budgets of the two. What good replies carry is counted by
//! itself (`data_points_processed_total`), whether it is checked or not: none of it is counted twice.

mod rules;

pub use rules::{Rules, RulesError, WordOrder};

use std::fmt;
use std::sync::Arc;

use super::device::Device;
use super::ledger::Ledger;
use super::wrap::Meter;
use crate::registry::{Domain, End, Operation, Outcome, Registry, Way};

impl Device {
    /// A measured value of this device that is checked by these rules; its counts stand at 0 from here on.
    ///
    /// # Errors
    ///
    /// [`RulesError`] when a rule cannot be kept by any value.
    pub fn point(&self, rules: Rules) -> Result<Point, RulesError> {
        self.ledger().point(rules)
    }
}

impl Meter {
    /// As [`Device::point`].
    ///
    /// # Errors
    ///
    /// As [`Device::point`].
    pub fn point(&self, rules: Rules) -> Result<Point, RulesError> {
        self.ledger.point(rules)
    }
}

impl Ledger {
    fn point(&self, rules: Rules) -> Result<Point, RulesError> {
        Point::new(self.plimsoll.registry(), &self.label, rules)
    }
}

/// A measured value that is checked by rules; see the [module](super) for an example.
#[derive(Debug)]
pub struct Point {
    rules: Rules,
    last: Last,
    counted: Arc<Operation>,
}

/// What was accepted last, and how many in a row were not because of it.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    good: Option<f64>,
    refused: u32,
}

impl Point {
    pub(super) fn new(registry: &Registry, device: &str, rules: Rules) -> Result<Self, RulesError> {
        rules.validate()?;
        let counted = registry.set(Domain::Point).declare(&[device]);
        counted.series(Outcome::Ok);
        for reason in rules.reasons() {
            counted.series(refusal(reason));
        }
        Ok(Self {
            rules,
            last: Last::default(),
            counted: counted.clone(),
        })
    }

    /// The number that these registers hold, if the rules accept it. Counts one value.
    ///
    /// Cost: the rules', and about 10 ns; no lock, no allocation.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with the reason of the first rule that refuses.
    pub fn check(&mut self, registers: &[u16]) -> Result<f64, Rejected> {
        let checked = self.rules.check(registers, &mut self.last);
        let end = match &checked {
            Ok(_) => Outcome::Ok.into(),
            Err(rejected) => refusal(rejected.reason),
        };
        self.counted.record(end, 0);
        checked
    }

    /// The last value that was accepted, which the next one is compared with.
    pub fn last_good(&self) -> Option<f64> {
        self.last.good
    }

    /// Forgets the last good value, for when the device was replaced or its counter began anew.
    pub fn forget(&mut self) {
        self.last = Last::default();
    }
}

fn refusal(reason: &'static str) -> End {
    End {
        way: Way::new(reason),
        ..Outcome::Error.into()
    }
}

/// A value that a rule refused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejected {
    /// The rule: one of the words above or one of the caller's own. The value of the label `reason`.
    pub reason: &'static str,
    /// What the registers hold as a number; `None` where they hold none.
    pub value: Option<f64>,
}

/// `value 1200 is refused: range`
impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "value {value} is refused: {}", self.reason),
            None => write!(f, "no value: {}", self.reason),
        }
    }
}

impl std::error::Error for Rejected {}

#[cfg(test)]
mod tests;
