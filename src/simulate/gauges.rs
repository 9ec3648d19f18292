//! Gauges of the service's own, which nobody can make up without being told.

use std::sync::Arc;

use parking_lot::Mutex;

use super::labels::{labels, takes};
use crate::budget::Sli as Measured;
use crate::config::{BuildError, Problem};
use crate::expr::{Expr, Selector};
use crate::generate::Declaration;
use crate::instance::Plimsoll;
use crate::registry::InstrumentError;
use crate::slo::Sli as Kept;

/// What one shows, if anything.
type Cell = Arc<Mutex<Option<f64>>>;

/// A name and labels, in their order: selectors that are written differently may mean the same one.
type Series = (String, Vec<(String, String)>);

/// Which ones are set.
#[derive(Debug)]
pub(super) struct Gauges {
    set: Vec<(Series, Cell)>,
    /// Budgets and SLOs that read something else than operations and pairs of counters, with what they read.
    readers: Vec<Reader>,
    /// Families that rules record.
    recorded: Vec<Reader>,
}

/// A name, and what is read under it.
type Reader = (String, Vec<Selector>);

impl Gauges {
    pub(super) fn new(declaration: &Declaration) -> Self {
        Self {
            set: Vec::new(),
            readers: readers(declaration),
            recorded: recorded(declaration),
        }
    }

    /// Gives one another value, made of the one before; `None` where it shows nothing.
    pub(super) fn set(
        &mut self,
        plimsoll: &Plimsoll,
        gauge: &Selector,
        value: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> Result<(), BuildError> {
        let series = series(gauge);
        let cell = match self.set.iter().find(|(known, _)| *known == series) {
            Some((_, cell)) => cell,
            None => {
                let cell = register(plimsoll, gauge)?;
                self.set.push((series, cell));
                &self.set[self.set.len() - 1].1
            }
        };
        let mut cell = cell.lock();
        *cell = value(*cell);
        Ok(())
    }

    /// Budgets and SLOs that read what is not there: neither set, nor in a family that follows from what is made up, nor recorded
    /// from either.
    pub(super) fn untouched(&self, follows: impl Fn(&str) -> bool) -> Vec<String> {
        let mut known: Vec<&str> = Vec::new();
        loop {
            let new = self.recorded.iter().filter(|(name, read)| {
                !known.contains(&&**name)
                    && self.touches(read, &|name| follows(name) || known.contains(&name))
            });
            let new: Vec<&str> = new.map(|(name, _)| &**name).collect();
            if new.is_empty() {
                break;
            }
            known.extend(new);
        }
        let is_there = |name: &str| follows(name) || known.contains(&name);
        let untouched = self.readers.iter();
        let untouched = untouched.filter(|(_, read)| !self.touches(read, &is_there));
        untouched.map(|(name, _)| name.clone()).collect()
    }

    /// Whether one of these selects a series that is set, or reads a family that is there.
    fn touches(&self, read: &[Selector], is_there: &dyn Fn(&str) -> bool) -> bool {
        read.iter().any(|selector| {
            let selects = |((name, labels), _): &(Series, Cell)| {
                name == selector.name() && takes(selector, labels)
            };
            is_there(selector.name()) || self.set.iter().any(selects)
        })
    }
}

/// Whether it is a family of the instance's own.
pub(super) fn is_measured(plimsoll: &Plimsoll, name: &str) -> bool {
    name.starts_with("plimsoll_") || plimsoll.inner().taken.contains(name)
}

fn series(gauge: &Selector) -> Series {
    let mut labels = labels(gauge);
    labels.sort();
    (gauge.name().to_owned(), labels)
}

fn register(plimsoll: &Plimsoll, gauge: &Selector) -> Result<Cell, BuildError> {
    let refused =
        |message| BuildError::new(Problem::new(format!("set {:?}", gauge.name()), message));
    if is_measured(plimsoll, gauge.name()) {
        let message = "is a family that is measured: name a gauge of the service's own";
        return Err(refused(message.to_owned()));
    }
    let labels = labels(gauge);
    let labels: Vec<(&str, &str)> = labels
        .iter()
        .map(|(key, value)| (&**key, &**value))
        .collect();
    let cell = Cell::default();
    let shown = cell.clone();
    let read = Arc::new(move || *shown.lock());
    let instruments = &plimsoll.registry().instruments;
    let observed = instruments.observe(gauge.name(), "Made up.", &labels, read);
    observed.map_err(|error| match error {
        InstrumentError::Kind { .. } => refused(COUNTED.to_owned()),
        error => refused(error.to_string()),
    })?;
    Ok(cell)
}

/// What is wrong with setting what a budget or SLO counts by: no other counters are there.
const COUNTED: &str = "is a counter, and grows with the operations that are made up: leave it out, and say how many there are and how many of \
                       them fail";

/// Budgets and SLOs that read neither operations nor pairs of counters, each with what it reads.
fn readers(declaration: &Declaration) -> Vec<Reader> {
    let budgets = declaration.budgets.iter();
    let budgets = budgets.filter_map(|budget| match &budget.sli {
        Measured::Age(gauge) => Some((budget.name.clone(), vec![gauge.clone()])),
        Measured::Value(value) => Some((budget.name.clone(), selectors(value))),
        _ => None,
    });
    let slos = declaration.slos.iter().filter_map(|slo| match &slo.sli {
        Kept::Time(read) | Kept::TimeSlice(read, _) | Kept::RatioSlices(read, _) => {
            Some((slo.name.clone(), selectors(read)))
        }
        _ => None,
    });
    budgets.chain(slos).collect()
}

/// Families that rules record, each with what it is recorded from.
fn recorded(declaration: &Declaration) -> Vec<Reader> {
    let recorded = declaration.recordings();
    recorded
        .map(|rule| (rule.name().to_owned(), selectors(&rule.expr)))
        .collect()
}

fn selectors(expr: &Expr) -> Vec<Selector> {
    let mut selectors = Vec::new();
    expr.visit(&mut |selector, _| selectors.push(selector.clone()));
    selectors
}
