//! An alert that outlives the process.

use super::{At, Machine};

/// What a machine remembers of an alert that is pending or firing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Timer {
    pub(crate) firing: bool,
    pub(crate) since_ns: i64,
    pub(crate) kept_since_ns: Option<i64>,
}

impl Machine {
    /// `None` while it is inactive.
    pub(crate) fn timer(&self) -> Option<Timer> {
        match self.at {
            At::Inactive => None,
            At::Pending { since_ns } => Some(Timer {
                firing: false,
                since_ns,
                kept_since_ns: None,
            }),
            At::Firing {
                since_ns,
                kept_since_ns,
            } => Some(Timer {
                firing: true,
                since_ns,
                kept_since_ns,
            }),
        }
    }

    /// Goes on where a timer stood.
    pub(crate) fn resume(&mut self, timer: Timer) {
        let Timer {
            since_ns,
            kept_since_ns,
            ..
        } = timer;
        self.at = match timer.firing {
            true => At::Firing {
                since_ns,
                kept_since_ns,
            },
            false => At::Pending { since_ns },
        };
    }
}

impl Timer {
    /// As of a process that nobody looked in for so long: what is waited for does not come nearer meanwhile.
    pub(crate) fn after(self, outage_ns: i64) -> Self {
        let shifted = |ns: i64| ns.saturating_add(outage_ns);
        Self {
            since_ns: match self.firing {
                true => self.since_ns,
                false => shifted(self.since_ns),
            },
            kept_since_ns: self.kept_since_ns.map(shifted),
            ..self
        }
    }

    /// By another clock, which is this much ahead.
    pub(crate) fn moved(self, ahead_ns: i64) -> Self {
        let moved = |ns: i64| ns.saturating_add(ahead_ns);
        Self {
            since_ns: moved(self.since_ns),
            kept_since_ns: self.kept_since_ns.map(moved),
            ..self
        }
    }
}
