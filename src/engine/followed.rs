//! What was recorded since somebody last looked, series by series.
//!
//! A series that was not touched costs one look at its mark. Of one that was, only what grew is added, to the
//! selections that its operation belongs to; which these are is found out once, when the operation is first seen.

use std::collections::HashMap;
use std::sync::Arc;

use super::growth::Growth;
use super::selection::Selection;
use crate::histogram::{Buckets, Folded, Follower, Histogram, Reading};
use crate::registry::{Domain, Operation, OperationSet};

/// After how many operations others get their turn to read.
const PAUSE: usize = 100;

/// The operations of one domain that somebody selects.
#[derive(Debug)]
pub(super) struct FollowedSet {
    domain: Domain,
    /// How many operations of the domain were looked at.
    known: usize,
    operations: Vec<FollowedOperation>,
    /// Room for what a series grew by.
    growth: Growth,
}

#[derive(Debug)]
struct FollowedOperation {
    operation: Arc<Operation>,
    /// The selections that it belongs to.
    selections: Vec<usize>,
    /// Whether one of them wants to know more than how many there were.
    cells: bool,
    /// In the order of the operation's series, which only grow in number.
    series: Vec<Seen>,
}

/// What was known of a series when it was last looked at.
#[derive(Debug)]
enum Seen {
    Cells(Follower),
    Count(Folded),
}

impl FollowedSet {
    /// Of the operations that come from now on.
    pub(super) fn new(set: &OperationSet) -> Self {
        Self {
            domain: set.domain(),
            known: set.operations().len(),
            operations: Vec::new(),
            growth: Growth::new(set.buckets()),
        }
    }

    pub(super) fn domain(&self) -> Domain {
        self.domain
    }

    /// How many operations of the domain were looked at.
    pub(super) fn known(&self) -> usize {
        self.known
    }

    /// Whether there were none to look at yet.
    pub(super) fn is_new(&self) -> bool {
        self.known == 0
    }

    /// Shows the operations that are new; the next one is to be told what becomes of them.
    pub(super) fn discover(&mut self, set: &OperationSet, mut show: impl FnMut(&Arc<Operation>)) {
        set.each_since(self.known, |operation| {
            self.known += 1;
            show(operation);
        });
    }

    /// Follows an operation from its beginning, if it belongs to a selection.
    pub(super) fn admit(
        &mut self,
        operation: Arc<Operation>,
        indices: Vec<usize>,
        selections: &[Selection],
    ) {
        if !indices.is_empty() {
            let cells = indices.iter().any(|&index| selections[index].wants_cells());
            self.operations
                .push(FollowedOperation::new(operation, indices, cells));
        }
    }

    /// Lets operations count for a further selection each, from now on.
    pub(super) fn join(
        &mut self,
        joins: Vec<(Arc<Operation>, usize)>,
        reading: &Reading<'_>,
        selections: &mut [Selection],
    ) {
        let followed = self.operations.iter().map(|known| &known.operation);
        let places = followed.map(Arc::as_ptr).zip(0..);
        let mut places: HashMap<*const Operation, usize> = places.collect();
        for (operation, selection) in joins {
            let new = self.operations.len();
            let place = *places.entry(Arc::as_ptr(&operation)).or_insert(new);
            if place == new {
                self.operations
                    .push(FollowedOperation::new(operation, Vec::new(), false));
            }
            self.operations[place].join(selection, reading, selections, &mut self.growth);
        }
    }

    /// Adds what was recorded since the last time to the selections.
    pub(super) fn advance(&mut self, reading: &mut Reading<'_>, selections: &mut [Selection]) {
        for operations in self.operations.chunks_mut(PAUSE) {
            for operation in operations {
                operation.advance(reading, selections, &mut self.growth);
            }
            reading.pause();
        }
    }
}

impl FollowedOperation {
    fn new(operation: Arc<Operation>, selections: Vec<usize>, cells: bool) -> Self {
        Self {
            operation,
            selections,
            cells,
            series: Vec::new(),
        }
    }

    /// Counts for a further selection what comes from now on. What came before is for the earlier ones, all of it.
    fn join(
        &mut self,
        selection: usize,
        reading: &Reading<'_>,
        selections: &mut [Selection],
        growth: &mut Growth,
    ) {
        self.advance(reading, selections, growth);
        if selections[selection].wants_cells() && !self.cells {
            self.deepen(reading, selections, growth);
        }
        self.selections.push(selection);
    }

    /// From now on knows the cells and not only how many there were.
    fn deepen(&mut self, reading: &Reading<'_>, selections: &mut [Selection], growth: &mut Growth) {
        self.cells = true;
        for (series, seen) in self.operation.each_series().zip(&mut self.series) {
            let before = seen.count();
            *seen = Seen::nothing(true, series.histogram.buckets());
            if seen.look(&series.histogram, reading, growth) {
                growth.less(before);
                for &selection in &self.selections {
                    selections[selection].grow(series.end.outcome, growth);
                }
            }
        }
    }

    fn advance(
        &mut self,
        reading: &Reading<'_>,
        selections: &mut [Selection],
        growth: &mut Growth,
    ) {
        for (at, series) in self.operation.each_series().enumerate() {
            if at == self.series.len() {
                self.series
                    .push(Seen::nothing(self.cells, series.histogram.buckets()));
            }
            if self.series[at].look(&series.histogram, reading, growth) {
                for &selection in &self.selections {
                    selections[selection].grow(series.end.outcome, growth);
                }
            }
        }
    }
}

impl Seen {
    fn nothing(cells: bool, buckets: &Buckets) -> Self {
        if cells {
            Self::Cells(Follower::default())
        } else {
            Self::Count(Folded::empty(buckets))
        }
    }

    /// How many there were, where nobody wanted to know more.
    fn count(&self) -> u64 {
        match self {
            Self::Cells(_) => 0,
            Self::Count(folded) => folded.count,
        }
    }

    /// Makes `growth` what the series grew by; `false` if nothing was recorded.
    fn look(&mut self, histogram: &Histogram, reading: &Reading<'_>, growth: &mut Growth) -> bool {
        growth.cells.clear();
        match self {
            Self::Cells(follower) => growth.follow(histogram, reading, follower),
            Self::Count(folded) => {
                let before = folded.count;
                let more = histogram.fold(reading, folded);
                growth.count = folded.count - before;
                more
            }
        }
    }
}
