//! What two recordings say about each other.

use std::collections::BTreeMap;

use super::{Measure, Recorded};

/// What is different between two recordings; its `Display` is a table.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Comparison {
    /// How sure all verdicts together are, in `0.0..1.0`.
    pub confidence: f64,
    /// By which part of what it was a figure may get worse.
    pub tolerance: f64,
    /// How many figures were compared: what each interval was widened for.
    pub comparisons: usize,
    /// Whether both were recorded on the same kind of machine. If not, a difference may be the machine's.
    pub same_machine: bool,
    /// The operations of both, ordered by kind and labels.
    pub operations: Vec<OperationChange>,
}

/// What is different in one operation.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OperationChange {
    /// The kind of work.
    pub kind: String,
    /// Label keys and values.
    pub labels: BTreeMap<String, String>,
    /// Regressed if any figure is; else improved if any is; else without enough data if any is; else unchanged.
    pub verdict: Verdict,
    /// Valid operations before.
    pub before: u64,
    /// Valid operations after.
    pub after: u64,
    /// Figure by figure; empty for one that is new or gone.
    pub changes: Vec<Change>,
}

/// What is different in one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Change {
    /// The figure.
    pub measure: Measure,
    /// What it was; `None` where nothing was recorded.
    pub before: Option<Estimate>,
    /// What it is.
    pub after: Option<Estimate>,
    /// By which part of what it was it got better (negative: worse); `None` if it was 0 or is not known.
    pub improvement: Option<f64>,
    /// What that means.
    pub verdict: Verdict,
}

/// A figure and how sure it is: seconds, a ratio, or operations per second.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Estimate {
    /// What was measured.
    pub value: f64,
    /// Between which the service's own figure lies, at the level that holds for all comparisons together; `None` if
    /// there were too few operations to tell.
    pub interval: Option<(f64, f64)>,
}

/// What a comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Verdict {
    /// Worse: the intervals do not overlap, and it is beyond the tolerance.
    Regressed,
    /// Better, by the same rule.
    Improved,
    /// No change was shown: what may still hide is as wide as the intervals.
    Unchanged,
    /// There were too few operations to tell.
    TooFewData,
    /// Only in the later recording.
    New,
    /// Only in the earlier recording.
    Gone,
}

impl Verdict {
    /// In words, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Unchanged => "unchanged",
            Self::TooFewData => "too few data",
            Self::New => "new",
            Self::Gone => "gone",
        }
    }
}

impl Comparison {
    /// Whether any operation got worse.
    pub fn is_regressed(&self) -> bool {
        self.count(Verdict::Regressed) > 0
    }

    /// Whether there is something to go by: operations in both recordings, none that is gone, and no figure for which
    /// there were too few of them.
    pub fn is_conclusive(&self) -> bool {
        let known = |change: &Change| change.verdict != Verdict::TooFewData;
        let changes = self
            .operations
            .iter()
            .flat_map(|operation| &operation.changes);
        self.comparisons > 0 && self.count(Verdict::Gone) == 0 && changes.into_iter().all(known)
    }

    /// How many operations have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let operations = self.operations.iter();
        operations
            .filter(|operation| operation.verdict == verdict)
            .count()
    }
}

impl OperationChange {
    pub(super) fn of(
        operation: &Recorded,
        [before, after]: [u64; 2],
        changes: Vec<Change>,
    ) -> Self {
        let order = [Verdict::Regressed, Verdict::Improved, Verdict::TooFewData];
        let any = |verdict: &Verdict| changes.iter().any(|change| change.verdict == *verdict);
        let verdict = order.into_iter().find(any).unwrap_or(Verdict::Unchanged);
        Self {
            changes,
            ..Self::alone(operation, [before, after], verdict)
        }
    }

    pub(super) fn alone(operation: &Recorded, [before, after]: [u64; 2], verdict: Verdict) -> Self {
        Self {
            kind: operation.kind.clone(),
            labels: operation.labels.clone(),
            verdict,
            before,
            after,
            changes: Vec::new(),
        }
    }
}
