//! What was recorded since somebody last looked, series by series.
//!
//! A series that was not touched costs one look at its mark. Of one that was, only what grew is added, to the
//! selections that its operation belongs to; which these are is found out once, when the operation is first seen.

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
    selections: Box<[usize]>,
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
    pub(super) fn new(set: &OperationSet) -> Self {
        Self {
            domain: set.domain(),
            known: 0,
            operations: Vec::new(),
            growth: Growth::new(set.buckets()),
        }
    }

    pub(super) fn domain(&self) -> Domain {
        self.domain
    }

    /// Learns of the operations that are new.
    pub(super) fn learn(&mut self, set: &OperationSet, selections: &[Selection]) {
        let (known, domain) = (self.known, self.domain);
        set.each_since(known, |operation| {
            self.known += 1;
            let followed = FollowedOperation::new(operation.clone(), domain, selections);
            if !followed.selections.is_empty() {
                self.operations.push(followed);
            }
        });
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
    fn new(operation: Arc<Operation>, domain: Domain, selections: &[Selection]) -> Self {
        let chosen = |(_, selection): &(usize, &Selection)| {
            selection.domain() == domain && selection.matches(&operation)
        };
        let indices: Box<[usize]> = selections
            .iter()
            .enumerate()
            .filter(chosen)
            .map(|(index, _)| index)
            .collect();
        let wants_cells = |&index: &usize| selections[index].wants_cells();
        Self {
            cells: indices.iter().any(wants_cells),
            selections: indices,
            operation,
            series: Vec::new(),
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
