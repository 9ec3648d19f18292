//! A rule that outlives the process.

use std::time::{Duration, UNIX_EPOCH};

use super::Judged;
use crate::rule::Timer;

/// What is remembered of a rule that is pending or firing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::engine) struct SavedJudged {
    pub(in crate::engine) timer: Timer,
    pub(in crate::engine) told: bool,
    pub(in crate::engine) since_ms: Option<i64>,
    /// When it began to fire.
    pub(in crate::engine) breach_ns: Option<i64>,
}

impl Judged {
    /// `None` while it is inactive.
    pub(in crate::engine) fn save(&self) -> Option<SavedJudged> {
        let since = self.reading.since.and_then(|since| {
            let since = since.duration_since(UNIX_EPOCH).ok()?;
            i64::try_from(since.as_millis()).ok()
        });
        Some(SavedJudged {
            timer: self.machine.timer()?,
            told: self.told,
            since_ms: since,
            breach_ns: self
                .breach
                .as_ref()
                .map(|breach| breach.since_ns)
                .or(self.resumed_ns),
        })
    }

    /// Goes on where it stood: who was told of a breach is not told again, but will be of the recovery.
    pub(in crate::engine) fn resume(&mut self, saved: SavedJudged) {
        self.machine.resume(saved.timer);
        self.told = saved.told;
        self.resumed_ns = saved.breach_ns;
        self.reading.state = self.machine.state();
        let since = saved.since_ms.and_then(|ms| u64::try_from(ms).ok());
        self.reading.since = since.map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
        self.cell.store(self.machine.state(), None);
    }
}

impl SavedJudged {
    /// After an outage.
    pub(in crate::engine) fn after(self, outage_ms: i64) -> Self {
        Self {
            timer: self.timer.after(outage_ms.saturating_mul(1_000_000)),
            since_ms: match self.timer.firing {
                true => self.since_ms,
                false => self.since_ms.map(|ms| ms.saturating_add(outage_ms)),
            },
            ..self
        }
    }

    /// By another clock, which is this much ahead.
    pub(in crate::engine) fn moved(self, ahead_ns: i64) -> Self {
        Self {
            timer: self.timer.moved(ahead_ns),
            breach_ns: self.breach_ns.map(|ns| ns.saturating_add(ahead_ns)),
            ..self
        }
    }
}
