//! What the chosen operations have counted, and the windows over it.

use std::time::Duration;

use super::growth::Growth;
use super::matcher::Matcher;
use crate::histogram::Snapshot;
use crate::registry::{Domain, Operation, OperationSet, Outcome};
use crate::window::HistogramWindow;

/// What some operations of one domain have counted since somebody spoke of them.
#[derive(Debug)]
pub(super) struct Selection {
    domain: Domain,
    /// `None` for a part of a budget, which is told its operations.
    matcher: Option<Matcher>,
    valid: u64,
    errors: u64,
    /// Per threshold: the cell that closes it, and how many operations were above.
    above: Vec<(usize, u64)>,
    /// What was recorded since the latest tick, where there is a window.
    grown: Option<Snapshot>,
    windows: Vec<(Duration, HistogramWindow)>,
}

/// Which operations of a selection are bad.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bad {
    /// Those that failed.
    Failed,
    /// Those above the threshold with this index.
    Above(usize),
}

impl Selection {
    pub(super) fn new(domain: Domain, matcher: Option<Matcher>) -> Self {
        Self {
            domain,
            matcher,
            valid: 0,
            errors: 0,
            above: Vec::new(),
            grown: None,
            windows: Vec::new(),
        }
    }

    pub(super) fn domain(&self) -> Domain {
        self.domain
    }

    /// Whether it asks for exactly these operations.
    pub(super) fn is_of(&self, matcher: &Matcher) -> bool {
        self.matcher.as_ref() == Some(matcher)
    }

    /// Whether it asks for an operation of `domain`.
    pub(super) fn matches(&self, domain: Domain, operation: &Operation) -> bool {
        let matches = |matcher: &Matcher| matcher.matches(operation);
        self.domain == domain && self.matcher.as_ref().is_some_and(matches)
    }

    /// Whether it wants to know more than how many there were.
    pub(super) fn wants_cells(&self) -> bool {
        self.grown.is_some() || !self.above.is_empty()
    }

    /// Keeps a window of this length from `born_ns` on, once; returns its index.
    pub(super) fn keep_window(
        &mut self,
        set: &OperationSet,
        over: Duration,
        born_ns: u64,
    ) -> usize {
        let buckets = set.buckets();
        self.grown
            .get_or_insert_with(|| Snapshot::empty(buckets.clone()));
        let known = self.windows.iter().position(|known| known.0 == over);
        known.unwrap_or_else(|| {
            let mut window = HistogramWindow::new(buckets.clone(), over);
            window.push(born_ns, &Snapshot::empty(buckets.clone()));
            self.windows.push((over, window));
            self.windows.len() - 1
        })
    }

    /// Counts what is above a threshold in seconds, which is a bound of its domain: whoever adds a budget has seen to it.
    pub(super) fn count_above(&mut self, set: &OperationSet, threshold: f64) -> Bad {
        let closing = set.buckets().closing_cell(threshold).unwrap_or(usize::MAX);
        let known = self.above.iter().position(|known| known.0 == closing);
        Bad::Above(known.unwrap_or_else(|| {
            self.above.push((closing, 0));
            self.above.len() - 1
        }))
    }

    /// Adds what a series of one of its operations grew by, unless that says nothing of the service.
    pub(super) fn grow(&mut self, outcome: Outcome, growth: &Growth) {
        if !outcome.is_valid() {
            return;
        }
        self.valid += growth.count;
        if outcome == Outcome::Error {
            self.errors += growth.count;
        }
        for (closing, above) in &mut self.above {
            *above += growth.above(*closing);
        }
        if let Some(grown) = &mut self.grown {
            let cells = growth.cells.iter();
            cells.for_each(|&(cell, by)| grown.grow(cell, by));
            grown.grow_sum(growth.sum);
        }
    }

    /// Hands what was recorded since the latest tick to the windows.
    pub(super) fn tick(&mut self, now_ns: u64) {
        if let Some(grown) = &mut self.grown {
            let windows = self.windows.iter_mut();
            windows.for_each(|(_, window)| window.push(now_ns, grown));
            grown.clear();
        }
    }

    pub(super) fn valid(&self) -> u64 {
        self.valid
    }

    pub(super) fn bad(&self, bad: Bad) -> u64 {
        match bad {
            Bad::Failed => self.errors,
            Bad::Above(threshold) => self.above[threshold].1,
        }
    }

    pub(super) fn window(&self, index: usize) -> &HistogramWindow {
        &self.windows[index].1
    }
}
