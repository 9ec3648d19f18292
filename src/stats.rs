//! Why it exists: a service wants its own figures as a value, for a status page or a log line, without a scrape.

use crate::config::Thresholds;
use crate::histogram::Snapshot;
use crate::instance::Plimsoll;
use crate::registry::{Domain, Operation, OperationSet, Outcome, Registry};

/// What an instance has counted so far.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// HTTP requests that ended, cancelled ones included.
    pub total: u64,
    /// HTTP requests that failed: status 500 and above, service errors, panics.
    pub errors: u64,
    /// Failed ones ÷ those that were not refused by a layer, in `0.0..=1.0`; 0 while there are none.
    pub error_ratio: f64,
    /// The thresholds in force.
    pub thresholds: Thresholds,
    /// One line per operation of any kind, ordered by kind and labels.
    pub operations: Vec<OperationStats>,
}

/// What one operation has counted so far.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OperationStats {
    /// The kind of work: `http`, `service`, `db`, `modbus`, `connect`, `acquire`, `create`, `cycle`, `check`, `point`,
    /// `operation`.
    pub kind: &'static str,
    /// Label keys and values.
    pub labels: Vec<(&'static str, String)>,
    /// Operations that ended, in whichever way.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those that were dropped before their end.
    pub cancelled: u64,
    /// Those that were refused because the service has too much to do.
    pub shed: u64,
    /// Those that were refused to give the service a rest.
    pub broken: u64,
    /// Those under way.
    pub in_flight: u64,
    /// Quantiles of the durations in seconds, within 0.55 %, without those that were refused; `None` before the first one,
    /// and for `check` and `point`, which have no duration.
    pub p50: Option<f64>,
    /// See [`p50`](Self::p50).
    pub p95: Option<f64>,
    /// See [`p50`](Self::p50).
    pub p99: Option<f64>,
}

impl Plimsoll {
    /// What was counted so far. Cost: one pass over all cells; not for a hot path.
    pub fn stats(&self) -> Stats {
        let operations = operations(self.registry());
        let http = || {
            operations
                .iter()
                .filter(|operation| operation.kind == Domain::Http.as_str())
        };
        let total = http().map(|operation| operation.count).sum();
        let errors = http().map(|operation| operation.errors).sum();
        let refused: u64 = http()
            .map(|operation| operation.shed + operation.broken)
            .sum();
        let valid = total - refused;
        Stats {
            total,
            errors,
            error_ratio: if valid == 0 {
                0.0
            } else {
                errors as f64 / valid as f64
            },
            thresholds: self.inner().thresholds,
            operations,
        }
    }
}

fn operations(registry: &Registry) -> Vec<OperationStats> {
    let mut all = Vec::new();
    for set in registry.sets() {
        let mut of_set: Vec<_> = set
            .operations()
            .iter()
            .map(|operation| line(set, operation))
            .collect();
        of_set.sort_by(|a, b| a.labels.cmp(&b.labels));
        all.extend(of_set);
    }
    all
}

fn line(set: &OperationSet, operation: &Operation) -> OperationStats {
    let (mut errors, mut cancelled, mut shed, mut broken) = (0, 0, 0, 0);
    let mut whole: Option<Snapshot> = None;
    for series in operation.each_series() {
        let snapshot = series.histogram.snapshot();
        match series.end.outcome {
            Outcome::Ok => {}
            Outcome::Error => errors += snapshot.count(),
            Outcome::Cancelled => cancelled += snapshot.count(),
            Outcome::Shed => shed += snapshot.count(),
            Outcome::Broken => broken += snapshot.count(),
        }
        if !series.end.outcome.is_valid() {
            continue;
        }
        match &mut whole {
            Some(whole) => drop(whole.merge(&snapshot)),
            None => whole = Some(snapshot),
        }
    }
    let in_flight = operation.in_flight(&operation.reading());
    let timed = whole.as_ref().filter(|_| set.domain().is_timed());
    let quantile = |q| timed.and_then(|whole| whole.quantile(q));
    OperationStats {
        kind: set.domain().as_str(),
        labels: set
            .keys()
            .iter()
            .copied()
            .zip(operation.labels().iter().map(|label| label.to_string()))
            .collect(),
        count: whole.as_ref().map_or(0, Snapshot::count) + shed + broken,
        errors,
        cancelled,
        shed,
        broken,
        in_flight,
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
    }
}
