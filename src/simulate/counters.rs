//! How many operations end in a step, how many of them badly; and counters of the service's own that count so.

use std::sync::Arc;
use std::time::Duration;

use super::Load;
use super::gauges::is_measured;
use super::labels::pair;
use crate::budget::{Budget, Sli as BudgetSli, Whole};
use crate::expr::Selector;
use crate::histogram::Cells;
use crate::instance::Plimsoll;
use crate::registry::{InstrumentKind, InstrumentValue};
use crate::slo::{Sli, Slo};

/// What fractions of operations are owed, so that in the long run there are as many as there should be.
#[derive(Debug)]
pub(super) struct Spread {
    all: f64,
    errors: f64,
    slow: f64,
    /// The state of a generator, if it is drawn which ones fail.
    random: Option<u64>,
}

/// Operations of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    pub(super) all: u64,
    pub(super) errors: u64,
    pub(super) slow: u64,
}

impl Spread {
    pub(super) fn new(random: Option<u64>) -> Self {
        Self {
            all: 0.0,
            errors: 0.0,
            slow: 0.0,
            random,
        }
    }

    pub(super) fn draw(&mut self, length: Duration, load: Load) -> Drawn {
        let all = whole(&mut self.all, load.rate * length.as_secs_f64());
        let (errors, slow) = match &mut self.random {
            None => (
                whole(&mut self.errors, all as f64 * load.errors),
                whole(&mut self.slow, all as f64 * load.slow),
            ),
            Some(random) => (
                drawn(random, all, load.errors),
                drawn(random, all, load.slow),
            ),
        };
        Drawn {
            all,
            errors: errors.min(all),
            slow: slow.min(all),
        }
    }
}

/// The whole part of what is owed with this; the rest stays owed.
fn whole(owed: &mut f64, more: f64) -> u64 {
    *owed += more;
    // What lacks a billionth is noise of many additions.
    let whole = (*owed + 1e-9).floor();
    *owed -= whole;
    whole as u64
}

/// How many of so many happen, each by itself.
fn drawn(random: &mut u64, all: u64, share: f64) -> u64 {
    (0..all).filter(|_| unit(random) < share).count() as u64
}

/// SplitMix64, as a number in `0.0..1.0`.
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Two counters of the service's own: what was good or bad, and all or the others.
#[derive(Debug)]
pub(super) struct Ratio {
    /// The budget or SLO that reads them.
    of: [String; 1],
    /// The families of the two.
    names: [String; 2],
    part: Arc<Cells>,
    rest: Arc<Cells>,
    part_is_good: bool,
    rest_is_all: bool,
    spread: Spread,
}

impl Ratio {
    /// Those of a budget, if it is about counters; its name if they cannot be made up.
    pub(super) fn of_budget(plimsoll: &Plimsoll, budget: &Budget) -> Option<Result<Self, String>> {
        let BudgetSli::Ratio(part, whole) = &budget.sli else {
            return None;
        };
        let (rest, rest_is_all) = match whole {
            Whole::Of(whole) => (whole, true),
            Whole::With(rest) => (rest, false),
        };
        let pair = (part, rest);
        let made = Self::new(plimsoll, &budget.name, pair, budget.floor, rest_is_all);
        Some(made.ok_or_else(|| budget.name.clone()))
    }

    /// Those of an SLO, if it is about counters; its name if they cannot be made up.
    pub(super) fn of_slo(plimsoll: &Plimsoll, slo: &Slo) -> Option<Result<Self, String>> {
        let Sli::Ratio {
            part,
            valid,
            part_is_good,
        } = &slo.sli
        else {
            return None;
        };
        let made = Self::new(plimsoll, &slo.name, (part, valid), *part_is_good, true);
        Some(made.ok_or_else(|| slo.name.clone()))
    }

    fn new(
        plimsoll: &Plimsoll,
        of: &str,
        (part, rest): (&Selector, &Selector),
        part_is_good: bool,
        rest_is_all: bool,
    ) -> Option<Self> {
        if [part, rest]
            .iter()
            .any(|counter| is_measured(plimsoll, counter.name()))
        {
            return None;
        }
        let [labels, others] = pair(part, rest, rest_is_all)?;
        Some(Self {
            of: [of.to_owned()],
            names: [part, rest].map(|counter| counter.name().to_owned()),
            part: counter(plimsoll, part.name(), &labels)?,
            rest: counter(plimsoll, rest.name(), &others)?,
            part_is_good,
            // Of one family the whole is the sum: what is added beside the part is what the part leaves.
            rest_is_all: rest_is_all && rest.name() != part.name(),
            spread: Spread::new(None),
        })
    }

    /// Whether it counts in this family.
    pub(super) fn counts(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    pub(super) fn record(&mut self, length: Duration, load: impl Fn(&[String]) -> Load) {
        let drawn = self.spread.draw(length, load(&self.of));
        let good = drawn.all - drawn.errors;
        let (part, others) = match self.part_is_good {
            true => (good, drawn.errors),
            false => (drawn.errors, good),
        };
        self.part.add(0, part);
        self.rest
            .add(0, if self.rest_is_all { drawn.all } else { others });
    }
}

fn counter(plimsoll: &Plimsoll, name: &str, labels: &[(String, String)]) -> Option<Arc<Cells>> {
    let labels: Vec<(&str, &str)> = labels
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    let instruments = &plimsoll.registry().instruments;
    let value = instruments.register(name, "Made up.", InstrumentKind::Counter, &labels);
    match value {
        Ok(InstrumentValue::Counter(cells)) => Some(cells),
        _ => None,
    }
}
