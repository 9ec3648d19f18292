//! One reading of a domain's cells, which all its families share.

use std::sync::Arc;

use crate::histogram::{Buckets, Histogram, NativeBuckets, NativeSchema, Snapshot};
use crate::registry::{Domain, Operation, OperationSet, Outcome};

/// What a domain held at one moment.
pub(super) struct Picture {
    pub(super) domain: Domain,
    pub(super) buckets: Arc<Buckets>,
    /// What nothing looks like: with native buckets from the start, where they were asked for.
    pub(super) nothing: Durations,
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
    /// Only where it was asked for: it is larger than all the rest.
    pub(super) native: Option<NativeBuckets>,
}

impl Picture {
    pub(super) fn take(set: &OperationSet, native: Option<NativeSchema>) -> Self {
        let mut reader = Reader::new(set.buckets().clone(), native);
        let operations = set.operations().into_iter();
        Self {
            domain: set.domain(),
            buckets: set.buckets().clone(),
            nothing: Durations {
                native: native.map(|schema| NativeBuckets::empty(set.buckets(), schema)),
                ..Durations::default()
            },
            operations: operations
                .map(|operation| Counted::take(operation, &mut reader))
                .collect(),
            overflow: set.overflow(),
            saturated: reader.saturated,
        }
    }
}

impl Counted {
    fn take(operation: Arc<Operation>, reader: &mut Reader) -> Self {
        let mut ended = Vec::new();
        for series in operation.each_series() {
            ended.push(Ended {
                outcome: series.outcome,
                detail: series.detail,
                durations: reader.read(&series.histogram),
            });
        }
        // After the ends: what ended before is then among those that began.
        let reading = operation.reading();
        let (started, in_flight) = (operation.started(&reading), operation.in_flight(&reading));
        drop(reading);
        Self {
            started,
            in_flight,
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

/// Reads histograms over the same buckets one after the other, through one copy of their cells.
pub(super) struct Reader {
    snapshot: Snapshot,
    native: Option<NativeSchema>,
    /// Values above the range, in all that was read.
    pub(super) saturated: u64,
}

impl Reader {
    pub(super) fn new(buckets: Arc<Buckets>, native: Option<NativeSchema>) -> Self {
        Self {
            snapshot: Snapshot::empty(buckets),
            native,
            saturated: 0,
        }
    }

    pub(super) fn read(&mut self, histogram: &Histogram) -> Durations {
        histogram.read_into(&histogram.reading(), &mut self.snapshot);
        self.saturated += self.snapshot.saturated();
        Durations {
            at_or_below: self.snapshot.cumulative(),
            count: self.snapshot.count(),
            sum_ns: self.snapshot.raw_sum(),
            native: self.native.map(|schema| self.snapshot.native(schema)),
        }
    }
}

impl Durations {
    pub(super) fn add(&mut self, other: &Self) {
        self.at_or_below.resize(other.at_or_below.len(), 0);
        for (total, count) in self.at_or_below.iter_mut().zip(&other.at_or_below) {
            *total += count;
        }
        self.count += other.count;
        self.sum_ns = self.sum_ns.wrapping_add(other.sum_ns);
        match (&mut self.native, &other.native) {
            (Some(total), Some(more)) => total.add(more),
            (none, more) => none.clone_from(more),
        }
    }
}
