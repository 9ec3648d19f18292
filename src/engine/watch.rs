//! Windows that somebody named, read at any time.

use std::time::Duration;

use crate::budget::Select;
use crate::histogram::Snapshot;
use crate::window::HistogramWindow;

/// Windows over selected operations, from 2 ticks to 30 days: percentiles and rates of the latest seconds, hours or
/// days, in the process.
///
/// ```
/// use plimsoll::{ManualClock, Outcome, Plimsoll, Select, Watch};
/// use std::time::Duration;
///
/// let (clock, minute) = (ManualClock::new(), Duration::from_secs(60));
/// let plimsoll = Plimsoll::builder()
///     .clock(clock.clone())
///     .manual_tick()
///     .watch(Watch::new("publish", Select::operation("publish")).over(minute).above(Duration::from_millis(100)))
///     .build()?;
/// for ms in 1..=200 {
///     plimsoll.operation("publish").record(Outcome::Ok, Duration::from_millis(ms));
/// }
/// clock.advance(Duration::from_secs(1));
/// plimsoll.tick();
///
/// let reading = plimsoll.window("publish", minute).expect("it was named");
/// assert_eq!((reading.count, reading.rate, reading.above), (200, 200.0, Some(0.5)));
/// assert!((reading.quantile(0.99).unwrap() - 0.198).abs() < 0.198 * 0.0055);
/// # Ok::<(), plimsoll::BuildError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Watch {
    pub(crate) name: String,
    pub(crate) select: Select,
    pub(crate) windows: Vec<Duration>,
    pub(crate) threshold: Option<Duration>,
}

impl Watch {
    /// Names the selected operations; add windows with [`over`](Self::over).
    pub fn new(name: impl Into<String>, select: Select) -> Self {
        Self {
            name: name.into(),
            select,
            windows: Vec::new(),
            threshold: None,
        }
    }

    /// One more window. Beyond 64 ticks it is kept in steps of a 64th of it, by which its old end may be off.
    ///
    /// Cost: for each window half a KiB for each octave that holds something, as much beside, and up to 64 sparse
    /// differences. For everything over the same operations together the same once more, half a KiB for each octave of
    /// each series, and at a tick some 30 ns for each series, 3 µs for one that was recorded into.
    pub fn over(mut self, window: Duration) -> Self {
        self.windows.push(window);
        self
    }

    /// The threshold of [`WindowReading::above`]; it becomes an exact bound.
    pub fn above(mut self, threshold: Duration) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// Every mistake in the declaration, as (field, what is wrong and how to mend it); `keys` are the labels that its
    /// kind of work has.
    pub(crate) fn problems(&self, tick: Duration, keys: &[&str]) -> Vec<(String, String)> {
        let field = |field: &str| format!("watch {:?}: {field}", self.name);
        let mut problems = Vec::new();
        if self.windows.is_empty() {
            problems.push((field("over"), "is missing: name a window".to_owned()));
        }
        let longest = Duration::from_secs(30 * 86_400);
        for window in self
            .windows
            .iter()
            .filter(|window| **window < tick * 2 || **window > longest)
        {
            let message =
                format!("{window:?} is not a window: it takes two ticks of {tick:?} to 30 days");
            problems.push((field("over"), message));
        }
        if self
            .threshold
            .is_some_and(|above| above.is_zero() || above > Duration::from_secs(3600))
        {
            problems.push((
                field("above"),
                "is outside what is measured: more than 0, at most an hour".to_owned(),
            ));
        }
        let unknown = self.select.unknown_labels(keys);
        problems.extend(
            unknown
                .into_iter()
                .map(|(_, key, message)| (field(&format!("label {key:?}")), message)),
        );
        problems
    }
}

/// What a window held at the latest tick. Durations are in seconds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WindowReading {
    /// How long the stretch is that was looked at: shorter than the window while that is still filling up.
    pub covered: Duration,
    /// Operations that ended, in whichever way; those that a layer refused are not among them.
    pub count: u64,
    /// Operations per second.
    pub rate: f64,
    /// The mean duration.
    pub mean: Option<f64>,
    /// The greatest duration, as the upper edge of its bucket: at most 1.1 % too great.
    pub max: Option<f64>,
    /// The share of the operations above the threshold, exact, in `0.0..=1.0`.
    pub above: Option<f64>,
    distribution: Snapshot,
}

impl WindowReading {
    pub(super) fn new(window: &HistogramWindow, threshold: Option<Duration>) -> Self {
        let (counts, covered) = (window.counts(), window.covered());
        let count = counts.count();
        let share = |above: u64| above as f64 / count as f64;
        let above = threshold.and_then(|threshold| counts.above(threshold.as_secs_f64()));
        Self {
            covered,
            count,
            rate: if covered.is_zero() {
                0.0
            } else {
                count as f64 / covered.as_secs_f64()
            },
            mean: counts.mean(),
            max: counts.max(),
            above: above.filter(|_| count > 0).map(share),
            distribution: counts.clone(),
        }
    }

    /// The `q`-quantile (`0.0..=1.0`) of the durations, within 0.55 %; `None` if there were none. Cost: under 100 ns.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        self.distribution.quantile(q)
    }

    /// The whole distribution.
    pub fn distribution(&self) -> &Snapshot {
        &self.distribution
    }
}
