//! Requests that query too much, for a log that cannot be flooded: of those of one period that are alike the gravest is
//! told of, and how many others there were.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::Operation;
use crate::histogram::{Cells, Memory, Reading, TraceId, nanos};
use crate::scope::{QueryLimits, Scope, Tally};

/// Findings that differ, per period.
const AT_ONCE: usize = 20;

const PERIOD: Duration = Duration::from_secs(10);

/// What is wrong with how a request queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum QueryFindingKind {
    /// It ran one statement again and again, where one query for all would do.
    NPlusOne,
    /// It ran too many queries, whichever.
    MaxQueries,
}

impl QueryFindingKind {
    pub(crate) const ALL: [Self; 2] = [Self::NPlusOne, Self::MaxQueries];

    /// `n_plus_one` or `max_queries`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NPlusOne => "n_plus_one",
            Self::MaxQueries => "max_queries",
        }
    }

    fn limit(self, limits: QueryLimits) -> u64 {
        match self {
            Self::NPlusOne => limits.n_plus_one,
            Self::MaxQueries => limits.queries,
        }
    }

    /// The queries of a request that are too many, if there are.
    fn of(self, scope: &Scope) -> Option<Tally> {
        match self {
            Self::NPlusOne => scope.repeated().map(|repeated| repeated.1),
            Self::MaxQueries => scope.too_many(),
        }
    }
}

impl fmt::Display for QueryFindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A request that queried too much.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct QueryFinding {
    /// What is wrong.
    pub kind: QueryFindingKind,
    /// Label keys and values of the request: `method`, `route`.
    pub labels: Vec<(&'static str, String)>,
    /// The statement that was run most often, by its summary or its explicit name; empty where none was run as often as
    /// the limit.
    pub query: String,
    /// How often that statement was run; of [`MaxQueries`](QueryFindingKind::MaxQueries) how many queries there were.
    pub count: u64,
    /// What all of these took together.
    pub duration: Duration,
    /// The trace of the request, where the layer keeps that.
    pub trace_id: Option<TraceId>,
    /// When the request ended.
    pub at: SystemTime,
    /// How many others of this kind, route and statement the period had, none of them with more queries.
    pub suppressed: u64,
}

impl QueryFinding {
    fn new(
        kind: QueryFindingKind,
        operation: &Operation,
        scope: &Scope,
        tally: Tally,
        at: SystemTime,
    ) -> Self {
        let labels = operation.labels().iter().map(|label| label.to_string());
        Self {
            kind,
            labels: operation.keys().iter().copied().zip(labels).collect(),
            query: query_of(scope).to_owned(),
            count: tally.count,
            duration: Duration::from_nanos(tally.ns),
            trace_id: scope.trace_id(),
            at,
            suppressed: 0,
        }
    }

    /// The value of a label; empty if there is none of that key.
    pub fn label(&self, key: &str) -> &str {
        let found = self.labels.iter().find(|label| label.0 == key);
        found.map_or("", |label| &label.1)
    }
}

fn query_of(scope: &Scope) -> &str {
    scope.repeated().map_or("", |repeated| repeated.0)
}

/// The findings of an instance, period by period.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) limits: QueryLimits,
    period: Mutex<Period>,
    /// Those for which there was no room. Relaxed, as the next one: independent counts.
    crowded: AtomicU64,
    /// Those that found somebody else at the list.
    missed: AtomicU64,
}

#[derive(Debug)]
struct Period {
    began_ns: u64,
    /// With the address of what the request is counted as, to be compared.
    found: Vec<(usize, QueryFinding)>,
}

impl Findings {
    pub(crate) fn new(limits: QueryLimits, now_ns: u64) -> Self {
        Self {
            limits,
            period: Mutex::new(Period {
                began_ns: now_ns,
                found: Vec::new(),
            }),
            crowded: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        }
    }

    fn offer(&self, kind: QueryFindingKind, operation: &Operation, scope: &Scope, tally: Tally) {
        // Before the lock: the clock may be the user's.
        let at = operation.recording.clock.system_time();
        let Some(mut period) = self.period.try_lock() else {
            self.missed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let (address, query) = (std::ptr::from_ref(operation).addr(), query_of(scope));
        let new = || QueryFinding::new(kind, operation, scope, tally, at);
        let alike = |(of, known): &(usize, QueryFinding)| {
            *of == address && known.kind == kind && known.query == query
        };
        match period.found.iter().position(alike) {
            Some(at) => {
                let known = &mut period.found[at].1;
                let suppressed = known.suppressed + 1;
                if known.count < tally.count {
                    *known = new();
                }
                known.suppressed = suppressed;
            }
            None if period.found.len() < AT_ONCE => period.found.push((address, new())),
            None => drop(self.crowded.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// What the period at hand has brought, if it is over.
    pub(crate) fn turn(&self, now_ns: u64) -> Vec<Arc<QueryFinding>> {
        let mut period = self.period.lock();
        if now_ns.saturating_sub(period.began_ns) < nanos(PERIOD) {
            return Vec::new();
        }
        period.began_ns = now_ns;
        period.take()
    }

    /// What the period at hand has brought so far, whether it is over or not.
    pub(crate) fn take(&self) -> Vec<Arc<QueryFinding>> {
        self.period.lock().take()
    }

    /// Shows how many are told of by nobody, and why.
    pub(crate) fn each_dropped(&self, mut show: impl FnMut(&'static str, u64)) {
        show("limit", self.crowded.load(Ordering::Relaxed));
        show("busy", self.missed.load(Ordering::Relaxed));
    }
}

impl Period {
    fn take(&mut self) -> Vec<Arc<QueryFinding>> {
        let found = self.found.drain(..);
        found.map(|(_, finding)| Arc::new(finding)).collect()
    }
}

/// How many requests of an operation queried too much; there from the first one that queried at all, where somebody
/// looked out for that.
#[derive(Debug, Default)]
pub(super) struct Found([OnceBox<Cells>; QueryFindingKind::ALL.len()]);

impl Found {
    fn cells(&self, kind: QueryFindingKind, memory: &Arc<Memory>) -> &Cells {
        self.0[kind as usize].get_or_init(|| Box::new(Cells::new(0, memory.clone())))
    }
}

impl Operation {
    /// Looks for what is wrong with how a request queried, which ended now.
    pub(super) fn look_for_findings(&self, scope: &Scope) {
        for kind in QueryFindingKind::ALL {
            if kind.limit(scope.limits()) == 0 {
                continue;
            }
            let cells = self.found.cells(kind, &self.recording.memory);
            if let Some(tally) = kind.of(scope) {
                cells.add(0, 1);
                self.recording.findings.offer(kind, self, scope, tally);
            }
        }
    }

    /// How many of its requests queried too much; `None` if there were none that could have.
    pub(crate) fn found(&self, kind: QueryFindingKind, reading: &Reading<'_>) -> Option<u64> {
        let cells = self.found.0[kind as usize].get()?;
        Some(cells.total(reading, 0))
    }
}
