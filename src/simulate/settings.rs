//! Values that gauges are told to take, and those that nobody would notice.

use std::time::Duration;

use super::labels::{labels, takes};
use super::names::suggested;
use crate::budget::Budget;
use crate::config::Problem;
use crate::expr::{Expr, Selector};
use crate::generate::Declaration;
use crate::slo::{Slo, window_name};

/// A gauge that takes a value at some moment.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) gauge: Selector,
    pub(super) value: f64,
    pub(super) at: Duration,
}

impl Setting {
    /// What is wrong with it in a simulation of this length, where these are read.
    pub(super) fn problem(&self, read: &[Selector], length: Duration) -> Option<Problem> {
        let gauge = &self.gauge;
        let problem = |message| Some(Problem::new(format!("set {gauge}"), message));
        if !read.iter().any(|selector| reads(selector, gauge)) {
            let read: Vec<_> = read.iter().map(ToString::to_string).collect();
            let suggested = suggested(&gauge.to_string(), &read, str::to_owned, "read");
            return problem(format!("is read by no budget, SLO or rule: {suggested}"));
        }
        if self.at < length {
            return None;
        }
        let (at, length) = (window_name(self.at), window_name(length));
        problem(format!(
            "at {at} is not before the end, which is at {length}: name an earlier moment"
        ))
    }
}

/// Whether it selects the series that is set.
fn reads(selector: &Selector, gauge: &Selector) -> bool {
    selector.name() == gauge.name() && takes(selector, &labels(gauge))
}

/// Every series that something was told to read.
pub(crate) fn all_read(declaration: &Declaration) -> Vec<Selector> {
    let mut read = Vec::new();
    let mut see = |expr: &Expr| expr.visit(&mut |selector, _| read.push(selector.clone()));
    let budgets = declaration.budgets.iter().flat_map(Budget::sources);
    let slos = declaration.slos.iter().flat_map(Slo::sources);
    budgets.chain(slos).for_each(|(_, source)| see(&source));
    let groups = declaration.rules.iter().flat_map(|file| file.groups());
    groups
        .flat_map(|group| &group.rules)
        .for_each(|rule| see(&rule.expr));
    read
}
