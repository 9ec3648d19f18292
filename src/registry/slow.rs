//! The slowest operations of each period, for a log that cannot be flooded.
//!
//! Whoever was faster than all that are kept does not even try to get in: that takes one load. Nobody waits for a lock;
//! what that loses is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;

use super::{Domain, End, Operation, Outcome};
use crate::histogram::{TraceId, nanos};
use crate::scope::{self, Anatomy, Scope};

/// An operation that took longer than its threshold; a line of the slow log.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SlowOperation {
    /// The kind of work: `http` or `db`.
    pub kind: &'static str,
    /// Label keys and values: `method` and `route` of requests, `operation` and `model` of queries.
    pub labels: Vec<(&'static str, String)>,
    /// How it ended.
    pub outcome: Outcome,
    /// The same, as finely as the probe tells: `ok`, `client_error`, `body_dropped`, ...
    pub end: &'static str,
    /// The HTTP status; `None` elsewhere, and where there was no response.
    pub code: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// The trace that it belongs to; of a query that of its request.
    pub trace_id: Option<TraceId>,
    /// Where the time went, if that was kept.
    pub anatomy: Option<Anatomy>,
    /// When it ended.
    pub at: SystemTime,
}

impl SlowOperation {
    fn new(operation: &Operation, end: End, duration_ns: u64, scope: Option<&Scope>) -> Self {
        let labels = operation.labels().iter().map(|label| label.to_string());
        let own = scope.and_then(Scope::trace_id);
        Self {
            kind: operation.domain.as_str(),
            labels: operation.keys().iter().copied().zip(labels).collect(),
            outcome: end.outcome,
            end: end.as_str(),
            code: (end.code != 0).then_some(end.code),
            duration: Duration::from_nanos(duration_ns),
            trace_id: own.or_else(scope::trace_id),
            anatomy: scope.and_then(|scope| scope.to_anatomy(duration_ns)),
            at: operation.recording.clock.system_time(),
        }
    }

    /// The value of a label; empty if there is none of that key.
    pub fn label(&self, key: &str) -> &str {
        let found = self.labels.iter().find(|label| label.0 == key);
        found.map_or("", |label| &label.1)
    }
}

/// The slowest operations of one domain in the period at hand.
#[derive(Debug)]
pub(crate) struct Slowest {
    /// Above it an operation is slow.
    pub(super) threshold_ns: u64,
    capacity: usize,
    /// Who is not above it is not among the slowest. Relaxed: too low a value costs a look at the list.
    floor_ns: AtomicU64,
    /// At most `capacity` of them, the slowest first.
    kept: Mutex<Vec<SlowOperation>>,
    /// Those that were not kept because slower ones were. Relaxed, as the next one: independent counts.
    crowded: AtomicU64,
    /// Those that found somebody else at the list.
    missed: AtomicU64,
}

impl Slowest {
    fn new(threshold: Duration, capacity: usize) -> Self {
        Self {
            threshold_ns: nanos(threshold),
            capacity,
            floor_ns: AtomicU64::new(0),
            kept: Mutex::default(),
            crowded: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        }
    }

    /// Keeps an operation, if it is among the slowest.
    #[cold]
    #[inline(never)]
    pub(super) fn offer(
        &self,
        operation: &Operation,
        end: End,
        duration_ns: u64,
        scope: Option<&Scope>,
    ) {
        if duration_ns <= self.floor_ns.load(Ordering::Relaxed) {
            self.crowded.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // Before the lock: the clock may be the user's.
        let slow = SlowOperation::new(operation, end, duration_ns, scope);
        match self.kept.try_lock() {
            Some(mut kept) => self.keep(&mut kept, slow),
            None => drop(self.missed.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn keep(&self, kept: &mut Vec<SlowOperation>, slow: SlowOperation) {
        let at = kept.partition_point(|known| known.duration >= slow.duration);
        kept.insert(at, slow);
        if kept.len() > self.capacity {
            self.crowded.fetch_add(1, Ordering::Relaxed);
            kept.pop();
        }
        if kept.len() == self.capacity {
            let fastest = kept.last().map_or(0, |fastest| nanos(fastest.duration));
            self.floor_ns.store(fastest, Ordering::Relaxed);
        }
    }

    /// Hands over the slowest first; nobody is kept any more.
    fn take(&self, to: &mut Vec<Arc<SlowOperation>>) {
        let mut kept = self.kept.lock();
        self.floor_ns.store(0, Ordering::Relaxed);
        to.extend(kept.drain(..).map(Arc::new));
    }
}

/// The slow log of an instance: the slowest operations of each domain, period by period.
#[derive(Debug)]
pub(crate) struct SlowLog {
    period_ns: u64,
    domains: Vec<(Domain, Arc<Slowest>)>,
    latest: Mutex<Latest>,
}

/// What became of the latest period.
#[derive(Debug)]
struct Latest {
    /// When the one at hand began.
    began_ns: u64,
    slowest: Vec<Arc<SlowOperation>>,
}

impl SlowLog {
    /// Keeps `count` operations of each domain that has a threshold; none if that is 0.
    pub(crate) fn new(
        count: usize,
        period: Duration,
        thresholds: &[(Domain, Duration)],
        now_ns: u64,
    ) -> Self {
        let slowest = |threshold| Arc::new(Slowest::new(threshold, count));
        let domains = thresholds.iter().filter(|_| count > 0);
        Self {
            period_ns: nanos(period),
            domains: domains
                .map(|&(domain, threshold)| (domain, slowest(threshold)))
                .collect(),
            latest: Mutex::new(Latest {
                began_ns: now_ns,
                slowest: Vec::new(),
            }),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.domains.is_empty()
    }

    pub(super) fn of(&self, domain: Domain) -> Option<&Arc<Slowest>> {
        let found = self.domains.iter().find(|known| known.0 == domain);
        found.map(|known| &known.1)
    }

    /// What the period at hand has brought so far, if it is over: by domain, the slowest first.
    pub(crate) fn turn(&self, now_ns: u64) -> Vec<Arc<SlowOperation>> {
        let mut latest = self.latest.lock();
        if !self.is_on() || now_ns.saturating_sub(latest.began_ns) < self.period_ns {
            return Vec::new();
        }
        (latest.began_ns, latest.slowest) = (now_ns, self.take());
        latest.slowest.clone()
    }

    /// What the period at hand has brought so far, whether it is over or not.
    pub(crate) fn take(&self) -> Vec<Arc<SlowOperation>> {
        let mut taken = Vec::new();
        self.domains
            .iter()
            .for_each(|known| known.1.take(&mut taken));
        taken
    }

    /// Those of the latest period that is over.
    pub(crate) fn latest(&self) -> Vec<SlowOperation> {
        let latest = self.latest.lock();
        latest.slowest.iter().map(|slow| (**slow).clone()).collect()
    }

    /// Shows how many of each domain are not in the log, and why.
    pub(crate) fn each_dropped(&self, mut show: impl FnMut(Domain, &'static str, u64)) {
        for (domain, slowest) in &self.domains {
            show(*domain, "limit", slowest.crowded.load(Ordering::Relaxed));
            show(*domain, "busy", slowest.missed.load(Ordering::Relaxed));
        }
    }
}
