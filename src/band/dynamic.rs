//! What a user declares of a dynamic threshold.

use std::time::Duration;

use super::local::{HOUR_MS, WEEK_MS};

/// How a baseline and the width around it are found.
///
/// Neither method draws anything at random, and both take times of day from Unix time and a fixed offset: a zone with
/// summer time would have no equivalent in PromQL, whose `hour()` is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub enum Method {
    /// Mean and standard deviation of the baseline window, 24 hours unless told otherwise:
    ///
    /// ```text
    /// warning  = (mean + 2 σ · sensitivity) · w        hours 9 to 18 inclusive: w = 0.9, c = 0.95
    /// critical = (mean + 3 σ · sensitivity) · c        hours 23 to 6 inclusive: w = 1.2, c = 1.15; else 1, 1
    /// ```
    ///
    /// For those who come from this formula; rounded once, so exact to one unit in the last place. σ is that of the
    /// population (÷ n), as in PromQL's `stddev_over_time`, so a rule can say the same. Everything is learned, breaches too.
    /// At most one value is taken in for each 8,640th of the window, the first one: 10 seconds of 24 hours.
    ///
    /// Its limits: it takes the daily season for noise, so what is unusual for the night is lost in it, and its factors
    /// pull the limit down just when the season is at its highest: in the simulation its warnings find 20 to 45 % of the
    /// incidents with 0.21 to 0.93 false alerts a day, and without the factors 18 to 35 % with at most 0.36. At night `critical`
    /// is below `warning` when σ · sensitivity is less than a 21st of the mean.
    Classic,
    /// Medians of the same hour of the latest weeks: up to four, at least two.
    ///
    /// `warning = median + 3 s`, `critical = median + 4 s`, where `s` is the median absolute deviation, scaled by 1.4826 (so
    /// that it is σ where values are normal) and by the sensitivity, or what the margin asks for if that is more. The
    /// values are those of ten minutes before to ten minutes after the same time of the week, one for each five minutes
    /// and week; among the observations of five minutes one is chosen by a hash of its time, each alike. A whole hour would
    /// alert at every batch job of half an hour, which is no majority of it.
    ///
    /// With less than two weeks of that time: an exponentially weighted mean and mean deviation (half-life one hour), in
    /// which a value above the limits counts as the warning limit. It finds little: 0 to 20 % of the incidents.
    ///
    /// A value that is above `critical`, or observed while an alert is firing, is not learned. So that a lasting change is not held for
    /// an incident for ever: if over [`Dynamic::relearn_after`] (48 hours) three quarters of what was observed were kept apart so,
    /// the whole history is scaled to the new level, and if over a week three quarters lay as far below the baseline, to that one;
    /// and what was kept apart at the same five minutes of two weeks in a row is learned in the third. Three
    /// quarters of those hours must have been observed.
    #[default]
    HourOfWeek,
}

/// A dynamic threshold as it is declared; [`Band::new`](super::Band::new) makes it live.
///
/// ```
/// use plimsoll::band::{Dynamic, Method};
/// use std::time::Duration;
///
/// let latency = Dynamic::new(Method::HourOfWeek)
///     .sensitivity(1.5)
///     .margin(0.2)
///     .floor(0.2)
///     .offset_minutes(60);
/// assert!(latency.problems().is_empty());
/// let (field, message) = &latency.window(Duration::from_secs(3600)).problems()[0];
/// assert_eq!(format!("{field} {message}"), "window 1h is no baseline for hours of the week: it takes 2, 3 or 4 whole weeks");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dynamic {
    pub(crate) method: Method,
    pub(crate) window: Duration,
    pub(crate) sensitivity: f64,
    pub(super) margin: f64,
    pub(crate) floor: Option<f64>,
    pub(crate) offset_minutes: i32,
    pub(super) relearn_after: Duration,
    pub(crate) every: Duration,
}

/// Five minutes are one sample of a history.
const RAREST: Duration = Duration::from_secs(300);

impl Default for Dynamic {
    fn default() -> Self {
        Self::new(Method::default())
    }
}

impl Dynamic {
    /// This method with its defaults.
    pub fn new(method: Method) -> Self {
        let (window_ms, margin) = match method {
            Method::Classic => (24 * HOUR_MS, 0.0),
            Method::HourOfWeek => (4 * WEEK_MS, 0.1),
        };
        Self {
            method,
            window: Duration::from_millis(window_ms.unsigned_abs()),
            sensitivity: 1.0,
            margin,
            floor: None,
            offset_minutes: 0,
            relearn_after: Duration::from_secs(48 * 3600),
            every: RAREST,
        }
    }

    /// How far back the baseline looks. `Classic`: one hour to seven days, 24 hours by default. `HourOfWeek`: two, three or
    /// four weeks (the default).
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// What the width of the band is multiplied by, above 0 and at most 100; 1.0 by default. As in the classic formula, more
    /// makes the band wider, and so finds less.
    pub fn sensitivity(mut self, sensitivity: f64) -> Self {
        self.sensitivity = sensitivity;
        self
    }

    /// The least distance of `warning` from the baseline, as a share of it, at most 10: without one, a value that hardly
    /// ever changes would be unusual when it does. 0.1 by default; 0 with `Classic`, whose formula has none.
    pub fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// The static limit that neither `warning` nor `critical` is ever below, in the unit of the observations: what is within
    /// the SLO is no incident. Needed where the baseline is mostly zero (error ratios), since no share of it is a width.
    pub fn floor(mut self, floor: f64) -> Self {
        self.floor = Some(floor);
        self
    }

    /// Local time minus UTC in minutes, -1440 to 1440; 0 by default.
    pub fn offset_minutes(mut self, offset_minutes: i32) -> Self {
        self.offset_minutes = offset_minutes;
        self
    }

    /// After how long a rise of the level is taken for the new normal ([`Method::HourOfWeek`]), in whole hours of 6 to 168;
    /// 48 by default, so that a bad day is not learned.
    pub fn relearn_after(mut self, relearn_after: Duration) -> Self {
        self.relearn_after = relearn_after;
        self
    }

    /// How often the engine observes the value of a [`Budget`](crate::Budget): 1 second to 5 minutes, the default. A
    /// [`Band`](super::Band) of your own takes what it is given.
    pub fn every(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// Every mistake, as (field, what is wrong and how to mend it).
    pub fn problems(&self) -> Vec<(String, String)> {
        let finite_floor = self.floor.is_none_or(f64::is_finite);
        let checks = [
            ("window", self.window_problem()),
            (
                "sensitivity",
                outside(self.sensitivity, f64::MIN_POSITIVE, 100.0).map(|found| {
                    format!("{found} is not above 0 and at most 100: 1 leaves the band as it is")
                }),
            ),
            ("margin", self.margin_problem()),
            (
                "floor",
                (!finite_floor)
                    .then(|| "is not a number: give the static limit, or leave it out".into()),
            ),
            (
                "offset_minutes",
                (self.offset_minutes.unsigned_abs() > 1440).then(|| {
                    format!(
                        "{} is more than a day: give minutes, 60 for UTC+1",
                        self.offset_minutes
                    )
                }),
            ),
            ("relearn_after", self.relearn_problem()),
            ("every", self.every_problem()),
        ];
        checks
            .into_iter()
            .filter_map(|(field, message)| Some((field.to_owned(), message?)))
            .collect()
    }

    fn window_problem(&self) -> Option<String> {
        let window = humantime::format_duration(self.window);
        match self.method {
            Method::Classic => {
                let within = (HOUR_MS..=WEEK_MS).contains(&self.window_ms());
                (!within)
                    .then(|| format!("{window} is no baseline: it takes one hour to seven days"))
            }
            Method::HourOfWeek => {
                let weeks = [2, 3, 4].map(|weeks| Duration::from_secs(weeks * 7 * 24 * 3600));
                (!weeks.contains(&self.window)).then(|| {
                    format!("{window} is no baseline for hours of the week: it takes 2, 3 or 4 whole weeks")
                })
            }
        }
    }

    fn margin_problem(&self) -> Option<String> {
        // The history holds single precision: no width at all would make rounding errors unusual.
        let least = match self.method {
            Method::Classic => 0.0,
            Method::HourOfWeek => 0.001,
        };
        outside(self.margin, least, 10.0).map(|found| {
            format!("{found} is not between {least} and 10: write 0.1 for a tenth of the baseline")
        })
    }

    fn relearn_problem(&self) -> Option<String> {
        let hours = self.relearn_after.as_secs() / 3600;
        let whole = Duration::from_secs(hours * 3600) == self.relearn_after;
        (!whole || !(6..=168).contains(&hours)).then(|| {
            let found = humantime::format_duration(self.relearn_after);
            format!("{found} is not a number of hours from 6 to 168")
        })
    }

    fn every_problem(&self) -> Option<String> {
        let sound = (Duration::from_secs(1)..=RAREST).contains(&self.every);
        (!sound).then(|| {
            let found = humantime::format_duration(self.every);
            format!("{found} is not from 1s to 5m: a history has a sample for each five minutes")
        })
    }

    pub(super) fn window_ms(&self) -> i64 {
        i64::try_from(self.window.as_millis()).unwrap_or(i64::MAX)
    }

    pub(super) fn weeks(&self) -> i64 {
        self.window_ms() / WEEK_MS
    }

    pub(super) fn offset_ms(&self) -> i64 {
        i64::from(self.offset_minutes) * 60_000
    }
}

fn outside(found: f64, least: f64, most: f64) -> Option<f64> {
    (!(least..=most).contains(&found)).then_some(found)
}
