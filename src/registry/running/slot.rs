//! Room for one that runs: claimed by an exchange, read by anybody without a lock.

use super::atomic::{AtomicPtr, AtomicU64, Ordering, fence};

/// The lowest bits of a state say what its slot is; the others count its users.
const FREE: u64 = 0;
const FILLING: u64 = 1;
const RUNNING: u64 = 2;
const KIND: u64 = 3;

/// What is kept of one that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry<T> {
    pub(super) started_ns: u64,
    /// What it is counted as.
    pub(super) subject: *const T,
    /// 0 for none.
    pub(super) trace: u128,
}

#[derive(Debug)]
pub(super) struct Slot<T> {
    /// Claimed by an exchange from free to filling, by whoever then alone writes the fields. The Release store of running
    /// publishes them and pairs with the Acquire load in `read`; the fences order them after the state of their claim for
    /// readers that are late.
    state: AtomicU64,
    /// Relaxed, as the next ones: a reader believes them only if the state has not changed.
    started_ns: AtomicU64,
    subject: AtomicPtr<T>,
    trace: [AtomicU64; 2],
    /// The state at which it was reported. Relaxed: only its own value counts.
    reported: AtomicU64,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU64::new(FREE),
            started_ns: AtomicU64::new(0),
            subject: AtomicPtr::new(std::ptr::null_mut()),
            trace: [AtomicU64::new(0), AtomicU64::new(0)],
            reported: AtomicU64::new(0),
        }
    }

    /// Makes the slot the caller's, if nobody has it.
    pub(super) fn claim(&self, entry: impl FnOnce() -> Entry<T>) -> bool {
        let free = self.state.load(Ordering::Relaxed);
        // Acquire pairs with the Release in `leave`: what the user before has written is over.
        let claimed = free & KIND == FREE
            && self
                .state
                .compare_exchange(free, free | FILLING, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if claimed {
            self.fill(entry());
            self.state.store(free | RUNNING, Ordering::Release);
        }
        claimed
    }

    fn fill(&self, entry: Entry<T>) {
        // Pairs with the fence in `read`: whoever sees a field sees the state of its claim.
        fence(Ordering::Release);
        self.started_ns.store(entry.started_ns, Ordering::Relaxed);
        self.subject
            .store(entry.subject.cast_mut(), Ordering::Relaxed);
        let halves = [(entry.trace >> 64) as u64, entry.trace as u64];
        for (cell, half) in self.trace.iter().zip(halves) {
            cell.store(half, Ordering::Relaxed);
        }
    }

    /// Gives it back, by whoever has it.
    pub(super) fn leave(&self) {
        let state = self.state.load(Ordering::Relaxed);
        let next = (state | KIND).wrapping_add(1);
        self.state.store(next, Ordering::Release);
    }

    /// What is in the slot, if one has it all the while, with a state that will not come back.
    pub(super) fn read(&self) -> Option<(u64, Entry<T>)> {
        let state = self.state.load(Ordering::Acquire);
        if state & KIND != RUNNING {
            return None;
        }
        let half = |cell: &AtomicU64| u128::from(cell.load(Ordering::Relaxed));
        let entry = Entry {
            started_ns: self.started_ns.load(Ordering::Relaxed),
            subject: self.subject.load(Ordering::Relaxed).cast_const(),
            trace: half(&self.trace[0]) << 64 | half(&self.trace[1]),
        };
        fence(Ordering::Acquire);
        let same = self.state.load(Ordering::Relaxed) == state;
        same.then_some((state, entry))
    }

    /// Whether the one of this state is to be reported: once.
    pub(super) fn report(&self, state: u64) -> bool {
        let known = self.reported.load(Ordering::Relaxed);
        let (to, order) = (state, Ordering::Relaxed);
        known != state
            && self
                .reported
                .compare_exchange(known, to, order, order)
                .is_ok()
    }
}
