//! What was counted in the period at hand, exactly.

#[cfg(feature = "state")]
mod saved;

use std::collections::VecDeque;

use super::period::{Period, Stretch};
#[cfg(feature = "state")]
pub(crate) use saved::SavedLedger;

/// A rolling period is kept in so many steps.
const STEPS: i64 = 720;
/// Steps for which room is made at once, at most.
const ROOM: usize = 48;
/// A clock that is set back by less than this does not lead into the period before.
const SET_BACK_MS: i64 = 3_600_000;

/// What was counted in some stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) valid: u64,
    pub(crate) bad: u64,
    /// What would have been valid outside of maintenance.
    pub(crate) excluded: u64,
    /// How much of the stretch somebody looked at.
    pub(crate) observed_ms: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.valid += other.valid;
        self.bad += other.bad;
        self.excluded += other.excluded;
        self.observed_ms += other.observed_ms;
    }

    fn take(&mut self, other: Self) {
        self.valid -= other.valid;
        self.bad -= other.bad;
        self.excluded -= other.excluded;
        self.observed_ms -= other.observed_ms;
    }
}

/// The tally of the period at hand, and where it begins.
///
/// A rolling period is kept in 720 steps (an hour for 30 days), and forgets a step when all of it is too old: so it reaches
/// back for its length and one step (or tick) at most, and [`stretch`](Self::stretch) says how far. 35 KiB at most.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    period: Period,
    stretch: Stretch,
    /// When something was added last.
    now_ms: i64,
    running: Tally,
    /// For a rolling period.
    steps: VecDeque<Step>,
}

/// What was counted in a part of a rolling period.
#[derive(Debug, Clone, Copy)]
struct Step {
    from_ms: i64,
    until_ms: i64,
    tally: Tally,
}

impl Step {
    fn add(&mut self, now_ms: i64, tally: Tally) {
        self.until_ms = now_ms;
        self.tally.add(tally);
    }
}

impl Ledger {
    /// Begins at a moment: by the calendar for a calendar's period, else by a clock that never goes back.
    pub(crate) fn new(period: Period, now_ms: i64) -> Self {
        let stretch = match period {
            Period::Rolling(_) => Stretch {
                start_ms: now_ms,
                end_ms: now_ms,
            },
            Period::Calendar(calendar, offset) => calendar.around(now_ms, offset),
        };
        Self {
            period,
            stretch,
            now_ms,
            running: Tally::default(),
            steps: VecDeque::new(),
        }
    }

    /// Adds what was counted up to now.
    pub(crate) fn add(&mut self, now_ms: i64, tally: Tally) {
        self.now_ms = now_ms;
        match self.period {
            Period::Rolling(length) => self.roll(now_ms, length.as_millis() as i64, tally),
            Period::Calendar(calendar, offset) => {
                // What is counted at the stroke of midnight was recorded before.
                let now = calendar.around(now_ms - 1, offset);
                let set_back = self.stretch.start_ms - now_ms;
                if now != self.stretch && !(0..SET_BACK_MS).contains(&set_back) {
                    self.stretch = now;
                    self.running = Tally::default();
                }
                self.running.add(tally);
            }
        }
    }

    fn roll(&mut self, now_ms: i64, length_ms: i64, tally: Tally) {
        let from_ms = self.stretch.end_ms;
        match self.steps.back_mut() {
            Some(newest) if (now_ms - newest.from_ms) * STEPS <= length_ms => {
                newest.add(now_ms, tally)
            }
            _ => self.push(Step {
                from_ms,
                until_ms: now_ms,
                tally,
            }),
        }
        self.running.add(tally);
        let oldest_ms = now_ms - length_ms;
        while let Some(old) = self.steps.pop_front_if(|old| old.until_ms <= oldest_ms) {
            self.running.take(old.tally);
        }
        let start_ms = self.steps.front().map_or(now_ms, |oldest| oldest.from_ms);
        self.stretch = Stretch {
            start_ms,
            end_ms: now_ms,
        };
    }

    fn push(&mut self, step: Step) {
        if self.steps.len() == self.steps.capacity() {
            // Growing by itself it would double, to more than a period has.
            self.steps.reserve_exact(self.steps.len().clamp(4, ROOM));
        }
        self.steps.push_back(step);
    }

    /// What was counted in the stretch.
    pub(crate) fn tally(&self) -> Tally {
        self.running
    }

    /// For a rolling period how far it reaches back by now, for a calendar's all of the period at hand.
    pub(crate) fn stretch(&self) -> Stretch {
        self.stretch
    }

    /// How much of the stretch has passed.
    pub(crate) fn begun(&self) -> Stretch {
        Stretch {
            start_ms: self.stretch.start_ms,
            end_ms: self.now_ms,
        }
    }

    /// The length of the whole period: a rolling one's, or of the calendar's period at hand.
    pub(crate) fn length_ms(&self) -> i64 {
        match self.period {
            Period::Rolling(length) => length.as_millis() as i64,
            Period::Calendar(..) => self.stretch.length_ms(),
        }
    }

    /// How much of the period was looked at, in `0.0..=1.0`: of a rolling one, or of what has passed of the calendar's.
    pub(crate) fn coverage(&self, now_ms: i64) -> f64 {
        let whole = match self.period {
            Period::Rolling(length) => length.as_millis() as i64,
            Period::Calendar(..) => now_ms - self.stretch.start_ms,
        };
        if whole <= 0 {
            return 0.0;
        }
        (self.running.observed_ms as f64 / whole as f64).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::period::{Calendar, DAY_MS};
    use super::*;
    use crate::expr::Offset;
    use std::time::Duration;

    const HOUR_MS: i64 = 3_600_000;

    fn events(valid: u64, bad: u64) -> Tally {
        Tally {
            valid,
            bad,
            ..Tally::default()
        }
    }

    #[test]
    fn a_rolling_period_forgets_a_step_when_all_of_it_is_too_old() {
        let thirty = Period::Rolling(Duration::from_secs(30 * 86_400));
        let mut ledger = Ledger::new(thirty, 0);
        for hour in 1..=24 * 90 {
            ledger.add(hour * HOUR_MS, events(100, u64::from(hour % 10 == 0)));
            let kept = hour.min(720); // each in a step of its own
            assert_eq!(ledger.tally().valid, 100 * kept as u64, "{hour}");
            assert_eq!(ledger.stretch().start_ms, (hour - kept) * HOUR_MS);
            assert!(ledger.steps.len() <= 721);
            assert!(ledger.steps.capacity() * size_of::<Step>() <= 35 << 10);
        }
        assert_eq!(ledger.tally().bad, 72);
        // Nothing for a month: everything is too old.
        ledger.add(24 * 121 * HOUR_MS, events(1, 1));
        assert_eq!(ledger.tally(), events(1, 1));
    }

    #[test]
    fn between_two_steps_it_reaches_back_for_one_more() {
        let thirty = Period::Rolling(Duration::from_secs(30 * 86_400));
        let mut ledger = Ledger::new(thirty, 0);
        let half = HOUR_MS / 2;
        for at in 1..=2 * 24 * 60 {
            ledger.add(at * half, events(1, 0));
            let reach = ledger.stretch().length_ms();
            let (least, most) = (30 * DAY_MS, 30 * DAY_MS + HOUR_MS);
            assert!(at <= 1440 || (least..=most).contains(&reach), "{reach}");
            assert_eq!(
                ledger.tally().valid as i64 * half,
                reach,
                "one in each half hour"
            );
            assert!(ledger.steps.len() <= 721);
        }
    }

    #[test]
    fn all_of_a_step_is_forgotten() {
        let mut ledger = Ledger::new(Period::Rolling(Duration::from_millis(DAY_MS as u64)), 0);
        let some = Tally {
            valid: 5,
            bad: 1,
            excluded: 3,
            observed_ms: 1_000,
        };
        ledger.add(HOUR_MS, some);
        assert_eq!(ledger.tally(), some);
        ledger.add(25 * HOUR_MS, Tally::default());
        assert_eq!(ledger.tally(), Tally::default());
    }

    #[test]
    fn more_than_all_is_not_covered() {
        let mut ledger = Ledger::new(Period::Rolling(Duration::from_millis(DAY_MS as u64)), 0);
        for at in 1..=2_000 {
            let observed_ms = 70_000;
            let seen = Tally {
                observed_ms,
                ..Tally::default()
            };
            ledger.add(at * 70_000, seen);
        }
        assert!(ledger.stretch().length_ms() > DAY_MS);
        assert_eq!(ledger.coverage(2_000 * 70_000), 1.0);
    }

    #[test]
    fn a_clock_that_is_set_back_a_little_stays_in_the_period() {
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        let february = 31 * DAY_MS;
        let start = |now_ms: i64| {
            let mut ledger = Ledger::new(month, february);
            ledger.add(now_ms, events(1, 0));
            ledger.stretch().start_ms
        };
        assert_eq!(start(february), february);
        assert_eq!(start(february - SET_BACK_MS + 1), february);
        assert_eq!(start(february - SET_BACK_MS), 0);
    }

    #[test]
    fn a_calendar_month_begins_with_nothing() {
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        let mut ledger = Ledger::new(month, 0);
        let mut lengths = Vec::new();
        for day in 1..=365 {
            ledger.add(day * DAY_MS, events(10, 1));
            let days = ledger.tally().valid / 10;
            assert_eq!(ledger.tally().bad, days);
            if ledger.stretch().end_ms == day * DAY_MS {
                lengths.push(days);
            }
        }
        assert_eq!(lengths, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
    }

    #[test]
    fn a_clock_that_is_set_right_changes_the_month() {
        let month = Period::Calendar(Calendar::Month, Offset::UTC);
        // A machine without a battery begins in 1970.
        let mut ledger = Ledger::new(month, 5_000);
        ledger.add(10_000, events(10, 10));
        let feb_2026 = 1_769_904_000_000;
        ledger.add(feb_2026 + 1_000, events(1, 0));
        assert_eq!(ledger.tally(), events(1, 0));
        // A second back over the edge changes nothing, a year back does.
        ledger.add(feb_2026 - 1_000, events(1, 0));
        assert_eq!(ledger.tally(), events(2, 0));
        ledger.add(feb_2026 - 365 * DAY_MS, events(7, 0));
        assert_eq!(ledger.tally(), events(7, 0));
    }

    #[test]
    fn coverage_is_what_was_looked_at() {
        let seen = |ms| Tally {
            observed_ms: ms,
            ..Tally::default()
        };
        let mut rolling = Ledger::new(Period::Rolling(Duration::from_secs(10 * 86_400)), 0);
        rolling.add(DAY_MS, seen(DAY_MS as u64));
        assert_eq!(rolling.coverage(DAY_MS), 0.1);
        let mut month = Ledger::new(Period::Calendar(Calendar::Month, Offset::UTC), DAY_MS);
        assert_eq!(month.coverage(0), 0.0);
        month.add(4 * DAY_MS, seen(3 * DAY_MS as u64));
        assert_eq!(month.coverage(4 * DAY_MS), 0.75, "the first day was missed");
    }
}
