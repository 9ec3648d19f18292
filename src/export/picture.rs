//! One reading of a domain's cells, which all its families share.

use std::sync::Arc;

use crate::histogram::{Buckets, Snapshot};
use crate::registry::{Domain, Operation, OperationSet, Outcome};

/// What a domain held at one moment.
pub(super) struct Picture {
    pub(super) domain: Domain,
    pub(super) buckets: Arc<Buckets>,
    pub(super) operations: Vec<Counted>,
    pub(super) overflow: u64,
    pub(super) saturated: u64,
}

/// What one operation had counted.
pub(super) struct Counted {
    operation: Arc<Operation>,
    pub(super) started: u64,
    pub(super) in_flight: u64,
    pub(super) ended: Vec<Ended>,
}

/// The operations that ended in one way.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) detail: u16,
    pub(super) durations: Durations,
}

/// Durations folded to the configured bounds; sums of them are meaningful.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations {
    /// Cumulative counts at the bounds, in their order; empty stands for all zero.
    pub(super) at_or_below: Vec<u64>,
    pub(super) count: u64,
    pub(super) sum_ns: u64,
}

impl Picture {
    pub(super) fn take(set: &OperationSet) -> Self {
        let mut saturated = 0;
        let operations = set.operations().into_iter();
        Self {
            domain: set.domain(),
            buckets: set.buckets().clone(),
            operations: operations
                .map(|operation| Counted::take(operation, &mut saturated))
                .collect(),
            overflow: set.overflow(),
            saturated,
        }
    }
}

impl Counted {
    fn take(operation: Arc<Operation>, saturated: &mut u64) -> Self {
        let mut ended = Vec::new();
        for series in operation.each_series() {
            let snapshot = series.histogram.snapshot();
            *saturated += snapshot.saturated();
            ended.push(Ended {
                outcome: series.outcome,
                detail: series.detail,
                durations: Durations::of(&snapshot),
            });
        }
        // After the ends: what ended before is then among those that began.
        Self {
            started: operation.started(),
            in_flight: operation.in_flight(),
            operation,
            ended,
        }
    }

    pub(super) fn label(&self, index: usize) -> &str {
        &self.operation.labels()[index]
    }

    /// Whether one of the domain's labels is `operation` and has this value.
    pub(super) fn is_operation(&self, domain: Domain, value: &str) -> bool {
        let key = domain.keys().iter().position(|&key| key == "operation");
        key.is_some_and(|index| self.label(index) == value)
    }
}

impl Durations {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            at_or_below: snapshot.cumulative(),
            count: snapshot.count(),
            sum_ns: snapshot.raw_sum(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.at_or_below.resize(other.at_or_below.len(), 0);
        for (total, count) in self.at_or_below.iter_mut().zip(&other.at_or_below) {
            *total += count;
        }
        self.count += other.count;
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
    }
}
