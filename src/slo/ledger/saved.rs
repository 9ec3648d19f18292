//! A ledger that outlives the process.

use super::super::period::Period;
use super::{Ledger, Step, Stretch, Tally};

/// What a ledger holds: stretches of time with what was counted in them, the oldest first; a calendar's has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SavedLedger {
    pub(crate) steps: Vec<(Stretch, Tally)>,
}

impl Ledger {
    /// Everything that it holds.
    pub(crate) fn save(&self) -> SavedLedger {
        let steps = match self.period {
            Period::Calendar(..) => vec![(self.stretch, self.running)],
            _ => {
                let stretch = |step: &Step| Stretch {
                    start_ms: step.from_ms,
                    end_ms: step.until_ms,
                };
                let steps = self.steps.iter();
                steps.map(|step| (stretch(step), step.tally)).collect()
            }
        };
        SavedLedger { steps }
    }

    /// Goes on with what was saved, as far as that is in the period at hand and in the past; it must not have begun itself.
    pub(crate) fn resume(&mut self, saved: SavedLedger) {
        for (stretch, tally) in saved.steps {
            let Stretch { start_ms, end_ms } = stretch;
            match self.period {
                Period::Calendar(..) if stretch == self.stretch => self.running = tally,
                Period::Rolling(_) if start_ms <= end_ms && end_ms <= self.now_ms => {
                    self.push(Step {
                        from_ms: start_ms,
                        until_ms: end_ms,
                        tally,
                    });
                    self.running.add(tally);
                }
                _ => {}
            }
        }
        if let (Period::Rolling(length), Some(newest)) = (self.period, self.steps.back()) {
            self.stretch.end_ms = newest.until_ms;
            self.roll(self.now_ms, length.as_millis() as i64, Tally::default());
        }
    }
}
