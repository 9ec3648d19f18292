//! Times that were announced as not counting.

#[cfg(feature = "state")]
mod saved;

use std::time::{Duration, SystemTime};

use super::period::{Stretch, millis_since_1970};
#[cfg(feature = "state")]
pub(crate) use saved::SavedMaintenance;

/// A time in which what happens is not counted as valid, but as excluded, and which every reading lists.
///
/// ```
/// use plimsoll::{Maintenance, Select, Slo};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let sunday = UNIX_EPOCH + Duration::from_secs(1_769_904_000); // 2026-02-01 00:00 UTC
/// let hour = Duration::from_secs(3600);
/// let backup = Maintenance::new(sunday + 2 * hour, sunday + 3 * hour, "backup").every(7 * 24 * hour);
/// Slo::availability("api", Select::http()).objective(0.999).maintenance(backup);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    start: SystemTime,
    end: SystemTime,
    reason: String,
    every: Option<Duration>,
    /// Nothing before it is left out.
    announced_ms: i64,
    /// When a time was ended early.
    ended_ms: Vec<i64>,
}

impl Maintenance {
    /// From `start` up to `end`, for a reason that people are told.
    ///
    /// What is counted between two ticks is excluded if both lie within: so nothing from outside is ever excluded, and up to
    /// a tick at either edge still counts.
    pub fn new(start: SystemTime, end: SystemTime, reason: impl Into<String>) -> Self {
        Self {
            start,
            end,
            reason: reason.into(),
            every: None,
            announced_ms: i64::MIN,
            ended_ms: Vec::new(),
        }
    }

    /// Again each time that so much has passed since `start`: a day, a week.
    pub fn every(mut self, period: Duration) -> Self {
        self.every = Some(period);
        self
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Start, end and how often, as it was declared; `None` once an instance knows of it.
    #[cfg(feature = "generate")]
    pub(crate) fn declared(&self) -> Option<(SystemTime, SystemTime, Option<Duration>)> {
        let as_declared = self.announced_ms == i64::MIN && self.ended_ms.is_empty();
        as_declared.then_some((self.start, self.end, self.every))
    }

    /// The time that a moment lies in or, failing that, the latest one before it.
    fn latest(&self, at_ms: i64) -> Option<Stretch> {
        let first = Stretch {
            start_ms: millis_since_1970(self.start),
            end_ms: millis_since_1970(self.end),
        };
        if at_ms < first.start_ms {
            return None;
        }
        let every_ms = self.every.map_or(0, |every| every.as_millis() as i64);
        let later_ms = match every_ms {
            0 => 0,
            every_ms => (at_ms - first.start_ms) / every_ms * every_ms,
        };
        let time = self.clipped(Stretch {
            start_ms: first.start_ms + later_ms,
            end_ms: first.end_ms + later_ms,
        });
        (time.start_ms <= at_ms && time.start_ms < time.end_ms).then_some(time)
    }

    /// From when it was announced, until it was ended.
    fn clipped(&self, time: Stretch) -> Stretch {
        let within = |ended_ms: &&i64| (time.start_ms..time.end_ms).contains(*ended_ms);
        Stretch {
            start_ms: time.start_ms.max(self.announced_ms),
            end_ms: *self.ended_ms.iter().find(within).unwrap_or(&time.end_ms),
        }
    }

    /// Announced at a moment: what happened before counts. `None` if it is over by then.
    pub(super) fn announced(mut self, now_ms: i64) -> Option<Self> {
        let over = self.every.is_none() && millis_since_1970(self.end) <= now_ms;
        self.announced_ms = now_ms;
        (!over).then_some(self)
    }

    /// Ends the time that a moment lies in; `false` if it lies in none.
    pub(super) fn end(&mut self, now_ms: i64) -> bool {
        let under_way = self.latest(now_ms).is_some_and(|time| now_ms < time.end_ms);
        if under_way {
            self.ended_ms.push(now_ms);
        }
        under_way
    }

    /// Whether all that lies between two moments lies within one time.
    pub(crate) fn covers(&self, from_ms: i64, to_ms: i64) -> bool {
        self.latest(from_ms)
            .is_some_and(|time| from_ms <= to_ms && to_ms <= time.end_ms)
    }

    /// Those that have begun and touch a stretch, the oldest first.
    pub(crate) fn within(&self, stretch: Stretch) -> Vec<Stretch> {
        let mut times = Vec::new();
        let mut next = self.latest(stretch.end_ms);
        while let Some(time) = next.filter(|time| time.end_ms > stretch.start_ms) {
            times.push(time);
            let earlier = self.every.map(|_| time.start_ms - 1);
            next = earlier.and_then(|at_ms| self.latest(at_ms));
        }
        times.reverse();
        times
    }

    /// What is wrong with it and how to mend it.
    pub(crate) fn problem(&self) -> Option<String> {
        let length = self.end.duration_since(self.start).unwrap_or_default();
        if length.is_zero() {
            Some("ends before it begins: give it an end that is later than its start".to_owned())
        } else if self.reason.is_empty() {
            Some("has no reason: say what people should read beside the excluded events".to_owned())
        } else if self.every.is_some_and(|every| every <= length) {
            Some(format!(
                "comes again before it ends: it is {length:?} long, so take a longer period"
            ))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    const HOUR: Duration = Duration::from_secs(3600);
    const HOUR_MS: i64 = 3_600_000;

    fn at(hours: u32) -> SystemTime {
        UNIX_EPOCH + HOUR * hours
    }

    fn hours(times: Vec<Stretch>) -> Vec<(i64, i64)> {
        let hour = |time: Stretch| (time.start_ms / HOUR_MS, time.end_ms / HOUR_MS);
        times.into_iter().map(hour).collect()
    }

    #[test]
    fn nothing_from_outside_is_covered() {
        let once = Maintenance::new(at(10), at(12), "update");
        let covers = |from: i64, to: i64| once.covers(from, to);
        assert!(covers(10 * HOUR_MS, 12 * HOUR_MS));
        assert!(!covers(10 * HOUR_MS - 1, 11 * HOUR_MS));
        assert!(!covers(11 * HOUR_MS, 12 * HOUR_MS + 1));
        assert!(!covers(13 * HOUR_MS, 14 * HOUR_MS));
        assert!(
            !covers(11 * HOUR_MS, 9 * HOUR_MS),
            "a clock that was set back"
        );
    }

    #[test]
    fn a_daily_one_comes_again_and_is_listed_each_time() {
        let daily = Maintenance::new(at(2), at(3), "backup").every(24 * HOUR);
        assert!(daily.covers(50 * HOUR_MS, 51 * HOUR_MS));
        assert!(!daily.covers(49 * HOUR_MS, 51 * HOUR_MS));
        assert!(!daily.covers(26 * HOUR_MS, 51 * HOUR_MS), "two of them");
        let within = |from: i64, to: i64| {
            hours(daily.within(Stretch {
                start_ms: from * HOUR_MS,
                end_ms: to * HOUR_MS,
            }))
        };
        assert_eq!(within(0, 60), [(2, 3), (26, 27), (50, 51)]);
        assert_eq!(within(3, 26), [(26, 27)]);
        assert_eq!(within(3, 25), []);
        assert_eq!(within(0, 1), []);
    }

    #[test]
    fn what_was_before_the_announcement_is_not_listed() {
        let daily = || Maintenance::new(at(2), at(4), "backup").every(24 * HOUR);
        let announced = daily().announced(27 * HOUR_MS).expect("it comes again");
        let all = Stretch {
            start_ms: 0,
            end_ms: 60 * HOUR_MS,
        };
        assert_eq!(hours(announced.within(all)), [(27, 28), (50, 52)]);
        assert!(announced.covers(27 * HOUR_MS, 28 * HOUR_MS));
        assert!(!announced.covers(27 * HOUR_MS - 1, 28 * HOUR_MS));
        let once = || Maintenance::new(at(2), at(4), "update");
        assert!(once().announced(3 * HOUR_MS).is_some());
        assert_eq!(once().announced(4 * HOUR_MS), None, "it is over");
    }

    #[test]
    fn one_time_can_end_early_and_the_next_one_comes() {
        let mut daily = Maintenance::new(at(2), at(4), "backup").every(24 * HOUR);
        assert!(!daily.end(HOUR_MS) && !daily.end(5 * HOUR_MS));
        assert!(daily.end(3 * HOUR_MS));
        assert!(!daily.end(3 * HOUR_MS), "it has ended");
        assert!(daily.covers(2 * HOUR_MS, 3 * HOUR_MS));
        assert!(!daily.covers(3 * HOUR_MS, 3 * HOUR_MS + 1));
        let all = Stretch {
            start_ms: 0,
            end_ms: 60 * HOUR_MS,
        };
        assert_eq!(hours(daily.within(all)), [(2, 3), (26, 28), (50, 52)]);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let problem = |maintenance: Maintenance| maintenance.problem();
        assert_eq!(problem(Maintenance::new(at(1), at(2), "update")), None);
        assert!(problem(Maintenance::new(at(2), at(2), "update")).is_some());
        assert!(problem(Maintenance::new(at(1), at(2), "")).is_some());
        assert!(problem(Maintenance::new(at(1), at(2), "update").every(HOUR)).is_some());
    }
}
