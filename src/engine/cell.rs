//! Where every budget stands, for whoever acts on it: a word each, stored by the tick and read without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::budget::{Budget, Level};
use crate::rule::AlertState;

/// Where a budget stood at the latest tick, for any thread to look at; made by
/// [`Plimsoll::budget_state`](crate::Plimsoll::budget_state).
///
/// Cheap to clone. Cost of a look: one atomic load. It keeps nothing alive: when its instance is gone and nobody judges
/// any more, it says [`AlertState::Inactive`].
///
/// ```
/// use plimsoll::{AlertState, Budget, Plimsoll, Select};
///
/// let plimsoll = Plimsoll::builder()
///     .budget(Budget::error_ratio("errors", Select::http()).at_most(0.001))
///     .build()?;
/// let errors = plimsoll.budget_state("errors").expect("it was declared");
/// assert_eq!((errors.state(), errors.recovered_for()), (AlertState::Inactive, None));
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StateCell {
    /// The state in the lowest two bits; above them the nanoseconds since it last fired, 0 while it fires, or
    /// [`NEVER`]. Stored by the tick under its lock, loaded by anyone. Relaxed: one independent word.
    word: Arc<AtomicU64>,
}

/// What a [`StateCell`] says to whoever acts on it.
#[cfg(feature = "act")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Breached,
    /// It was breached, and so long ago it recovered.
    Recovered {
        ago_ns: u64,
    },
    /// It never was.
    Calm,
}

/// It has not fired yet. Real durations stay below: 146 years fit into 62 bits.
const NEVER: u64 = u64::MAX >> 2;

impl StateCell {
    pub(super) fn new() -> Self {
        Self {
            word: Arc::new(AtomicU64::new(NEVER << 2)),
        }
    }

    /// Whether it is breached: [`AlertState::Firing`].
    pub fn is_breached(&self) -> bool {
        self.state() == AlertState::Firing
    }

    /// Where it stood at the latest tick.
    pub fn state(&self) -> AlertState {
        state(self.word.load(Ordering::Relaxed))
    }

    /// How long ago it recovered, as of the latest tick; `None` while it is breached, and if it never was.
    pub fn recovered_for(&self) -> Option<Duration> {
        recovered(self.word.load(Ordering::Relaxed)).map(Duration::from_nanos)
    }

    /// Both in one load.
    #[cfg(feature = "act")]
    pub(crate) fn standing(&self) -> Standing {
        let word = self.word.load(Ordering::Relaxed);
        match (state(word), recovered(word)) {
            (AlertState::Firing, _) => Standing::Breached,
            (_, Some(ago_ns)) => Standing::Recovered { ago_ns },
            (_, None) => Standing::Calm,
        }
    }

    /// Makes it the gravest of some.
    pub(super) fn gather<'a, I: Iterator<Item = &'a Self>>(&self, cells: impl Fn() -> I) {
        let words = || cells().map(|cell| cell.word.load(Ordering::Relaxed));
        let gravest = words().map(state).max_by_key(|state| state.as_number());
        let recovered = words().filter_map(recovered).min();
        self.store(gravest.unwrap_or(AlertState::Inactive), recovered);
    }

    pub(super) fn store(&self, state: AlertState, recovered_ns: Option<u64>) {
        let quiet = match state {
            AlertState::Firing => 0,
            _ => recovered_ns.map_or(NEVER, |ns| ns.min(NEVER - 1)),
        };
        let word = quiet << 2 | u64::from(state.as_number());
        self.word.store(word, Ordering::Relaxed);
    }
}

fn state(word: u64) -> AlertState {
    match word & 3 {
        0 => AlertState::Inactive,
        1 => AlertState::Pending,
        _ => AlertState::Firing,
    }
}

fn recovered(word: u64) -> Option<u64> {
    let quiet = word >> 2;
    (state(word) != AlertState::Firing && quiet != NEVER).then_some(quiet)
}

/// The cells of one budget, or of one of its parts.
#[derive(Debug, Clone)]
pub(crate) struct BudgetCells {
    /// The gravest of its limits. Absent data is no breach: whoever sheds would never see any again.
    pub(crate) any: StateCell,
    pub(crate) levels: Vec<(Level, StateCell)>,
}

impl BudgetCells {
    pub(super) fn new(budget: &Budget) -> Self {
        let levels = budget.levels();
        Self {
            any: StateCell::new(),
            levels: levels.map(|level| (level, StateCell::new())).collect(),
        }
    }

    /// The cell of a level, if the budget has it.
    pub(crate) fn level(&self, level: Level) -> Option<&StateCell> {
        let found = self.levels.iter().find(|known| known.0 == level);
        found.map(|known| &known.1)
    }

    /// Makes [`any`](Self::any) what its levels are.
    pub(super) fn settle(&self) {
        let limits = || self.levels.iter().filter(|level| level.0 != Level::Absent);
        self.any.gather(|| limits().map(|level| &level.1));
    }

    /// Makes its levels what those of its parts are.
    pub(super) fn gather<'a, I: Iterator<Item = &'a Self>>(&self, parts: impl Fn() -> I) {
        for (at, (_, cell)) in self.levels.iter().enumerate() {
            cell.gather(|| parts().map(|part| &part.levels[at].1));
        }
    }

    /// Nobody judges any more.
    pub(super) fn retire(&self) {
        let levels = self.levels.iter().map(|level| &level.1);
        levels
            .chain([&self.any])
            .for_each(|cell| cell.store(AlertState::Inactive, None));
    }
}
