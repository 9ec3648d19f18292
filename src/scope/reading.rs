//! Where the time of one request went, as a value.

use std::fmt;
use std::time::Duration;

use super::record::Tally;

/// Where the time of one request went; see the [module](super) for what the parts are.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Anatomy {
    /// Queries that ended while it was under way.
    pub queries: u64,
    /// Its parts, the rest last.
    pub parts: Vec<Part>,
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
