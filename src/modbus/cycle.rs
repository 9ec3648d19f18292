//! Why it exists: a poll that comes late or not at all leaves no slow request behind, and so nothing that a histogram of
//! requests could show.
//!
//! A [`Cycle`] is due on a fixed grid, every `period` from its first round on, however long the rounds take:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! # async fn run(press: plimsoll::modbus::Device) -> Result<(), Box<dyn std::error::Error>> {
//! let mut fast = press.cycle("fast", Duration::from_millis(500))?.requests(3);
//! loop {
//!     let round = fast.tick().await;
//!     // read what is to be read
//!     drop(round);
//! }
//! # }
//! ```
//!
//! A round that is not over when the next is due is an overrun. The next one then begins at once in the place of the
//! latest that is due, and those before it are missed: they are skipped and counted, and the grid stays where it is.
//!
//! | family | of a round |
//! |---|---|
//! | `poll_cycle_duration_seconds` | from its actual beginning to its end |
//! | `poll_cycle_lateness_seconds` | from when it was due to its actual beginning: the jitter |
//! | `poll_cycle_response_seconds` | from when it was due to its end; a missed one counts from when it was due to when the round that it waited for was over |
//! | `poll_overruns_total` | it was not over when the next was due |
//! | `poll_missed_total` | it never began |
//!
//! So the response time is corrected for coordinated omission: a device that hangs for ten periods shows as ten slow
//! responses and not as one. Times are tokio's, so tests can pause them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::device::Device;
use super::ledger::Ledger;
use super::wrap::Meter;
use crate::histogram::nanos;
use crate::instance::Plimsoll;
use crate::instrument::Counter;
use crate::registry::{Domain, Extra, InstrumentError, Operation, Outcome, Registry};

/// In place of a period that no clock reaches the end of: thirty years.
const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
const MISSED: (&str, &str) = (
    "poll_missed_total",
    "Rounds of polling that never began because an earlier one took too long.",
);

impl Device {
    /// A polling cycle, named by the label `cycle`; its counts stand at 0 from here on.
    ///
    /// A [`Warning`](crate::Warning) says so where not even one request that times out fits into the period; tell
    /// [`requests`](Cycle::requests) how many a round makes.
    ///
    /// # Errors
    ///
    /// [`CycleError`] when the period is zero, or when `poll_missed_total` was registered before as something else.
    pub fn cycle(&self, name: &str, period: Duration) -> Result<Cycle, CycleError> {
        self.ledger().cycle(name, period, self.links.longest())
    }
}

impl Meter {
    /// As [`Device::cycle`]; without the warning, since a wrapped context has no timeout.
    ///
    /// # Errors
    ///
    /// As [`Device::cycle`].
    pub fn cycle(&self, name: &str, period: Duration) -> Result<Cycle, CycleError> {
        self.ledger.cycle(name, period, Duration::ZERO)
    }
}

impl Ledger {
    fn cycle(&self, name: &str, period: Duration, longest: Duration) -> Result<Cycle, CycleError> {
        Cycle::new(&self.plimsoll, &self.label, name, period, longest)
    }
}

/// Rounds that are due once a period. See the [module](super) for an example.
#[derive(Debug)]
pub struct Cycle {
    shared: Arc<Shared>,
    registry: Arc<Registry>,
    period: Duration,
    /// How long one request may take at worst.
    longest: Duration,
    /// When the next round is due; `None` before the first one.
    due: Option<Instant>,
}

/// What rounds are counted by.
#[derive(Debug)]
struct Shared {
    rounds: Arc<Operation>,
    missed: Counter,
    period_ns: u64,
}

impl Cycle {
    /// `longest` is how long one request may take at worst, retries included.
    pub(super) fn new(
        plimsoll: &Plimsoll,
        device: &str,
        name: &str,
        period: Duration,
        longest: Duration,
    ) -> Result<Self, CycleError> {
        if period.is_zero() {
            let name = name.to_owned();
            return Err(CycleError::Period { name });
        }
        let labels = [("device", device), ("cycle", name)];
        let registry = plimsoll.registry();
        let rounds = registry.set(Domain::Cycle).declare(&[device, name]);
        rounds.series(Outcome::Ok);
        rounds.series(Outcome::Error);
        for extra in [Extra::Lateness, Extra::Response] {
            rounds.extra(extra);
        }
        let cycle = Self {
            shared: Arc::new(Shared {
                rounds: rounds.clone(),
                missed: Counter::declare(plimsoll, MISSED.0, MISSED.1, &labels)?,
                period_ns: nanos(period),
            }),
            registry: registry.clone(),
            period,
            longest,
            due: None,
        };
        Ok(cycle.requests(1))
    }

    /// How many requests a round makes, one after the other: where they do not fit into the period when each of them
    /// takes as long as it may, a [`Warning`](crate::Warning) says so at the next tick, once.
    #[must_use]
    pub fn requests(self, requests: u32) -> Self {
        let worst = self.longest.saturating_mul(requests);
        if worst > self.period {
            let labels = self.shared.rounds.labels();
            let subject = format!("{}/{}", labels[0], labels[1]);
            self.registry
                .oddities
                .tight_cycle(subject, self.period, worst);
        }
        self
    }

    /// Waits until a round is due; it lasts until what this returns is dropped.
    ///
    /// The first one is due at once. Cancel-safe: who does not wait to the end has not begun a round. Cost beside the timer:
    /// no lock, no allocation.
    pub async fn tick(&mut self) -> Round {
        let due = *self.due.get_or_insert_with(Instant::now);
        sleep_until(due).await;
        let began = Instant::now();
        let late_ns = nanos(began - due);
        let missed = late_ns / self.shared.period_ns;
        let skipped = Duration::from_nanos(missed * self.shared.period_ns);
        let due = due + skipped;
        self.due = Some(due.checked_add(self.period).unwrap_or(due + NEVER));
        if missed > 0 {
            self.shared.skip(missed, late_ns);
        }
        let lateness = began - due;
        (self.shared.rounds)
            .extra(Extra::Lateness)
            .record(nanos(lateness));
        Round {
            shared: self.shared.clone(),
            due,
            began,
            missed,
        }
    }
}

impl Shared {
    /// Counts rounds that never began; the first of them was due `late_ns` ago.
    fn skip(&self, missed: u64, late_ns: u64) {
        self.missed.add(missed);
        // One for each of them, a period shorter each time.
        let response = self.rounds.extra(Extra::Response);
        response.record_paced(late_ns, self.period_ns);
    }
}

/// A round under way; made by [`Cycle::tick`]. Dropping it ends the round.
#[derive(Debug)]
#[must_use = "dropped at once, the round is over"]
pub struct Round {
    shared: Arc<Shared>,
    due: Instant,
    began: Instant,
    missed: u64,
}

impl Round {
    /// How long after its time it began.
    pub fn lateness(&self) -> Duration {
        self.began - self.due
    }

    /// How many rounds before it never began.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        let rounds = &self.shared.rounds;
        let response_ns = nanos(self.due.elapsed());
        let outcome = match response_ns > self.shared.period_ns {
            true => Outcome::Error,
            false => Outcome::Ok,
        };
        rounds.record(outcome, nanos(self.began.elapsed()));
        rounds.extra(Extra::Response).record(response_ns);
    }
}

/// Why there cannot be such a cycle.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CycleError {
    /// The period is zero.
    Period {
        /// The cycle.
        name: String,
    },
    /// Its counter cannot be registered.
    Instrument(InstrumentError),
}

impl fmt::Display for CycleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Period { name } => write!(
                f,
                "cycle {name:?}: period is 0: give the time from one round to the next, such as 500 ms"
            ),
            Self::Instrument(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CycleError {}

impl From<InstrumentError> for CycleError {
    fn from(error: InstrumentError) -> Self {
        Self::Instrument(error)
    }
}

#[cfg(test)]
mod tests;
