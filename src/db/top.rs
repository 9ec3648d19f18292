//! The statements that cost most, as a value.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::database::{Counts, Known};
use crate::instance::Plimsoll;
use crate::registry::{Domain, Operation, Outcome};

/// What the first of [`Plimsoll::top_queries`] has most of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TopBy {
    /// Time in all.
    Total,
    /// Time per query.
    Mean,
    /// Queries.
    Count,
}

/// What one statement has cost so far.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TopQuery {
    /// The name under which the database was [opened](Plimsoll::database); empty for queries of [`Plimsoll::db`].
    pub database: String,
    /// Its explicit name or its summary: the label `query`. Several statements may have the same.
    pub query: String,
    /// The statement without values and comments; empty where there is no text. Of a name the one that was first seen.
    pub text: String,
    /// Queries that ended, in whichever way.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// The sum of their durations.
    pub total: Duration,
    /// Their mean duration.
    pub mean: Duration,
}

impl TopQuery {
    fn new(query: String, counts: Counts) -> Self {
        Self {
            database: String::new(),
            query,
            text: String::new(),
            count: counts.count,
            errors: counts.errors,
            total: Duration::from_nanos(counts.total_ns),
            mean: Duration::from_nanos(counts.total_ns / counts.count.max(1)),
        }
    }
}

impl Plimsoll {
    /// The `n` statements that are first by `by`, of all databases together, and the queries of [`db`](Self::db); those
    /// that have never ended are not among them.
    ///
    /// Cost: a pass over the counters of all statements; not for a hot path.
    pub fn top_queries(&self, n: usize, by: TopBy) -> Vec<TopQuery> {
        let databases = self.inner().databases.all();
        let mut all: Vec<_> = databases
            .iter()
            .flat_map(|known| self.of_database(known))
            .chain(self.without_statement(&databases))
            .filter(|query| query.count > 0)
            .collect();
        let rank = |query: &TopQuery| match by {
            TopBy::Total => query.total.as_nanos(),
            TopBy::Mean => query.mean.as_nanos(),
            TopBy::Count => query.count.into(),
        };
        // By name where they are even, so that two looks have the same order.
        all.sort_by(|a, b| {
            let names = || (&a.query, &a.text).cmp(&(&b.query, &b.text));
            rank(b).cmp(&rank(a)).then_with(names)
        });
        all.truncate(n);
        all
    }

    fn of_database(&self, known: &Known) -> Vec<TopQuery> {
        let reading = self.registry().reading();
        let slots = known.statements.slots();
        slots
            .map(|slot| {
                let summary = || slot.statement.summary.clone();
                let query = slot.name.as_deref().map_or_else(summary, str::to_owned);
                TopQuery {
                    database: known.name.to_string(),
                    text: slot.statement.text.clone(),
                    ..TopQuery::new(query, slot.kept.counts(&reading))
                }
            })
            .collect()
    }

    /// Queries that were timed by operation and model.
    fn without_statement(&self, databases: &[Arc<Known>]) -> Vec<TopQuery> {
        let slots = databases.iter().flat_map(|known| known.statements.slots());
        let counted: HashSet<_> = slots
            .map(|slot| Arc::as_ptr(slot.kept.operation()))
            .collect();
        let operations = self.registry().set(Domain::Db).operations();
        operations
            .iter()
            .filter(|operation| !counted.contains(&Arc::as_ptr(operation)))
            .map(|operation| TopQuery::new(operation.labels()[2].to_string(), counts(operation)))
            .collect()
    }
}

/// What all ends of an operation have come to.
fn counts(operation: &Operation) -> Counts {
    let mut counts = Counts::default();
    for series in operation.each_series() {
        let snapshot = series.histogram.snapshot();
        counts.count += snapshot.count();
        let total_ns = (snapshot.sum() * 1e9).round() as u64;
        counts.total_ns = counts.total_ns.saturating_add(total_ns);
        if series.end.outcome == Outcome::Error {
            counts.errors += snapshot.count();
        }
    }
    counts
}
