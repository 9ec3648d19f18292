//! Queries under way, for a watchdog that looks at them from time to time.
//!
//! A fixed table: a query claims a slot with one exchange, and leaves it with one store. The tick reads the slots without
//! a lock, and knows by a slot's state, which never comes back, whether what it read belongs together.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::{Duration, SystemTime};

use super::Operation;
use crate::clock::SharedClock;
use crate::histogram::{TraceId, nanos};
use crate::scope;

/// Queries that are watched at the same time.
const SLOTS: usize = 1024;

/// Slots that a query looks at for a free one.
const TRIES: usize = 64;

/// The lowest bits of a state say what its slot is; the others count its users.
const FREE: u64 = 0;
const FILLING: u64 = 1;
const RUNNING: u64 = 2;
const KIND: u64 = 3;

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
    slots: Box<[Slot]>,
    /// Where the next query looks first. Relaxed, as the next two: only its own value counts.
    next: AtomicUsize,
    /// Queries that were found past the limit.
    overdue: AtomicU64,
    /// Queries that found no free slot.
    unwatched: AtomicU64,
}

/// Room for a query under way.
#[derive(Debug, Default)]
struct Slot {
    /// Claimed by an exchange from free to filling, by whoever then alone writes the fields. The Release store of running
    /// publishes them and pairs with the Acquire load in [`Running::overdue`]; the fences order them after the state
    /// of their claim for readers that are late.
    state: AtomicU64,
    /// Relaxed, as the next ones: a reader believes them only if the state has not changed.
    started_ns: AtomicU64,
    operation: AtomicPtr<Operation>,
    trace: [AtomicU64; 2],
    /// The state at which it was reported.
    reported: AtomicU64,
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
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
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
            if self.slots[at].claim(operation, started_ns) {
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
            let Some(seen) = slot.read() else { continue };
            let age_ns = now_ns.saturating_sub(seen.started_ns);
            if age_ns <= self.limit_ns || !slot.report(seen.state) {
                continue;
            }
            // SAFETY: the pointer was read with the state of the query that wrote it, of whose operation the caller
            // promises that it is there.
            let operation = unsafe { &*seen.operation };
            let values = operation.labels().iter().map(|label| label.to_string());
            found.push(Arc::new(RunningQuery {
                labels: operation.keys().iter().copied().zip(values).collect(),
                age: Duration::from_nanos(age_ns),
                trace_id: seen.trace_id,
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

/// What a reader found in a slot.
struct Seen {
    state: u64,
    started_ns: u64,
    operation: *const Operation,
    trace_id: Option<TraceId>,
}

impl Slot {
    /// Makes the slot a query's, if nobody has it.
    fn claim(&self, operation: &Operation, started_ns: u64) -> bool {
        let free = self.state.load(Ordering::Relaxed);
        // Acquire pairs with the Release in `leave`: what the user before has written is over.
        let is_free = free & KIND == FREE;
        let claimed = is_free
            && self
                .state
                .compare_exchange(free, free | FILLING, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if !claimed {
            return false;
        }
        // Pairs with the fence in `read`: whoever sees a field sees the state of its claim.
        fence(Ordering::Release);
        self.started_ns.store(started_ns, Ordering::Relaxed);
        let operation = ptr::from_ref(operation).cast_mut();
        self.operation.store(operation, Ordering::Relaxed);
        let trace = scope::trace_id().map_or(0, |id| u128::from_be_bytes(id.to_bytes()));
        for (half, shift) in self.trace.iter().zip([64, 0]) {
            half.store((trace >> shift) as u64, Ordering::Relaxed);
        }
        self.state.store(free | RUNNING, Ordering::Release);
        true
    }

    /// Gives it back, by whoever has it.
    fn leave(&self) {
        let state = self.state.load(Ordering::Relaxed);
        self.state
            .store((state | KIND).wrapping_add(1), Ordering::Release);
    }

    /// What is in the slot, if a query has it all the while.
    fn read(&self) -> Option<Seen> {
        let state = self.state.load(Ordering::Acquire);
        if state & KIND != RUNNING {
            return None;
        }
        let started_ns = self.started_ns.load(Ordering::Relaxed);
        let operation = self.operation.load(Ordering::Relaxed);
        let [high, low] = [0, 1].map(|half| u128::from(self.trace[half].load(Ordering::Relaxed)));
        fence(Ordering::Acquire);
        let same = self.state.load(Ordering::Relaxed) == state;
        same.then(|| Seen {
            state,
            started_ns,
            operation,
            trace_id: TraceId::new((high << 64 | low).to_be_bytes()),
        })
    }

    /// Whether the query of this state is to be reported: once.
    fn report(&self, state: u64) -> bool {
        self.reported.swap(state, Ordering::Relaxed) != state
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

#[cfg(test)]
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
