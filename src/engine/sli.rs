//! The SLI counters: exact counts of valid and bad operations per budget and level, derived from the cells.
//!
//! They cost the hot path nothing: a threshold is an edge between two cells, so what lies above it is a sum.

use std::time::Duration;

use super::followed::FollowedSet;
use super::selection::{Bad, Selection};
use crate::budget::{Budget, Level, Select, Sli};
use crate::registry::Registry;
use crate::window::HistogramWindow;

/// What every budget and watch has to know of the operations that it speaks of.
#[derive(Debug, Default)]
pub(super) struct Slis {
    selections: Vec<Selection>,
    sets: Vec<FollowedSet>,
    counters: Vec<Counter>,
}

/// Where a window is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    selection: usize,
    window: usize,
}

/// One pair of counters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SliCount {
    pub(crate) budget: String,
    pub(crate) level: Level,
    pub(crate) valid: u64,
    pub(crate) bad: u64,
}

/// A pair of counters, and what it counts.
#[derive(Debug)]
struct Counter {
    selection: usize,
    bad: Bad,
    count: SliCount,
}

impl Slis {
    /// Counts what a budget speaks of; returns the window that its quantile is read from.
    pub(super) fn add_budget(&mut self, registry: &Registry, budget: &Budget) -> Option<Place> {
        let selection = self.select(registry, budget.select()?);
        let chosen = &mut self.selections[selection];
        let set = registry.set(chosen.domain());
        let quantile = matches!(budget.sli, Sli::Quantile(..));
        let window = quantile.then(|| chosen.keep_window(set, budget.over));
        for &(level, limit) in &budget.limits {
            let bad = if quantile {
                chosen.count_above(set, limit)
            } else {
                Bad::Failed
            };
            let count = SliCount {
                budget: budget.name.clone(),
                level,
                valid: 0,
                bad: 0,
            };
            self.counters.push(Counter {
                selection,
                bad,
                count,
            });
        }
        window.map(|window| Place { selection, window })
    }

    /// Keeps a window over the selected operations.
    pub(super) fn add_window(
        &mut self,
        registry: &Registry,
        select: &Select,
        over: Duration,
    ) -> Place {
        let selection = self.select(registry, select);
        let set = registry.set(select.domain);
        let window = self.selections[selection].keep_window(set, over);
        Place { selection, window }
    }

    /// The index of a selection, made if it is new.
    fn select(&mut self, registry: &Registry, select: &Select) -> usize {
        let set = registry.set(select.domain);
        let new = Selection::new(select, set);
        let known = self.selections.iter().position(|known| known.is_same(&new));
        known.unwrap_or_else(|| {
            new.declare(set);
            if !self
                .sets
                .iter()
                .any(|known| known.domain() == select.domain)
            {
                self.sets.push(FollowedSet::new(set));
            }
            self.selections.push(new);
            self.selections.len() - 1
        })
    }

    /// Brings every count up to date: all records that ended before are in. Add budgets and windows before.
    pub(super) fn advance(&mut self, registry: &Registry) {
        for set in &mut self.sets {
            set.learn(registry.set(set.domain()), &self.selections);
        }
        let mut reading = registry.reading();
        for set in &mut self.sets {
            set.advance(&mut reading, &mut self.selections);
        }
        for counter in &mut self.counters {
            let selection = &self.selections[counter.selection];
            counter.count.valid = selection.valid();
            counter.count.bad = selection.bad(counter.bad);
        }
    }

    /// Advances, and hands what was recorded since the latest tick to the windows.
    pub(super) fn tick(&mut self, registry: &Registry, now_ns: u64) {
        self.advance(registry);
        let selections = self.selections.iter_mut();
        selections.for_each(|selection| selection.tick(now_ns));
    }

    /// The counters of every budget, as [`advance`](Self::advance) left them; always in the same order.
    pub(super) fn counts(&self) -> impl Iterator<Item = &SliCount> {
        self.counters.iter().map(|counter| &counter.count)
    }

    /// One of the counters, by its place in [`counts`](Self::counts).
    pub(super) fn count(&self, index: usize) -> &SliCount {
        &self.counters[index].count
    }

    pub(super) fn window(&self, place: Place) -> &HistogramWindow {
        self.selections[place.selection].window(place.window)
    }
}
