//! The alert state machine of Prometheus.

#[cfg(feature = "state")]
mod saved;

use std::time::Duration;

use crate::histogram::nanos;
#[cfg(feature = "state")]
pub(crate) use saved::Timer;

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum AlertState {
    /// The limit is kept.
    Inactive,
    /// It is exceeded, but not yet for long enough.
    Pending,
    /// It is breached.
    Firing,
}

impl AlertState {
    /// 0 inactive, 1 pending, 2 firing: the value of `plimsoll_budget_state`.
    pub fn as_number(self) -> u8 {
        match self {
            Self::Inactive => 0,
            Self::Pending => 1,
            Self::Firing => 2,
        }
    }

    /// As the label `alertstate` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// An alert's memory between evaluations; time is in nanoseconds since any moment, and may be before it.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    sustained_ns: i64,
    keep_ns: i64,
    at: At,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Inactive,
    Pending {
        since_ns: i64,
    },
    /// `kept_since_ns`: since when the condition no longer holds.
    Firing {
        since_ns: i64,
        kept_since_ns: Option<i64>,
    },
}

impl Machine {
    pub(crate) fn new(sustained: Duration, keep: Duration) -> Self {
        Self {
            sustained_ns: signed(sustained),
            keep_ns: signed(keep),
            at: At::Inactive,
        }
    }

    pub(crate) fn state(&self) -> AlertState {
        match self.at {
            At::Inactive => AlertState::Inactive,
            At::Pending { .. } => AlertState::Pending,
            At::Firing { .. } => AlertState::Firing,
        }
    }

    /// One evaluation. A duration that lacks no more than `slack_ns` is over.
    pub(crate) fn step(&mut self, holds: bool, now_ns: i64, slack_ns: u64) {
        let late_ns = now_ns.saturating_add_unsigned(slack_ns);
        self.at = match (self.at, holds) {
            (At::Inactive, true) => self.exceeded(now_ns, now_ns),
            (At::Pending { since_ns }, true) => self.exceeded(since_ns, late_ns),
            (At::Inactive | At::Pending { .. }, false) => At::Inactive,
            (At::Firing { since_ns, .. }, true) => At::Firing {
                since_ns,
                kept_since_ns: None,
            },
            (
                At::Firing {
                    since_ns,
                    kept_since_ns,
                },
                false,
            ) => {
                let (kept_ns, elapsed_ns) = match kept_since_ns {
                    Some(kept_ns) => (kept_ns, late_ns.saturating_sub(kept_ns)),
                    None => (now_ns, 0),
                };
                match elapsed_ns < self.keep_ns {
                    true => At::Firing {
                        since_ns,
                        kept_since_ns: Some(kept_ns),
                    },
                    false => At::Inactive,
                }
            }
        };
    }

    fn exceeded(&self, since_ns: i64, now_ns: i64) -> At {
        match now_ns.saturating_sub(since_ns) >= self.sustained_ns {
            true => At::Firing {
                since_ns,
                kept_since_ns: None,
            },
            false => At::Pending { since_ns },
        }
    }
}

fn signed(duration: Duration) -> i64 {
    i64::try_from(nanos(duration)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: i64 = 1_000_000_000;
    const SLACK: u64 = 100_000_000;

    /// How many ticks it takes, each at its time in nanoseconds, until it stands so.
    fn until(
        machine: &mut Machine,
        state: AlertState,
        holds: bool,
        ticks: &[i64],
    ) -> Option<usize> {
        let mut ticks = ticks.iter();
        ticks.position(|&now_ns| {
            machine.step(holds, now_ns, SLACK);
            machine.state() == state
        })
    }

    #[test]
    fn a_tick_that_comes_early_ends_what_lasts_whole_ticks() {
        let two = Duration::from_secs(2);
        let late = TICK + 20_000_000;
        let mut machine = Machine::new(two, two);
        let ticks = [late, 2 * TICK, 3 * TICK, 4 * TICK];
        assert_eq!(
            until(&mut machine, AlertState::Firing, true, &ticks),
            Some(2)
        );
        let ticks = ticks.map(|at_ns| at_ns + 4 * TICK);
        assert_eq!(
            until(&mut machine, AlertState::Inactive, false, &ticks),
            Some(2)
        );
    }

    #[test]
    fn what_lasts_longer_than_so_many_ticks_takes_one_more() {
        let ticks = [1, 2, 3, 4].map(|nth| nth * TICK);
        let mut machine = Machine::new(
            Duration::from_nanos(2 * TICK as u64 + SLACK + 1),
            Duration::ZERO,
        );
        assert_eq!(
            until(&mut machine, AlertState::Firing, true, &ticks),
            Some(3)
        );
    }

    #[test]
    fn nothing_that_lasts_is_over_at_once() {
        let moment = Duration::from_nanos(1);
        let mut machine = Machine::new(moment, moment);
        assert_eq!(
            until(&mut machine, AlertState::Firing, true, &[TICK, 2 * TICK]),
            Some(1)
        );
        assert_eq!(
            until(
                &mut machine,
                AlertState::Inactive,
                false,
                &[3 * TICK, 4 * TICK]
            ),
            Some(1)
        );
    }
}
