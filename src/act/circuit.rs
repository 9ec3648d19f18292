//! When a breaker opens, tries and closes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::engine::StateCell;
use crate::instance::Plimsoll;
use crate::registry::Outcome;

const CLOSED: u64 = 0;
const HALF_OPEN: u64 = u64::MAX;

/// One breaker.
pub(super) struct Circuit {
    pub(super) cell: StateCell,
    pub(super) pause_ns: u64,
    /// Trials at a time, and how many must succeed.
    pub(super) trials: u64,
    /// [`CLOSED`], [`HALF_OPEN`], or until when it is open. Stored under the lock of `round`, loaded by every call.
    /// Relaxed: calls decide by this word alone, or take the lock.
    phase: AtomicU64,
    round: Mutex<Round>,
    /// 0 closed, 1 half-open, 2 open. Relaxed: for readers of the page only.
    pub(super) shown: Arc<AtomicU64>,
    /// Its clock tells the time. Whoever acts needs somebody to judge.
    pub(super) plimsoll: Plimsoll,
}

/// The trials.
#[derive(Debug, Default)]
struct Round {
    /// Which half-open time it is: what was tried in an earlier one proves nothing now.
    number: u64,
    /// Trials that have not ended, those of earlier rounds included.
    under_way: u64,
    /// In this round.
    succeeded: u64,
}

impl Circuit {
    pub(super) fn new(
        plimsoll: Plimsoll,
        cell: StateCell,
        (pause_ns, trials): (u64, u64),
        shown: Arc<AtomicU64>,
    ) -> Self {
        Self {
            cell,
            pause_ns,
            trials,
            phase: AtomicU64::new(CLOSED),
            round: Mutex::default(),
            shown,
            plimsoll,
        }
    }

    /// Whether a call may pass, and whether it is a trial; else after how long to try again.
    ///
    /// Cost while closed: two atomic loads.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Option<Trial>, Duration> {
        let phase = self.phase.load(Ordering::Relaxed);
        if phase == CLOSED && !self.cell.is_breached() {
            return Ok(None);
        }
        let now_ns = self.now_ns();
        match left(phase, now_ns) {
            // Most calls of a breach end here, without the lock.
            Some(left) => Err(left),
            None => self.admit_in_doubt(now_ns),
        }
    }

    fn admit_in_doubt(self: &Arc<Self>, now_ns: u64) -> Result<Option<Trial>, Duration> {
        let mut round = self.round.lock();
        // As others may have left it in the meantime.
        let phase = self.phase.load(Ordering::Relaxed);
        if let Some(left) = left(phase, now_ns) {
            return Err(left);
        }
        match (phase, self.cell.is_breached()) {
            (CLOSED, true) => {
                self.open(now_ns);
                return Err(self.pause());
            }
            (CLOSED, false) => return Ok(None),
            (HALF_OPEN, false) if round.succeeded >= self.trials => {
                self.close();
                return Ok(None);
            }
            (HALF_OPEN, _) => {}
            _ => {
                round.number += 1;
                round.succeeded = 0;
                self.enter(HALF_OPEN, 1);
            }
        }
        if round.under_way >= self.trials {
            return Err(self.pause());
        }
        round.under_way += 1;
        Ok(Some(Trial {
            circuit: self.clone(),
            round: round.number,
            ended: false,
        }))
    }

    fn end(&self, number: u64, outcome: Outcome) {
        let mut round = self.round.lock();
        round.under_way -= 1;
        if round.number != number || self.phase.load(Ordering::Relaxed) != HALF_OPEN {
            return;
        }
        match outcome {
            Outcome::Error => self.open(self.now_ns()),
            Outcome::Ok => {
                round.succeeded += 1;
                if round.succeeded >= self.trials && !self.cell.is_breached() {
                    self.close();
                }
            }
            // Nobody knows how it would have ended.
            Outcome::Cancelled | Outcome::Shed | Outcome::Broken => {}
        }
    }

    fn open(&self, now_ns: u64) {
        let until_ns = now_ns.saturating_add(self.pause_ns);
        self.enter(until_ns.clamp(CLOSED + 1, HALF_OPEN - 1), 2);
    }

    fn close(&self) {
        self.enter(CLOSED, 0);
    }

    fn enter(&self, phase: u64, shown: u64) {
        self.phase.store(phase, Ordering::Relaxed);
        self.shown.store(shown, Ordering::Relaxed);
    }

    fn pause(&self) -> Duration {
        Duration::from_nanos(self.pause_ns)
    }

    fn now_ns(&self) -> u64 {
        self.plimsoll.registry().clock().now_ns()
    }
}

/// How long it is still open.
fn left(phase: u64, now_ns: u64) -> Option<Duration> {
    let open = phase != CLOSED && phase != HALF_OPEN && now_ns < phase;
    open.then(|| Duration::from_nanos(phase - now_ns))
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuit")
            .field("cell", &self.cell)
            .field("phase", &self.phase)
            .field("round", &self.round)
            .finish_non_exhaustive()
    }
}

/// A call by which a breaker finds out. Dropped, it frees its place; by a panic, it has failed.
#[derive(Debug)]
pub(super) struct Trial {
    circuit: Arc<Circuit>,
    round: u64,
    ended: bool,
}

impl Trial {
    pub(super) fn finish(mut self, outcome: Outcome) {
        self.ended = true;
        self.circuit.end(self.round, outcome);
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let outcome = if std::thread::panicking() {
            Outcome::Error
        } else {
            Outcome::Cancelled
        };
        self.circuit.end(self.round, outcome);
    }
}
