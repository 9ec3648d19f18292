//! The stretch of time that an objective speaks of, and where calendar periods begin.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::expr::Offset;

pub(crate) const DAY_MS: i64 = 86_400_000;

/// What an objective must be kept over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Period {
    /// The latest stretch of this length.
    Rolling(Duration),
    /// The calendar's period at hand, which begins with a full error budget, at a fixed offset from UTC.
    Calendar(Calendar, Offset),
}

/// Periods of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Calendar {
    /// From midnight to midnight.
    Day,
    /// ISO 8601: from Monday to Sunday.
    Week,
    /// 28 to 31 days.
    Month,
    /// From January, April, July or October on: 90 to 92 days.
    Quarter,
}

/// A stretch of time in milliseconds since 1970, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

impl Stretch {
    pub(crate) fn length_ms(self) -> i64 {
        self.end_ms - self.start_ms
    }
}

impl Period {
    /// The length that burn rates are reckoned with, which a rule must know beforehand: of a month 30 days, of a quarter 90.
    /// Minutes of error budget are reckoned with the real length.
    pub fn nominal(self) -> Duration {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        match self {
            Self::Rolling(length) => length,
            Self::Calendar(Calendar::Day, _) => days(1),
            Self::Calendar(Calendar::Week, _) => days(7),
            Self::Calendar(Calendar::Month, _) => days(30),
            Self::Calendar(Calendar::Quarter, _) => days(90),
        }
    }
}

/// `rolling 28d`, `calendar month`
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(length) => write!(f, "rolling {}d", length.as_secs() / 86_400),
            Self::Calendar(calendar, _) => write!(f, "calendar {}", calendar.as_str()),
        }
    }
}

impl Calendar {
    /// `day`, `week`, `month` or `quarter`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// The period that a moment belongs to.
    pub(crate) fn around(self, at_ms: i64, offset: Offset) -> Stretch {
        let offset_ms = i64::from(offset.seconds()) * 1_000;
        let day = (at_ms + offset_ms).div_euclid(DAY_MS);
        let (first, last) = self.days_around(day);
        Stretch {
            start_ms: first * DAY_MS - offset_ms,
            end_ms: last * DAY_MS - offset_ms,
        }
    }

    /// The first day of the period around a day, and of the one after; in days since 1970.
    fn days_around(self, day: i64) -> (i64, i64) {
        let (year, month) = month_of(day);
        match self {
            Self::Day => (day, day + 1),
            Self::Week => {
                // 1970 began on a Thursday.
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            Self::Month => (first_of(year, month), first_of(year, month + 1)),
            Self::Quarter => {
                let first = month - month % 3;
                (first_of(year, first), first_of(year, first + 3))
            }
        }
    }
}

/// Of a moment; 0 for what is earlier.
pub(crate) fn millis_since_1970(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// The moment that is so long after 1970.
pub(crate) fn time_of_millis(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms.max(0) as u64)
}

/// Days from 1970 to the first of a month; months count from 0 (January) and may run over into the next year.
///
/// Years are taken to begin in March, so that the leap day is their last.
fn first_of(year: i64, month: i64) -> i64 {
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    let (year, month) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 30.6 days a month, rounded, are 31 30 31 30 31, 31 30 31 30 31, 31: March to January.
    let of_months = (153 * month + 2) / 5;
    year * 365 + leap_days + of_months - 719_468
}

/// The year and the month (from 0) of a day since 1970.
fn month_of(day: i64) -> (i64, i64) {
    // 400 years have 146,097 days. The guess is off by one year at most, since years begin on their day.
    let guess = 1970 + day * 400 / 146_097;
    let year = (guess - 1..=guess + 1).rev();
    let year = { year }.find(|&year| first_of(year, 0) <= day);
    let year = year.unwrap_or(guess);
    let mut months = (0..12).rev();
    let month = months.find(|&month| first_of(year, month) <= day);
    (year, month.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        let time = humantime::parse_rfc3339(text).expect("a time");
        millis_since_1970(time)
    }

    #[track_caller]
    fn check(calendar: Calendar, minutes_east: i32, at: &str, start: &str, end: &str) {
        let offset = Offset::minutes(minutes_east).expect("an offset");
        let stretch = calendar.around(ms(at), offset);
        assert_eq!((stretch.start_ms, stretch.end_ms), (ms(start), ms(end)));
    }

    #[test]
    fn rules_go_by_nominal_lengths() {
        use Calendar::{Day, Month, Quarter, Week};
        let days = |calendar| Period::Calendar(calendar, Offset::UTC).nominal().as_secs() / 86_400;
        assert_eq!([Day, Week, Month, Quarter].map(days), [1, 7, 30, 90]);
    }

    #[test]
    fn west_of_utc_1970_has_not_begun() {
        let west = Offset::minutes(-60).expect("an offset");
        let first = Calendar::Day.around(0, west);
        let hour_ms = DAY_MS / 24;
        assert_eq!((first.start_ms, first.end_ms), (-23 * hour_ms, hour_ms));
    }

    #[test]
    fn months_have_their_days() {
        use Calendar::Month;
        let days = |at: &str| Month.around(ms(at), Offset::UTC).length_ms() / DAY_MS;
        for (month, expected) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            for day in [1, 15, 28] {
                assert_eq!(
                    days(&format!("2026-{month:02}-{day:02}T12:00:00Z")),
                    expected
                );
            }
        }
        // Leap years, among them 2000; 2100 is none.
        for (at, expected) in [("2024", 29), ("2000", 29), ("2100", 28), ("2028", 29)] {
            assert_eq!(days(&format!("{at}-02-10T00:00:00Z")), expected, "{at}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_in_its_month() {
        let mut day = 0;
        for year in 1970..2370 {
            for month in 0..12 {
                let first = first_of(year, month);
                assert_eq!(first, day, "{year} {month}");
                let days = first_of(year, month + 1) - first;
                (first..first + days).for_each(|day| assert_eq!(month_of(day), (year, month)));
                day += days;
            }
        }
        // From a leap year on: the same calendar.
        assert_eq!(day, 146_097);
    }

    #[test]
    fn edges_belong_to_what_begins() {
        use Calendar::{Day, Month, Quarter, Week};
        let (before, at) = ("2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00Z");
        let (february, march) = ("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        check(Month, 0, before, february, march);
        check(Month, 0, at, march, "2024-04-01T00:00:00Z");
        check(Day, 0, before, "2024-02-29T00:00:00Z", march);
        // 2024-12-30 is the Monday of the ISO week 1 of 2025.
        let monday = "2024-12-30T00:00:00Z";
        check(
            Week,
            0,
            "2025-01-01T10:00:00Z",
            monday,
            "2025-01-06T00:00:00Z",
        );
        check(
            Week,
            0,
            "2024-12-29T23:59:59Z",
            "2024-12-23T00:00:00Z",
            monday,
        );
        check(
            Quarter,
            0,
            "2025-12-31T23:00:00Z",
            "2025-10-01T00:00:00Z",
            "2026-01-01T00:00:00Z",
        );
        check(
            Quarter,
            0,
            "2024-02-01T00:00:00Z",
            "2024-01-01T00:00:00Z",
            "2024-04-01T00:00:00Z",
        );
        // East of UTC a month begins earlier, west of it later.
        check(
            Month,
            60,
            "2024-02-29T23:30:00Z",
            "2024-02-29T23:00:00Z",
            "2024-03-31T23:00:00Z",
        );
        check(
            Month,
            -300,
            "2024-03-01T03:00:00Z",
            "2024-02-01T05:00:00Z",
            "2024-03-01T05:00:00Z",
        );
    }
}
