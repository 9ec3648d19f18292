//! Where the time of one request went, as a value.

use std::fmt;
use std::time::Duration;

use super::record::{Scope, Tally};

/// Where the time of one request went; see the [module](super) for what the parts are.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Anatomy {
    /// Queries that ended while it was under way.
    pub queries: u64,
    /// The statement that it ran again and again, if as often as the limit (`Builder::n_plus_one`).
    pub n_plus_one: Option<Repeated>,
    /// Its parts, the rest last.
    pub parts: Vec<Part>,
}

/// A statement that one request ran again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Repeated {
    /// Its summary or its explicit name: the label `query`.
    pub query: String,
    /// How often.
    pub count: u64,
    /// What all of these took together.
    pub duration: Duration,
}

impl Repeated {
    pub(crate) fn new((query, tally): (&str, Tally)) -> Self {
        Self {
            query: query.to_owned(),
            count: tally.count,
            duration: Duration::from_nanos(tally.ns),
        }
    }
}

/// `SELECT orders x 12 in 30ms`
impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} in {:?}", self.query, self.count, self.duration)
    }
}

/// A part of a request's time.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Part {
    /// `query`, `device`, the name of a stage, `other`, or `rest`.
    pub stage: &'static str,
    /// What it took.
    pub duration: Duration,
    /// Its share of the whole, in `0.0..=1.0`; those of all parts add up to 1. 0 where nothing took any time.
    pub share: f64,
    /// How often it came about; 1 for the rest.
    pub count: u64,
}

impl Scope {
    /// Where the time of a request went that took so long, if its parts are told apart.
    pub(crate) fn to_anatomy(&self, duration_ns: u64) -> Option<Anatomy> {
        let whole_ns = self.whole_ns(duration_ns);
        let parts = self.parts(duration_ns);
        let parts = parts.map(|(stage, tally)| Part::new(stage, tally, whole_ns));
        self.has_anatomy().then(|| Anatomy {
            queries: self.queries(),
            n_plus_one: self.repeated().map(Repeated::new),
            parts: parts.collect(),
        })
    }
}

impl Part {
    pub(super) fn new(stage: &'static str, tally: Tally, whole_ns: u64) -> Self {
        Self {
            stage,
            duration: Duration::from_nanos(tally.ns),
            share: tally.ns as f64 / whole_ns.max(1) as f64,
            count: tally.count,
        }
    }
}

/// `query=12ms auth=1ms rest=300us`
impl fmt::Display for Anatomy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, part) in self.parts.iter().enumerate() {
            let space = if nth == 0 { "" } else { " " };
            write!(f, "{space}{}={:?}", part.stage, part.duration)?;
        }
        Ok(())
    }
}
