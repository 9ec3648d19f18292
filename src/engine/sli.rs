//! The SLI counters: exact counts of valid and bad operations per budget and level, derived from the cells.
//!
//! They cost the hot path nothing: a threshold is an edge between two cells, so what lies above it is a sum.

use std::sync::Arc;
use std::time::Duration;

use super::followed::FollowedSet;
use super::matcher::Matcher;
use super::moment::Moment;
use super::selection::{Bad, Selection};
use crate::budget::{Budget, Labels, Level, Sli};
use crate::registry::{Domain, Operation, Registry};
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
    pub(crate) budget: Arc<str>,
    pub(crate) level: Level,
    /// What the budget is kept by.
    pub(crate) labels: Labels,
    pub(crate) valid: u64,
    pub(crate) bad: u64,
    /// For freshness: Unix time of the tick that saw the last good one, or of the beginning, in seconds.
    pub(crate) good_at: Option<f64>,
    /// What would have been valid outside of maintenance.
    pub(crate) excluded: u64,
}

impl SliCount {
    /// All labels of its samples.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let kept_by = self.labels.iter().map(|(key, value)| (*key, &**value));
        let labels = [("budget", &*self.budget), ("level", self.level.as_str())];
        labels.into_iter().chain(kept_by)
    }
}

/// A pair of counters, and what it counts.
#[derive(Debug)]
struct Counter {
    /// The selection that it is derived from, and which of its operations are bad; `None` for one that somebody adds to.
    of: Option<(usize, Bad)>,
    /// How many good ones the latest tick knew.
    good: u64,
    count: SliCount,
    /// Whether what comes now is left out.
    excluding: bool,
    /// Valid and bad, with what was left out.
    seen: (u64, u64),
    /// What of them was bad and left out.
    excluded_bad: u64,
}

impl Counter {
    fn new(of: Option<(usize, Bad)>, budget: Arc<str>, level: Level, labels: Labels) -> Self {
        Self {
            of,
            count: SliCount {
                budget,
                level,
                labels,
                valid: 0,
                bad: 0,
                excluded: 0,
                good_at: None,
            },
            good: 0,
            excluding: false,
            seen: (0, 0),
            excluded_bad: 0,
        }
    }

    /// There are so many by now.
    fn see(&mut self, valid: u64, bad: u64) {
        let before = std::mem::replace(&mut self.seen, (valid, bad));
        if self.excluding {
            self.count.excluded += valid - before.0;
            self.excluded_bad += bad - before.1;
        }
        self.count.valid = valid - self.count.excluded;
        self.count.bad = bad - self.excluded_bad;
    }
}

impl Slis {
    /// The index of a selection of what a matcher asks for, of operations that are yet unknown. Whoever asks while there
    /// are no others shares it.
    pub(super) fn select(&mut self, registry: &Registry, matcher: Matcher) -> usize {
        let domain = matcher.domain();
        let set = self.follow(registry, domain);
        let mut known = self.selections.iter();
        let shared = known.position(|known| self.sets[set].is_new() && known.is_of(&matcher));
        shared.unwrap_or_else(|| self.push(Selection::new(domain, Some(matcher))))
    }

    /// The index of a new selection, whose operations are those that are given to it.
    pub(super) fn select_given(&mut self, domain: Domain) -> usize {
        self.push(Selection::new(domain, None))
    }

    fn push(&mut self, selection: Selection) -> usize {
        self.selections.push(selection);
        self.selections.len() - 1
    }

    /// Begins to follow the operations of a domain that come from now on; returns the index of their set.
    pub(super) fn follow(&mut self, registry: &Registry, domain: Domain) -> usize {
        let known = self.sets.iter().position(|known| known.domain() == domain);
        known.unwrap_or_else(|| {
            self.sets.push(FollowedSet::new(registry.set(domain)));
            self.sets.len() - 1
        })
    }

    /// The operations of a domain that are known already.
    pub(super) fn operations(&self, registry: &Registry, domain: Domain) -> Vec<Arc<Operation>> {
        let set = self.sets.iter().find(|set| set.domain() == domain);
        let known = set.map_or(0, FollowedSet::known);
        let mut operations = registry.set(domain).operations();
        operations.truncate(known);
        operations
    }

    /// Counts operations that are known for further selections, from now on.
    pub(super) fn join(
        &mut self,
        registry: &Registry,
        domain: Domain,
        joins: Vec<(Arc<Operation>, usize)>,
    ) {
        let of_domain = |set: &&mut FollowedSet| set.domain() == domain;
        if let Some(set) = self.sets.iter_mut().find(of_domain) {
            set.join(joins, &registry.reading(), &mut self.selections);
        }
    }

    /// Counts a selection for a budget, or for the part of it that is kept by `labels`; returns for each level the window
    /// that its quantile is read from. It begins at `born`.
    pub(super) fn count_for(
        &mut self,
        registry: &Registry,
        selection: usize,
        (budget, labels): (&Budget, &Labels),
        born: Moment,
    ) -> Vec<Option<Place>> {
        let chosen = &mut self.selections[selection];
        let set = registry.set(chosen.domain());
        let quantile = matches!(budget.sli, Sli::Quantile(..));
        let fresh = matches!(budget.sli, Sli::Freshness(_));
        let judged = quantile && !budget.counted_only;
        let keep =
            |level| judged.then(|| chosen.keep_window(set, budget.window(level), born.at_ns));
        let windows: Vec<Option<usize>> = budget.levels().map(keep).collect();
        let name: Arc<str> = budget.name.as_str().into();
        for counted in budget.counted() {
            let threshold = counted.threshold.filter(|_| quantile);
            let bad = match threshold {
                Some(threshold) => chosen.count_above(set, threshold),
                None => Bad::Failed,
            };
            let labels = counted.labels.into_iter().chain(labels.iter().cloned());
            let of = Some((selection, bad));
            let mut counter = Counter::new(of, name.clone(), counted.level, labels.collect());
            counter.count.good_at = fresh.then_some(born.seconds());
            self.counters.push(counter);
        }
        let place = |window: Option<usize>| window.map(|window| Place { selection, window });
        windows.into_iter().map(place).collect()
    }

    /// Keeps a window over a selection, from `born_ns` on.
    pub(super) fn keep_window(
        &mut self,
        registry: &Registry,
        selection: usize,
        over: Duration,
        born_ns: u64,
    ) -> Place {
        let chosen = &mut self.selections[selection];
        let window = chosen.keep_window(registry.set(chosen.domain()), over, born_ns);
        Place { selection, window }
    }

    /// The operations that nobody knows yet, each with the index of its set; from now on they are known.
    pub(super) fn discover(&mut self, registry: &Registry) -> Vec<(usize, Arc<Operation>)> {
        let mut new = Vec::new();
        for (index, set) in self.sets.iter_mut().enumerate() {
            set.discover(registry.set(set.domain()), |operation| {
                new.push((index, operation.clone()));
            });
        }
        new
    }

    pub(super) fn domain(&self, set: usize) -> Domain {
        self.sets[set].domain()
    }

    /// Counts an operation from its beginning, for whoever asks for it and for the selections that it is given to.
    pub(super) fn admit(&mut self, set: usize, operation: Arc<Operation>, mut given: Vec<usize>) {
        let domain = self.domain(set);
        let selections = self.selections.iter().enumerate();
        let asking = selections.filter(|(_, selection)| selection.matches(domain, &operation));
        given.extend(asking.map(|(index, _)| index));
        self.sets[set].admit(operation, given, &self.selections);
    }

    /// Brings every count up to date: all records that ended before are in, of all operations that are known.
    pub(super) fn advance(&mut self, registry: &Registry) {
        let mut reading = registry.reading();
        for set in &mut self.sets {
            set.advance(&mut reading, &mut self.selections);
        }
        for counter in &mut self.counters {
            if let Some((selection, bad)) = counter.of {
                let selection = &self.selections[selection];
                counter.see(selection.valid(), selection.bad(bad));
            }
        }
    }

    /// A pair of counters that [`add`](Self::add) moves.
    pub(super) fn count_by_hand(&mut self, budget: &str) {
        let counter = Counter::new(None, budget.into(), Level::Target, Labels::from([]));
        self.counters.push(counter);
    }

    /// Counts by hand.
    pub(super) fn add(&mut self, counter: usize, valid: u64, bad: u64) {
        let counter = &mut self.counters[counter];
        counter.see(counter.seen.0 + valid, counter.seen.1 + bad);
    }

    /// Says whether what comes now is left out.
    pub(super) fn exclude(&mut self, counter: usize, excluding: bool) {
        self.counters[counter].excluding = excluding;
    }

    /// Hands what was recorded since the latest tick to the windows.
    pub(super) fn tick(&mut self, now: Moment) {
        let selections = self.selections.iter_mut();
        selections.for_each(|selection| selection.tick(now.at_ns));
        for counter in &mut self.counters {
            let good = counter.count.valid - counter.count.bad;
            if let Some(good_at) = &mut counter.count.good_at
                && good > counter.good
            {
                *good_at = now.seconds();
            }
            counter.good = good;
        }
    }

    /// The counters of every budget, as [`advance`](Self::advance) left them; always in the same order, new ones last.
    pub(super) fn counts(&self) -> impl ExactSizeIterator<Item = &SliCount> {
        self.counters.iter().map(|counter| &counter.count)
    }

    /// One of the counters, by its place in [`counts`](Self::counts).
    pub(super) fn count(&self, index: usize) -> &SliCount {
        &self.counters[index].count
    }

    /// How many operations of a selection have counted.
    pub(super) fn valid(&self, selection: usize) -> u64 {
        self.selections[selection].valid()
    }

    pub(super) fn window(&self, place: Place) -> &HistogramWindow {
        self.selections[place.selection].window(place.window)
    }
}
