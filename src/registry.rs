//! Why it exists: a name and label values must lead to their [`Series`] without a lock, and an outsider who invents
//! label values must not be able to fill the memory.
//!
//! One [`OperationSet`] per kind of measured work (HTTP, queries, device calls, ...) maps label values to an
//! [`Operation`]; an operation counts what is in flight and holds one histogram per end (outcome, HTTP
//! status, and whatever else the probe tells apart). Every set has a cap; what comes above it is counted in one `other` operation. Everything that is exported
//! is derived from these cells, so two exported families can never contradict each other.
//!
//! This room never judges and never renders.

mod acts;
mod classify;
mod end;
mod extra;
mod instruments;
mod operation;
mod recent;
mod set;

#[cfg(feature = "http")]
pub use acts::Acted;
pub(crate) use acts::{ActCount, Acts};
pub use classify::{ByResult, Classify};
pub(crate) use end::{End, Way};
pub(crate) use extra::Extra;
pub use instruments::InstrumentError;
pub(crate) use instruments::{
    GaugeCell, InstrumentFamily, InstrumentKind, InstrumentValue, Instruments, check_label,
    check_name,
};
pub(crate) use operation::{InFlight, Operation};
pub(crate) use set::{OTHER, OperationSet};

use std::fmt;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::histogram::{Buckets, Memory, Reading};

/// How a unit of measured work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what it was asked for.
    Ok,
    /// It failed.
    Error,
    /// Nobody waited for its end: the future was dropped.
    Cancelled,
    /// It was refused in place of the service, which has too much to do. Outside every SLI.
    Shed,
    /// It was refused in place of the service, which is given a rest. Outside every SLI.
    Broken,
}

impl Outcome {
    /// `Ok` for `Result::Ok`, `Error` for `Result::Err`.
    pub fn of<T, E>(result: &Result<T, E>) -> Self {
        if result.is_ok() {
            Self::Ok
        } else {
            Self::Error
        }
    }

    /// Whether it says something of the service, and so counts for every SLI. A layer's own refusals do not: they
    /// would feed the breach that caused them, or hide it.
    pub(crate) fn is_valid(self) -> bool {
        !matches!(self, Self::Shed | Self::Broken)
    }

    /// The word used as a label value: `ok`, `error`, `cancelled`, `shed`, `broken`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Shed => "shed",
            Self::Broken => "broken",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of measured work, with label keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Domain {
    /// Requests served: `method`, `route`; the code of an end is the status.
    Http,
    /// Calls of any other tower service: `operation`.
    Service,
    /// Queries: `operation`, `model`.
    Db,
    /// Modbus transactions: `device`, `operation`.
    Modbus,
    /// Attempts to connect: `protocol`, `device`.
    Connect,
    /// Waiting for a pooled connection: `pool`.
    Acquire,
    /// The user's own operations: `operation`.
    Operation,
}

impl Domain {
    pub(crate) const ALL: [Self; 7] = [
        Self::Http,
        Self::Service,
        Self::Db,
        Self::Modbus,
        Self::Connect,
        Self::Acquire,
        Self::Operation,
    ];

    /// The name used in configuration and in our own metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Service => "service",
            Self::Db => "db",
            Self::Modbus => "modbus",
            Self::Connect => "connect",
            Self::Acquire => "acquire",
            Self::Operation => "operation",
        }
    }

    /// The label keys, in the order in which values are given.
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Http => &["method", "route"],
            Self::Service | Self::Operation => &["operation"],
            Self::Db => &["operation", "model"],
            Self::Modbus => &["device", "operation"],
            Self::Connect => &["protocol", "device"],
            Self::Acquire => &["pool"],
        }
    }
}

/// What an operation records with.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) clock: SharedClock,
    pub(crate) buckets: Arc<Buckets>,
    /// Those of sizes in bytes.
    pub(crate) sizes: Arc<Buckets>,
    pub(crate) memory: Arc<Memory>,
}

/// Everything that one instance counts.
#[derive(Debug)]
pub(crate) struct Registry {
    clock: SharedClock,
    memory: Arc<Memory>,
    sets: Vec<OperationSet>,
    pub(crate) instruments: Instruments,
    pub(crate) acts: Acts,
}

impl Registry {
    /// `buckets` says which bounds the durations of a domain have, `sizes` are those of bytes, `cap` how many label sets it may grow to, `memory`
    /// how many bytes of counters threads may own.
    pub(crate) fn new(
        clock: SharedClock,
        buckets: impl Fn(Domain) -> Arc<Buckets>,
        sizes: &Arc<Buckets>,
        cap: usize,
        memory: Arc<Memory>,
    ) -> Self {
        let set = |domain| {
            let (clock, memory) = (clock.clone(), memory.clone());
            let recording = Recording {
                clock,
                buckets: buckets(domain),
                sizes: sizes.clone(),
                memory,
            };
            OperationSet::new(domain, recording, cap)
        };
        let sets = Domain::ALL.into_iter().map(set).collect();
        Self {
            sets,
            instruments: Instruments::new(clock.clone(), cap, memory.clone()),
            acts: Acts::default(),
            clock,
            memory,
        }
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.memory.reading()
    }

    /// Bytes of counters: those that threads own, and those that nobody owns.
    pub(crate) fn memory(&self) -> [(&'static str, usize); 2] {
        let memory = &self.memory;
        [("thread", memory.taken()), ("shared", memory.shared())]
    }

    pub(crate) fn clock(&self) -> &SharedClock {
        &self.clock
    }

    pub(crate) fn set(&self, domain: Domain) -> &OperationSet {
        &self.sets[domain as usize]
    }

    pub(crate) fn sets(&self) -> impl Iterator<Item = &OperationSet> {
        self.sets.iter()
    }
}

#[cfg(test)]
mod tests;
