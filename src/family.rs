//! Why it exists: whatever the format, it shows the same families; and an instance can hold families that somebody
//! else keeps, and the formats that it offers, without knowing who shows them.
//!
//! This room only holds values: it neither counts nor prints.

mod accept;
mod foreign;
mod format;
mod shelf;

#[cfg(feature = "axum")]
pub(crate) use accept::Ranges;
pub(crate) use foreign::{Foreign, Refused};
#[cfg(feature = "metrics")]
pub(crate) use foreign::{Invalid, Source};
pub use format::Format;
pub(crate) use format::Offer;

pub(crate) use shelf::Shelf;

use std::fmt;
use std::time::SystemTime;

use crate::histogram::{Exemplar, NativeBuckets};

/// All samples of one exported name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// The exported name, prefix included.
    pub name: String,
    /// What it means, in one sentence.
    pub help: String,
    /// What its samples are.
    pub kind: Kind,
    /// Ordered by labels; no two have the same ones.
    pub samples: Vec<Sample>,
}

impl Family {
    pub(crate) fn new(name: impl Into<String>, help: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            help: help.into(),
            kind,
            samples: Vec::new(),
        }
    }
}

/// What the samples of a family are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows, but for restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How values are distributed.
    Histogram,
}

impl Kind {
    /// The word of the text format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One set of labels and what was counted under it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Keys and values, in the order of the family's label schema; `le` is not among them.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: Value,
    /// When the series came into being: it was 0 before. `None` stands for when the instance was built.
    pub created: Option<SystemTime>,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number, exact.
    Integer(u64),
    /// Any other number.
    Float(f64),
    /// Buckets, sum and count.
    Histogram(Distribution),
}

/// Exact cumulative counts at the family's bounds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Distribution {
    /// Upper bounds in the exported unit, ascending, each with the number of values at or below it; without `+Inf`.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of the values in the exported unit, exact to the precision of an `f64`.
    pub sum: f64,
    /// The number of values: the sum of all buckets, and therefore the count at `+Inf`.
    pub count: u64,
    /// For each bucket at most one value with a trace id, ascending; it belongs to the first bucket that reaches it.
    pub exemplars: Vec<Exemplar>,
    /// The same values in a native histogram's buckets, where that was asked for and the unit allows it.
    pub native: Option<NativeBuckets>,
}
