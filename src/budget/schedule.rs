//! Other limits at other times of the week.

use super::limit::{Level, tidy};
use crate::expr::{Expr, Function, Offset, Op};

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Which limits apply at which time of the week, at a fixed distance from UTC; every hour belongs to one period.
///
/// PromQL knows UTC only, so a zone with summer time cannot be said: both readers must agree.
///
/// ```
/// use plimsoll::{Budget, Hours, Schedule, Select, expr::Offset};
/// use std::time::Duration;
///
/// let schedule = Schedule::at(Offset::UTC)
///     .period("business", Hours::daily(9, 18).weekdays(), 1.0)
///     .otherwise("off-peak", 1.2);
/// // 200 ms in business hours, 240 ms at any other time.
/// Budget::quantile("api", Select::http(), 0.95).at_most(Duration::from_millis(200)).schedule(schedule);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    offset: Offset,
    periods: Vec<Period>,
}

/// Some hours of some days. The day is the one that an hour lies in: of `22..6` on Fridays, 0 to 6 is Friday morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    from: u8,
    to: u8,
    /// Sunday first.
    days: [bool; 7],
}

/// By how much limits are multiplied: one number for all levels, or those of target, warning and critical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times([f64; 3]);

/// Limits that apply at some times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Period {
    pub(crate) name: String,
    /// `None` for all that the others leave.
    hours: Option<Hours>,
    /// `None` while nothing is judged.
    times: Option<Times>,
}

impl From<f64> for Times {
    fn from(times: f64) -> Self {
        Self([times; 3])
    }
}

impl From<[f64; 3]> for Times {
    fn from(times: [f64; 3]) -> Self {
        Self(times)
    }
}

impl Hours {
    /// From the beginning of an hour (0 to 23) to the beginning of another (1 to 24), every day; 22 to 6 is over midnight,
    /// 9 to 18 ends at 18:00 sharp.
    pub fn daily(from: u8, to: u8) -> Self {
        Self {
            from,
            to,
            days: [true; 7],
        }
    }

    /// From Monday to Friday only.
    pub fn weekdays(self) -> Self {
        self.on([1, 2, 3, 4, 5])
    }

    /// On Saturday and Sunday only.
    pub fn weekend(self) -> Self {
        self.on([0, 6])
    }

    /// On these days only: 0 is Sunday, 6 is Saturday, as PromQL has it; what is beyond is no day.
    pub fn on(mut self, days: impl IntoIterator<Item = usize>) -> Self {
        self.days = [false; 7];
        for day in days {
            if let Some(known) = self.days.get_mut(day) {
                *known = true;
            }
        }
        self
    }

    fn has(self, day: usize, hour: u8) -> bool {
        let within = if self.from < self.to {
            (self.from..self.to).contains(&hour)
        } else {
            hour >= self.from || hour < self.to
        };
        self.days[day] && within
    }

    fn is_sound(self) -> bool {
        self.from < 24 && self.to <= 24 && self.from != self.to && self.days.contains(&true)
    }

    /// An element while it is within these hours.
    fn condition(self, offset: Offset) -> Expr {
        let hour = || Expr::hour(offset);
        let from = (self.from > 0).then(|| hour().greater_equal(self.from.into()));
        let to = (self.to < 24).then(|| hour().less(self.to.into()));
        let hours = match (from, to) {
            (Some(from), Some(to)) if self.from < self.to => Some(from.and(to)),
            (Some(from), Some(to)) => Some(from.or(to)),
            (from, to) => from.or(to),
        };
        let days = self.days_condition(offset);
        match (days, hours) {
            (Some(days), Some(hours)) => days.and(hours),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => always(),
        }
    }

    fn days_condition(self, offset: Offset) -> Option<Expr> {
        if self.days == [true; 7] {
            return None;
        }
        let day = || Expr::day_of_week(offset);
        let days = self.days.iter().zip(0_u8..).filter(|day| *day.0);
        let days: Vec<f64> = days.map(|day| day.1.into()).collect();
        let (first, last) = (*days.first()?, *days.last()?);
        if last - first + 1.0 == days.len() as f64 && days.len() > 2 {
            let to = day().binary(Op::LessEqual, Expr::Number(last));
            return Some(day().greater_equal(first).and(to));
        }
        let each = days.into_iter();
        each.map(|number| day().binary(Op::Equal, Expr::Number(number)))
            .reduce(Expr::or)
    }
}

/// A vector with an element at any time.
fn always() -> Expr {
    Expr::Number(1.0).call(Function::Vector)
}

impl Schedule {
    /// Still without periods; times of day are at this distance from UTC.
    pub fn at(offset: Offset) -> Self {
        Self {
            offset,
            periods: Vec::new(),
        }
    }

    /// In these hours limits are multiplied by `times`.
    pub fn period(self, name: impl Into<String>, hours: Hours, times: impl Into<Times>) -> Self {
        self.with(name, Some(hours), Some(times.into()))
    }

    /// In these hours nothing is judged.
    pub fn pause(self, name: impl Into<String>, hours: Hours) -> Self {
        self.with(name, Some(hours), None)
    }

    /// In all hours that the other periods leave limits are multiplied by `times`.
    pub fn otherwise(self, name: impl Into<String>, times: impl Into<Times>) -> Self {
        self.with(name, None, Some(times.into()))
    }

    /// In all hours that the other periods leave nothing is judged.
    pub fn otherwise_pause(self, name: impl Into<String>) -> Self {
        self.with(name, None, None)
    }

    fn with(mut self, name: impl Into<String>, hours: Option<Hours>, times: Option<Times>) -> Self {
        self.periods.push(Period {
            name: name.into(),
            hours,
            times,
        });
        self
    }

    /// The periods in which something is judged, each with the condition that holds while it lasts.
    pub(crate) fn judged(&self) -> impl Iterator<Item = (&Period, Expr)> {
        let judged = self.periods.iter().filter(|period| period.times.is_some());
        judged.map(|period| (period, self.during(period)))
    }

    /// An element while a period lasts.
    fn during(&self, period: &Period) -> Expr {
        let hours = self.periods.iter().filter_map(|period| period.hours);
        match period.hours {
            Some(hours) => hours.condition(self.offset),
            None => hours
                .map(|hours| hours.condition(self.offset))
                .reduce(Expr::or)
                .map_or_else(always, |others| always().unless(others)),
        }
    }

    /// What is wrong with it and how to mend it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, period) in self.periods.iter().enumerate() {
            let name = &period.name;
            if name.is_empty() {
                problems.push("has a period without a name: give it one".to_owned());
            }
            let mut earlier = self.periods[..at].iter();
            if earlier.any(|earlier| earlier.name == *name) {
                problems.push(format!("has two periods named {name:?}: rename one"));
            }
            if period.hours.is_some_and(|hours| !hours.is_sound()) {
                let message = "has no hours: write 9..18, from 0 to 24, and at least one day of 0 (Sunday) to 6";
                problems.push(format!("period {name:?} {message}"));
            }
            let unsound = |times: &f64| !(times.is_finite() && *times > 0.0);
            if period
                .times
                .is_some_and(|times| times.0.iter().any(unsound))
            {
                let message = "multiplies by what is no number above 0: write 1.2 for 20 % more";
                problems.push(format!("period {name:?} {message}"));
            }
        }
        let rests = self.periods.iter().filter(|period| period.hours.is_none());
        let rests = rests.count();
        if rests > 1 {
            problems.push("says otherwise twice: keep one of them".to_owned());
        }
        if self.judged().next().is_none() {
            problems.push("judges at no time: give it a period that is not a pause".to_owned());
        }
        if problems.is_empty() {
            problems.extend(self.hours_problem(
                "overlaps",
                "let one period end before the other begins",
                |periods| periods > 1,
            ));
            let gap = |periods| periods == 0 && rests == 0;
            problems.extend(self.hours_problem(
                "leaves a gap",
                "add otherwise, or a period for these hours",
                gap,
            ));
        }
        problems
    }

    /// Names the hours of the week that belong to a number of periods which is wrong.
    fn hours_problem(
        &self,
        what: &str,
        mend: &str,
        wrong: impl Fn(usize) -> bool,
    ) -> Option<String> {
        let hours = || self.periods.iter().filter_map(|period| period.hours);
        let is_wrong = |day, hour| wrong(hours().filter(|hours| hours.has(day, hour)).count());
        let mut spans = Vec::new();
        for (day, name) in DAYS.iter().enumerate() {
            let mut hour = 0;
            while hour < 24 {
                let from = hour;
                while hour < 24 && is_wrong(day, hour) {
                    hour += 1;
                }
                if from < hour {
                    spans.push(format!("{name} {from}..{hour}"));
                }
                hour += 1;
            }
        }
        (!spans.is_empty()).then(|| format!("{what} at {}: {mend}", spans.join(", ")))
    }
}

impl Period {
    /// A limit of this time, made of the one that is declared.
    pub(crate) fn limit(&self, level: Level, limit: f64) -> f64 {
        let times = self.times.map_or([1.0; 3], |times| times.0);
        let times = match level {
            Level::Absent => 1.0,
            Level::Target => times[0],
            Level::Warning => times[1],
            Level::Critical => times[2],
        };
        tidy(limit * times)
    }
}

#[cfg(test)]
mod tests;
