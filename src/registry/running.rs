//! Queries under way, for a watchdog that looks at them from time to time.
//!
//! A fixed table: a query claims a slot with one exchange, and leaves it with one store. The tick reads the slots without
//! a lock, and knows by a slot's state, which never comes back, whether what it read belongs together.

mod slot;

/// What a slot is made of, in a place that the models of its protocol replace (`tests/loom`).
mod atomic {
    pub(super) use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};
}

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::Operation;
use crate::clock::SharedClock;
use crate::histogram::{TraceId, nanos};
use crate::scope;
use slot::{Entry, Slot};

/// Queries that are watched at the same time.
const SLOTS: usize = 1024;

/// Slots that a query looks at for a free one.
const TRIES: usize = 64;

/// A query that is still running past the watchdog's limit.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RunningQuery {
    /// Label keys and values: `operation`, `model`, `query`.
    pub labels: Vec<(&'static str, String)>,
    /// How long it has been running, when it was found.
    pub age: Duration,
    /// The trace of the request that waits for it, where the layer keeps that.
    pub trace_id: Option<TraceId>,
    /// When it was found.
    pub at: SystemTime,
}

impl RunningQuery {
    /// The statement's summary or its explicit name: the label `query`.
    pub fn name(&self) -> &str {
        let found = self.labels.iter().find(|label| label.0 == "query");
        found.map_or("", |label| &label.1)
    }
}

/// What a watchdog watches.
#[derive(Debug)]
pub(crate) struct Running {
    clock: SharedClock,
    limit_ns: u64,
    slots: Box<[Slot<Operation>]>,
    /// Where the next query looks first. Relaxed, as the next two: only its own value counts.
    next: AtomicUsize,
    /// Queries that were found past the limit.
    overdue: AtomicU64,
    /// Queries that found no free slot.
    unwatched: AtomicU64,
}

/// Gives the slot back when dropped.
#[derive(Debug)]
pub(crate) struct Watched {
    table: Arc<Running>,
    at: u32,
}

impl Running {
    pub(crate) fn new(clock: SharedClock, limit: Duration) -> Self {
        Self {
            clock,
            limit_ns: nanos(limit),
            slots: (0..SLOTS).map(|_| Slot::new()).collect(),
            next: AtomicUsize::new(0),
            overdue: AtomicU64::new(0),
            unwatched: AtomicU64::new(0),
        }
    }

    /// Watches a query from now on; `None` if there is no room.
    fn watch(self: &Arc<Self>, operation: &Operation) -> Option<Watched> {
        let started_ns = self.clock.now_ns();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for at in first..first + TRIES {
            let at = at % SLOTS;
            let entry = || Entry {
                started_ns,
                subject: ptr::from_ref(operation),
                trace: scope::trace_id().map_or(0, |id| u128::from_be_bytes(id.to_bytes())),
            };
            if self.slots[at].claim(entry) {
                let (table, at) = (self.clone(), at as u32);
                return Some(Watched { table, at });
            }
        }
        self.unwatched.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// The queries that have been running past the limit and were not reported before.
    ///
    /// # Safety
    ///
    /// Every operation that was watched is still there.
    pub(super) unsafe fn overdue(&self) -> Vec<Arc<RunningQuery>> {
        let now_ns = self.clock.now_ns();
        let mut found = Vec::new();
        for slot in &self.slots {
            let Some((state, seen)) = slot.read() else {
                continue;
            };
            let age_ns = now_ns.saturating_sub(seen.started_ns);
            if age_ns <= self.limit_ns || !slot.report(state) {
                continue;
            }
            // SAFETY: the pointer was read with the state of the query that wrote it, of whose operation the caller
            // promises that it is there.
            let operation = unsafe { &*seen.subject };
            let values = operation.labels().iter().map(|label| label.to_string());
            found.push(Arc::new(RunningQuery {
                labels: operation.keys().iter().copied().zip(values).collect(),
                age: Duration::from_nanos(age_ns),
                trace_id: TraceId::new(seen.trace.to_be_bytes()),
                at: self.clock.system_time(),
            }));
        }
        self.overdue
            .fetch_add(found.len() as u64, Ordering::Relaxed);
        found
    }

    /// Queries that were reported, and those for which there was no room.
    pub(crate) fn totals(&self) -> [u64; 2] {
        [&self.overdue, &self.unwatched].map(|count| count.load(Ordering::Relaxed))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.table.slots[self.at as usize].leave();
    }
}

impl Operation {
    /// Watches a query of this operation, where somebody wants that, until what this returns is dropped.
    #[inline]
    pub(crate) fn watch(&self) -> Option<Watched> {
        self.recording.running.as_ref()?.watch(self)
    }
}

#[cfg(all(test, feature = "db"))]
mod tests {
    use std::thread;

    use super::*;
    use crate::registry::Domain;
    use crate::{ManualClock, Plimsoll};

    fn instance() -> (Plimsoll, ManualClock) {
        let clock = ManualClock::new();
        let builder = Plimsoll::builder().clock(clock.clone()).manual_tick();
        let builder = builder.query_watchdog(Duration::from_secs(5), |_| {});
        (builder.build().expect("sound"), clock)
    }

    fn operation(plimsoll: &Plimsoll, name: &str) -> Arc<Operation> {
        let set = plimsoll.registry().set(Domain::Db);
        set.get(&[name, "orders"]).clone()
    }

    fn names(plimsoll: &Plimsoll) -> Vec<String> {
        let found = plimsoll.registry().overdue().into_iter();
        found.map(|query| query.name().to_owned()).collect()
    }

    #[test]
    fn each_query_is_found_once_and_only_while_it_runs() {
        let (plimsoll, clock) = instance();
        let list = operation(&plimsoll, "list");
        let (first, second) = (list.watch(), operation(&plimsoll, "insert").watch());
        clock.advance(Duration::from_secs(5));
        assert_eq!(names(&plimsoll), [""; 0], "not yet past the limit");
        drop(first);
        clock.advance(Duration::from_nanos(1));
        assert_eq!(names(&plimsoll), ["insert orders"]);
        assert_eq!(names(&plimsoll), [""; 0]);
        drop(second);
        let third = list.watch();
        clock.advance(Duration::from_secs(6));
        assert_eq!(names(&plimsoll), ["list orders"]);
        drop(third);
    }

    #[test]
    fn a_full_table_watches_no_more_and_says_so() {
        let (plimsoll, _) = instance();
        let list = operation(&plimsoll, "list");
        let held: Vec<_> = (0..SLOTS).map(|_| list.watch().expect("room")).collect();
        assert!(list.watch().is_none());
        let running = list.recording.running.as_ref().expect("on");
        assert_eq!(running.totals(), [0, 1]);
        drop(held);
        assert!(list.watch().is_some());
    }

    #[test]
    fn readers_see_whole_queries_while_slots_change_hands() {
        let (plimsoll, clock) = instance();
        let operations = ["a", "b", "c"].map(|name| operation(&plimsoll, name));
        thread::scope(|threads| {
            for operation in &operations {
                let clock = &clock;
                threads.spawn(move || {
                    for _ in 0..2000 {
                        let watched = operation.watch();
                        clock.advance(Duration::from_secs(6));
                        drop(watched);
                    }
                });
            }
            for _ in 0..200 {
                for name in names(&plimsoll) {
                    assert!(["a orders", "b orders", "c orders"].contains(&&*name));
                }
            }
        });
        assert_eq!(names(&plimsoll), [""; 0]);
    }
}
