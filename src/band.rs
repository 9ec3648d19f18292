//! Why it exists: for many values nobody knows a good limit, and what is normal at noon is an alarm at night.
//!
//! A [`Band`] learns from observations what a value usually is, and says up to where it is still usual. What is done
//! about a value above it is not its business: it knows no budget and no alert, and asks nobody for the time.
//!
//! ```
//! use plimsoll::band::{Band, Dynamic, Method};
//!
//! let mut band = Band::new(Dynamic::new(Method::HourOfWeek).floor(0.2))?;
//! let five_minutes = 300_000;
//! for i in 0..288 {
//!     let at_ms = 1_767_225_600_000 + i * five_minutes; // Unix time
//!     band.observe(at_ms, 0.150, false);
//! }
//! let limits = band.limits(1_767_225_600_000 + 288 * five_minutes).expect("a day is enough to begin with");
//! assert!((limits.baseline - 0.150).abs() < 1e-6);
//! assert_eq!(limits.warning, 0.2); // never below the floor
//! # Ok::<(), plimsoll::band::BandError>(())
//! ```
//!
//! Bands are for values of which more is worse; of the other kind, observe the negative. In a simulation of six weeks
//! with 12 seeds (`cargo bench --bench bands`, the table is in `docs/performance.md`) three values in a row above `critical` of
//! [`Method::HourOfWeek`] found 98 to 100 % of the incidents without a false alert; above `warning` of [`Method::Classic`] 20 to
//! 45 %, with 0.21 to 0.93 false alerts a day.

mod bytes;
mod classic;
mod double;
mod dynamic;
mod ewma;
mod history;
mod hour_of_week;
mod local;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Reader;
use classic::Classic;
pub use dynamic::{Dynamic, Method};
use hour_of_week::HourOfWeek;

/// Observations before which there are no limits.
const FEWEST: usize = 12;
/// Observations beyond it, either way, are ignored as infinities are: their squares would not be numbers.
const LARGEST: f64 = 1e38;

/// What a value usually is, and the limits of what is still usual, in the unit of the observations.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Limits {
    /// The usual value: a mean or a median, by the [`Method`].
    pub baseline: f64,
    /// Above it a value is unusual.
    pub warning: f64,
    /// Above it a value is very unusual, and nothing is learned from it (except by [`Method::Classic`]).
    pub critical: f64,
}

/// What was learned of one value, and the limits that follow.
///
/// Memory, bounded: up to 44 KB with [`Method::HourOfWeek`] and four weeks, 139 KB with [`Method::Classic`].
/// The same observations give the same limits: nothing is drawn at random.
#[derive(Debug, Clone)]
pub struct Band {
    declared: Dynamic,
    learned: Learned,
    ignored: u64,
}

#[derive(Debug, Clone)]
enum Learned {
    Classic(Classic),
    HourOfWeek(HourOfWeek),
}

impl Band {
    /// A band that has learned nothing.
    ///
    /// # Errors
    ///
    /// [`BandError::Declaration`] with every mistake in it.
    pub fn new(declared: Dynamic) -> Result<Self, BandError> {
        let problems = declared.problems();
        if !problems.is_empty() {
            return Err(BandError::Declaration(problems));
        }
        let learned = match declared.method {
            Method::Classic => Learned::Classic(Classic::new(&declared)),
            Method::HourOfWeek => Learned::HourOfWeek(HourOfWeek::new(&declared)),
        };
        Ok(Self {
            declared,
            learned,
            ignored: 0,
        })
    }

    /// Learns from a value that was observed at this Unix time in milliseconds.
    ///
    /// `breached` says that an alert is firing for it: [`Method::HourOfWeek`] does not take such a value for usual, nor one
    /// above [`Limits::critical`]. A value that is no number, or beyond ±10³⁸, is ignored and counted ([`ignored`](Self::ignored)).
    /// Observations may come at any rate, with gaps, and with a clock that is set back.
    ///
    /// Cost: some 10 ns; with [`Method::HourOfWeek`] once in five minutes 0.3 µs, and at the end of a lasting change some
    /// hundred of them. It allocates only then.
    pub fn observe(&mut self, at_ms: i64, value: f64, breached: bool) {
        if !value.is_finite() || value.abs() > LARGEST {
            self.ignored += 1;
            return;
        }
        match &mut self.learned {
            Learned::Classic(classic) => classic.observe(at_ms, value),
            Learned::HourOfWeek(week) => week.observe(&self.declared, at_ms, value, breached),
        }
    }

    /// The limits at this Unix time in milliseconds; `None` before 12 observations.
    ///
    /// Cost: some nanoseconds within five minutes of the latest observation, 0.2 µs at other times. [`Method::Classic`]: 0.3
    /// µs, and 0.2 ms when a value was taken in since, or if some have left the window.
    pub fn limits(&self, at_ms: i64) -> Option<Limits> {
        let limits = match &self.learned {
            Learned::Classic(classic) => classic.limits(&self.declared, at_ms),
            Learned::HourOfWeek(week) => week.limits(&self.declared, at_ms),
        }?;
        let floor = self.declared.floor.unwrap_or(f64::NEG_INFINITY);
        Some(Limits {
            baseline: limits.baseline,
            warning: limits.warning.max(floor),
            critical: limits.critical.max(floor),
        })
    }

    /// The share of the baseline window's hours of which something was learned, in `0.0..=1.0`.
    ///
    /// Cost: one pass over the history.
    pub fn coverage(&self, at_ms: i64) -> f64 {
        match &self.learned {
            Learned::Classic(classic) => classic.coverage(at_ms),
            Learned::HourOfWeek(week) => week.coverage(&self.declared, at_ms),
        }
    }

    /// How many observations were no numbers, or beyond ±10³⁸.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// What this band was declared as.
    pub fn declared(&self) -> &Dynamic {
        &self.declared
    }

    /// What was learned, for [`restore`](Self::restore): 16 bytes a value of [`Method::Classic`], or 60 an hour: 40 KB for
    /// four full weeks.
    pub fn save(&self) -> Vec<u8> {
        let mut out = bytes::begin(&self.declared);
        out.extend(self.ignored.to_le_bytes());
        match &self.learned {
            Learned::Classic(classic) => classic.save(&mut out),
            Learned::HourOfWeek(week) => week.save(&mut out),
        }
        bytes::seal(out)
    }

    /// A band that goes on from what [`save`](Self::save) gave.
    ///
    /// Sensitivity, margin, floor and the time to learn anew may have changed since: they are not learned.
    ///
    /// # Errors
    ///
    /// [`BandError::Declaration`] as [`new`](Self::new); [`BandError::Foreign`], [`BandError::Version`] and [`BandError::Torn`] if
    /// these are not whole bytes of `save`; [`BandError::Different`] if they were learned with another method, window or offset.
    pub fn restore(declared: Dynamic, saved: &[u8]) -> Result<Self, BandError> {
        let mut band = Self::new(declared)?;
        let mut reader = Reader::open(saved, &band.declared)?;
        band.ignored = reader.u64()?;
        match &mut band.learned {
            Learned::Classic(classic) => classic.restore(&mut reader)?,
            Learned::HourOfWeek(week) => week.restore(&band.declared, &mut reader)?,
        }
        reader.end()?;
        Ok(band)
    }
}

/// Why there is no band.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BandError {
    /// Mistakes in the declaration, as (field, what is wrong and how to mend it).
    Declaration(Vec<(String, String)>),
    /// The bytes do not begin as a saved band does.
    Foreign,
    /// They are of this version of the format, which is not known here.
    Version(u8),
    /// They are cut off or damaged.
    Torn,
    /// They were learned with another method, baseline window or offset.
    Different,
}

impl fmt::Display for BandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declaration(problems) => {
                let count = problems.len();
                let s = if count == 1 { "" } else { "s" };
                write!(f, "{count} mistake{s} in the band")?;
                problems
                    .iter()
                    .try_for_each(|(field, message)| write!(f, "\n  {field} {message}"))
            }
            Self::Foreign => write!(f, "these bytes are no saved band: begin with a new one"),
            Self::Version(version) => write!(
                f,
                "the saved band has format {version}, which this version does not know: begin with a new one"
            ),
            Self::Torn => write!(f, "the saved band is damaged: begin with a new one"),
            Self::Different => write!(
                f,
                "the saved band was learned with another method, window or offset: declare it as before, or begin with a new one"
            ),
        }
    }
}

impl std::error::Error for BandError {}
