//! A budget as it is judged: as one, or in parts that come into being with their first operation.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::cell::{BudgetCells, StateCell};
use super::matcher::{Matcher, labels};
use crate::budget::{Budget, Labels};
use crate::histogram::nanos;
use crate::registry::{Domain, Operation, Registry};

/// A budget whose operations were neither declared nor seen for so long is reported.
pub const UNMATCHED_AFTER: Duration = Duration::from_secs(300);

/// Which of the operations that a budget selects it is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All of them.
    Selected,
    /// Those on the routes that it is bound to.
    Bound,
}

/// A budget, and how far it has come.
#[derive(Debug)]
pub(super) struct Promise {
    pub(super) budget: Budget,
    /// `None` for a value, which has no operations.
    matcher: Option<Matcher>,
    /// The routes that it was bound to, if it speaks of no others.
    bound: Option<HashSet<Box<str>>>,
    /// The labels that it is kept by, as positions among the domain's keys; empty if it is kept as one.
    kept_by: Vec<usize>,
    pub(super) cells: BudgetCells,
    /// What it is kept as.
    pub(super) parts: BTreeMap<Labels, Part>,
    search: Search,
}

/// What is judged by itself.
#[derive(Debug)]
pub(super) struct Part {
    /// `None` for a value.
    pub(super) selection: Option<usize>,
    pub(super) cells: BudgetCells,
}

/// Whether there is an operation that it speaks of.
#[derive(Debug)]
enum Search {
    /// Not yet. Those that nobody but a budget has named are there, until somebody else does, or uses them.
    Waiting {
        since_ns: u64,
        reported: bool,
        named: Vec<Arc<Operation>>,
    },
    Over,
}

impl Promise {
    pub(super) fn new(budget: Budget, reach: Reach, registry: &Registry, now_ns: u64) -> Self {
        let select = budget.select();
        let matcher = select.map(|select| Matcher::new(select, registry));
        let keys = matcher
            .as_ref()
            .map_or(&[][..], |matcher| registry.set(matcher.domain()).keys());
        let position = |key: &String| keys.iter().position(|known| known == key);
        let search = match &matcher {
            Some(_) => Search::Waiting {
                since_ns: now_ns,
                reported: false,
                named: Vec::new(),
            },
            None => Search::Over,
        };
        Self {
            matcher,
            bound: (reach == Reach::Bound).then(HashSet::new),
            kept_by: budget.per.iter().filter_map(position).collect(),
            cells: BudgetCells::new(&budget),
            parts: BTreeMap::new(),
            search,
            budget,
        }
    }

    pub(super) fn matcher(&self) -> Option<&Matcher> {
        self.matcher.as_ref()
    }

    /// Whether it is the same declaration.
    pub(super) fn is(&self, budget: &Budget, reach: Reach) -> bool {
        self.budget == *budget && self.bound.is_some() == (reach == Reach::Bound)
    }

    pub(super) fn is_kept_as_one(&self) -> bool {
        self.kept_by.is_empty()
    }

    /// Binds it to a route; `false` if it was bound to that before, or is not to be bound.
    #[cfg(feature = "http")]
    pub(super) fn bind(&mut self, route: &str) -> bool {
        let bound = self.bound.as_mut();
        bound.is_some_and(|bound| bound.insert(route.into()))
    }

    /// Whether it speaks of an operation.
    pub(super) fn speaks_of(&self, domain: Domain, operation: &Operation) -> bool {
        let is_bound = |bound: &HashSet<_>| match domain {
            Domain::Http => bound.contains(&operation.labels()[1]),
            _ => false,
        };
        self.matcher
            .as_ref()
            .is_some_and(|matcher| matcher.domain() == domain && matcher.matches(operation))
            && self.bound.as_ref().is_none_or(is_bound)
    }

    /// The labels of the part that an operation belongs to; `None` if it has none.
    pub(super) fn labels(&self, operation: &Operation) -> Option<Labels> {
        labels(&self.kept_by, operation)
    }

    /// The cells of the rules of a part that is new.
    pub(super) fn add_part(&mut self, labels: Labels, selection: Option<usize>) -> Vec<StateCell> {
        let cells = if self.is_kept_as_one() {
            self.cells.clone()
        } else {
            BudgetCells::new(&self.budget)
        };
        let of_levels = cells.levels.iter().map(|level| level.1.clone()).collect();
        self.parts.insert(labels, Part { selection, cells });
        of_levels
    }

    /// Makes its cells what those of its rules are.
    pub(super) fn settle(&self) {
        if !self.is_kept_as_one() {
            let parts = || self.parts.values().map(|part| &part.cells);
            parts().for_each(BudgetCells::settle);
            self.cells.gather(parts);
        }
        self.cells.settle();
    }

    /// Says where a part stands that somebody else judges: at the gravest of some.
    pub(super) fn tell<'a, I: Iterator<Item = &'a StateCell>>(
        &self,
        labels: &Labels,
        cells: impl Fn() -> I,
    ) {
        let part = self
            .parts
            .get(labels)
            .map_or(&self.cells, |part| &part.cells);
        part.levels.iter().for_each(|level| level.1.gather(&cells));
    }

    /// Nobody judges any more.
    pub(super) fn retire(&self) {
        let parts = self.parts.values().map(|part| &part.cells);
        parts.chain([&self.cells]).for_each(BudgetCells::retire);
    }

    /// There is an operation that it speaks of; `named` if only budgets have named it so far.
    pub(super) fn meet(&mut self, operation: &Arc<Operation>, named: bool) {
        match &mut self.search {
            Search::Waiting { named: known, .. } if named => known.push(operation.clone()),
            search => *search = Search::Over,
        }
    }

    /// Looks whether it still matches nothing. Returns whether that is to be reported now, and when to look again.
    pub(super) fn look(&mut self, now_ns: u64, used: impl Fn(usize) -> bool) -> (bool, u64) {
        let Search::Waiting {
            since_ns,
            reported,
            named,
        } = &mut self.search
        else {
            return (false, u64::MAX);
        };
        let mut selections = self.parts.values().filter_map(|part| part.selection);
        // Whoever declares or uses an operation makes a further series of it, but for a success that is all there is.
        let touched = |operation: &Arc<Operation>| operation.each_series().nth(1).is_some();
        if named.iter().any(touched) || selections.any(used) {
            self.search = Search::Over;
            return (false, u64::MAX);
        }
        let due_ns = since_ns.saturating_add(nanos(UNMATCHED_AFTER));
        let due = now_ns >= due_ns;
        let first = due && !*reported;
        *reported = due;
        (first, due_ns)
    }

    /// Whether it was reported and still matches nothing; `None` for a value.
    pub(super) fn is_unmatched(&self) -> Option<bool> {
        self.matcher.as_ref()?;
        Some(matches!(
            self.search,
            Search::Waiting { reported: true, .. }
        ))
    }
}
