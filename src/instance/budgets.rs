//! Budgets of an instance that is built already, and how far they reach.

use std::time::Duration;

use super::readable::Readable;
use super::{Inner, Plimsoll};
use crate::budget::Budget;
use crate::config::{BuildError, Problem};
use crate::engine::{Reach, StateCell, Uncovered};
use crate::expr::EvalError;
use crate::histogram::Buckets;

impl Plimsoll {
    /// Adds a promise to an instance that is built: it is judged from now on, by what is recorded from now on.
    ///
    /// Bounds are fixed once an instance is built, so the limit of a [`quantile`](Budget::quantile) has to be one of
    /// those that there are: of the naming profile, the slow thresholds, and the budgets and watches that it was built
    /// with. Cost: a look at each series, and the budget's own.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with every mistake in the declaration: a limit that is no bound (with the two nearest), a name that
    /// is taken, and whatever [`build`](crate::Builder::build) refuses.
    ///
    /// ```
    /// use plimsoll::{Budget, Plimsoll, Select};
    /// use std::time::Duration;
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let p95 = |limit| Budget::quantile("p95", Select::http(), 0.95).at_most(limit);
    /// let refused = plimsoll.add_budget(p95(Duration::from_millis(200))).unwrap_err();
    /// assert!(refused.to_string().contains("the nearest ones are 0.1 s and 0.25 s"));
    /// plimsoll.add_budget(p95(Duration::from_millis(250)))?;
    /// assert_eq!(plimsoll.budgets().len(), 1);
    /// # Ok::<(), plimsoll::BuildError>(())
    /// ```
    pub fn add_budget(&self, budget: Budget) -> Result<(), BuildError> {
        self.inner.add_budget(budget, Reach::Selected).map(drop)
    }

    /// Where one part of a budget stands that is kept by labels ([`Budget::per`]), such as `[("route", "/orders")]`: the
    /// gravest state of its levels. `None` if nothing was declared or seen yet that has these labels.
    pub fn budget_state_of(&self, budget: &str, labels: &[(&str, &str)]) -> Option<StateCell> {
        let cells = self.inner.engine.part_cells(budget, labels)?;
        Some(cells.any)
    }

    /// The budgets none of whose operations has been declared or seen within [`UNMATCHED_AFTER`](crate::UNMATCHED_AFTER),
    /// nor since: a misspelt route, one that is gone, or one that is not measured. As of the latest tick, by name.
    ///
    /// Each is also the subject of a [`Warning`](crate::Warning), and `plimsoll_budget_unmatched` is 1 for it.
    pub fn unmatched_budgets(&self) -> Vec<String> {
        let mut names: Vec<_> = self.inner.engine.look(|judge| {
            let unmatched = judge.unmatched().filter(|budget| budget.1);
            unmatched.map(|budget| budget.0.to_owned()).collect()
        });
        names.sort();
        names
    }

    /// Operations that were declared or seen and that no budget speaks of, ordered by kind and labels.
    ///
    /// `other`, and requests without a route, are no operations of their own. `plimsoll_operations_without_budget`
    /// counts the same by kind.
    pub fn uncovered(&self) -> Vec<Uncovered> {
        self.inner.engine.uncovered()
    }
}

impl Inner {
    /// Adds a budget; returns its index.
    pub(crate) fn add_budget(&self, budget: Budget, reach: Reach) -> Result<usize, BuildError> {
        let select = budget.select();
        let keys = select.map_or(&[][..], |select| self.registry.set(select.domain).keys());
        let mut problems = problems(&budget, self.tick, &Readable::of(self), keys);
        let field = format!("budget {:?}: limit", budget.name);
        problems.extend(self.bound_problems(&budget, &field));
        BuildError::check(problems)?;
        let name = budget.name.clone();
        self.engine
            .add_budget(budget, reach)
            .ok_or_else(|| BuildError::new(taken(&name)))
    }

    /// Limits that are no bounds; `field` is where they are written.
    pub(super) fn bound_problems(&self, budget: &Budget, field: &str) -> Vec<Problem> {
        let Some(select) = budget.select() else {
            return Vec::new();
        };
        let buckets = self.registry.set(select.domain).buckets();
        let kind = select.domain.as_str();
        let unknown = budget
            .thresholds()
            .filter(|limit| buckets.closing_cell(*limit).is_none());
        let problem = |limit| {
            let message = format!(
                "{limit} s is no bound of {kind}, and bounds are fixed once the instance is built: {}, or declare it before",
                nearest(buckets, limit)
            );
            Problem::new(field, message)
        };
        unknown.map(problem).collect()
    }
}

/// The bounds on either side of a limit.
fn nearest(buckets: &Buckets, limit: f64) -> String {
    let below = buckets.bounds().filter(|bound| *bound < limit).last();
    let above = buckets.bounds().find(|bound| *bound > limit);
    match (below, above) {
        (Some(below), Some(above)) => format!("the nearest ones are {below} s and {above} s"),
        (Some(one), None) | (None, Some(one)) => format!("the nearest one is {one} s"),
        (None, None) => "there is none".to_owned(),
    }
}

/// Everything that is wrong with a declaration by itself; `keys` are the labels that its kind of work has.
pub(super) fn problems(
    budget: &Budget,
    tick: Duration,
    readable: &Readable<'_>,
    keys: &[&str],
) -> Vec<Problem> {
    let found = budget.problems(tick, keys).into_iter();
    let mut found: Vec<_> = found
        .map(|(field, message)| Problem::new(field, message))
        .collect();
    let misfits = budget.misfits().into_iter();
    found.extend(misfits.map(|misfit| Problem::misfit(budget, misfit)));
    found.extend(unreadable(budget, readable));
    // What is wrong with a part of it makes the whole wrong as well.
    if found.is_empty() {
        let wrong = budget.read().into_iter();
        let mut wrong = wrong.filter_map(|expr| expr.check().err());
        let field = format!("budget {:?}: value", budget.name);
        let problem = |error: EvalError| Problem::new(field, error.to_string());
        found.extend(wrong.next().map(problem));
    }
    found
}

/// What it reads that is not there.
pub(super) fn unreadable(budget: &Budget, readable: &Readable<'_>) -> Vec<Problem> {
    readable.problems_of(&format!("budget {:?}", budget.name), &budget.sources())
}

/// A name belongs to another budget.
pub(super) fn taken(name: &str) -> Problem {
    let message = "is declared twice: give one of the two another name";
    Problem::new(format!("budget {name:?}: name"), message)
}
