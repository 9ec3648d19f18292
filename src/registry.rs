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
#[cfg(feature = "http")]
mod anchors;
mod classify;
mod end;
mod extra;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only requests have findings")
)]
mod findings;
mod handle;
mod instruments;
#[cfg_attr(
    not(feature = "http"),
    allow(
        dead_code,
        unreachable_pub,
        reason = "only this probe has labels of the user's"
    )
)]
mod label;
mod oddities;
mod operation;
mod pulses;
mod query;
mod recent;
#[cfg_attr(
    not(feature = "db"),
    allow(dead_code, reason = "only this probe is watched")
)]
mod running;
mod set;
mod slow;
mod stages;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "only this probe has labels of the user's")
)]
mod values;

#[cfg(feature = "http")]
pub use acts::Acted;
pub(crate) use acts::{ActCount, Acts};
#[cfg(feature = "http")]
pub(crate) use anchors::{Anchor, Anchors, WeakAnchors};
pub use classify::{ByResult, Classify};
pub(crate) use end::{End, Way};
pub(crate) use extra::Extra;
pub(crate) use findings::Findings;
pub use findings::{QueryFinding, QueryFindingKind};
pub(crate) use handle::Handle;
pub use instruments::InstrumentError;
pub(crate) use instruments::{
    GaugeCell, InstrumentFamily, InstrumentKind, InstrumentValue, Instruments, check_label,
    check_name,
};
#[cfg_attr(
    not(feature = "http"),
    allow(unreachable_pub, reason = "only this probe shows it")
)]
pub use label::Label;
pub(crate) use label::{Side, keys, label_problems};
pub(crate) use operation::{InFlight, Operation};
#[cfg(feature = "modbus")]
pub(crate) use pulses::Pulse;
pub(crate) use running::Running;
pub use running::RunningQuery;
#[cfg(feature = "db")]
pub(crate) use running::Watched;
#[cfg(feature = "http")]
pub(crate) use set::MAX_KEYS;
pub(crate) use set::{OTHER, OperationSet, UNMATCHED};
pub(crate) use slow::SlowLog;
pub use slow::SlowOperation;
pub(crate) use stages::StageSeries;
pub(crate) use values::{LabelValues, Labels, Places};

use std::fmt;
use std::sync::Arc;

use crate::clock::SharedClock;
use crate::histogram::{Buckets, Memory, Reading};
use slow::Slowest;
use stages::Rulers;

/// How a unit of measured work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
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
    /// Queries: `operation`, `model`, `query`.
    Db,
    /// Modbus transactions: `device`, `operation`.
    Modbus,
    /// Attempts to connect: `protocol`, `device`.
    Connect,
    /// Waiting for a pooled connection: `pool`.
    Acquire,
    /// Opening a connection for a pool: `pool`.
    Create,
    /// Rounds of a polling cycle: `device`, `cycle`.
    Cycle,
    /// Whether a device is as it should be, once a tick: `device`, `check`. They have no duration.
    Check,
    /// Values of a device that were checked: `device`. They have no duration.
    Point,
    /// The user's own operations: `operation`.
    Operation,
}

impl Domain {
    pub(crate) const ALL: [Self; 11] = [
        Self::Http,
        Self::Service,
        Self::Db,
        Self::Modbus,
        Self::Connect,
        Self::Acquire,
        Self::Create,
        Self::Cycle,
        Self::Check,
        Self::Point,
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
            Self::Create => "create",
            Self::Cycle => "cycle",
            Self::Check => "check",
            Self::Point => "point",
            Self::Operation => "operation",
        }
    }

    /// Whether its operations take time that somebody measures.
    pub(crate) fn is_timed(self) -> bool {
        !matches!(self, Self::Check | Self::Point)
    }

    /// Its own label keys; a set may have more, see [`OperationSet::keys`].
    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Http => &["method", "route"],
            Self::Service | Self::Operation => &["operation"],
            Self::Db => &["operation", "model", "query"],
            Self::Modbus => &["device", "operation"],
            Self::Connect => &["protocol", "device"],
            Self::Acquire | Self::Create => &["pool"],
            Self::Cycle => &["device", "cycle"],
            Self::Check => &["device", "check"],
            Self::Point => &["device"],
        }
    }
}

/// What an operation records with.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    /// The label keys, in the order in which values are given: the domain's own, then those that the user added.
    pub(crate) keys: Arc<[&'static str]>,
    pub(crate) clock: SharedClock,
    pub(crate) buckets: Arc<Buckets>,
    /// Those of sizes in bytes.
    pub(crate) sizes: Arc<Buckets>,
    /// Those of an anatomy.
    rulers: Arc<Rulers>,
    pub(crate) memory: Arc<Memory>,
    /// Above it an operation is offered to the slow log; out of reach where there is none.
    slow_ns: u64,
    slowest: Option<Arc<Slowest>>,
    /// Where queries under way are watched, if somebody wants that.
    running: Option<Arc<Running>>,
    /// Where requests are told of that query too much.
    findings: Arc<Findings>,
}

/// What looks out for operations that take long, or too many of them.
#[derive(Debug)]
pub(crate) struct Late {
    /// Takes those that took long.
    pub(crate) slow: SlowLog,
    /// Where queries are watched while they take long.
    pub(crate) running: Option<Running>,
    /// Takes requests that query too much.
    pub(crate) findings: Findings,
}

/// Everything that one instance counts.
#[derive(Debug)]
pub(crate) struct Registry {
    clock: SharedClock,
    memory: Arc<Memory>,
    sets: Vec<OperationSet>,
    pub(crate) instruments: Instruments,
    pub(crate) acts: Acts,
    pub(crate) pulses: pulses::Pulses,
    pub(crate) oddities: oddities::Oddities,
    #[cfg(feature = "http")]
    kept: anchors::Kept,
    pub(crate) slow: SlowLog,
    pub(crate) running: Option<Arc<Running>>,
    pub(crate) findings: Arc<Findings>,
}

impl Registry {
    /// `buckets` says which bounds the durations of a domain have, `sizes` are those of bytes, `cap` how many label sets it may grow to, `memory`
    /// how many bytes of counters threads may own; `labels` are those that the user adds to requests, `late` is for what
    /// takes long.
    pub(crate) fn new(
        clock: SharedClock,
        labels: Vec<Label>,
        buckets: impl Fn(Domain) -> Arc<Buckets>,
        sizes: &Arc<Buckets>,
        cap: usize,
        memory: Arc<Memory>,
        late: Late,
    ) -> Self {
        let (slow, running) = (late.slow, late.running.map(Arc::new));
        let findings = Arc::new(late.findings);
        let rulers = Arc::new(Rulers::default());
        let mut labels = Some(Labels::new(labels, &memory));
        let set = |domain| {
            let labels = labels.take_if(|_| domain == Domain::Http);
            let (clock, memory) = (clock.clone(), memory.clone());
            let slowest = slow.of(domain).cloned();
            let labels = labels.unwrap_or_default();
            let added = labels.request.iter().map(|label| label.name);
            let recording = Recording {
                keys: domain.keys().iter().copied().chain(added).collect(),
                clock,
                buckets: buckets(domain),
                sizes: sizes.clone(),
                rulers: rulers.clone(),
                memory,
                slow_ns: slowest
                    .as_ref()
                    .map_or(u64::MAX, |slowest| slowest.threshold_ns),
                slowest,
                running: running.clone().filter(|_| domain == Domain::Db),
                findings: findings.clone(),
            };
            OperationSet::new(domain, labels, recording, cap)
        };
        let sets = Domain::ALL.into_iter().map(set).collect();
        Self {
            sets,
            instruments: Instruments::new(clock.clone(), cap, memory.clone()),
            acts: Acts::default(),
            pulses: pulses::Pulses::default(),
            oddities: oddities::Oddities::default(),
            #[cfg(feature = "http")]
            kept: anchors::Kept::default(),
            slow,
            running,
            findings,
            clock,
            memory,
        }
    }

    /// Queries that are running past the watchdog's limit, each once. Without a watchdog, or such queries: no allocation.
    pub(crate) fn overdue(&self) -> Vec<Arc<RunningQuery>> {
        let running = self.running.as_ref();
        // SAFETY: only operations of `sets` know this table, and a set never lets go of one.
        running.map_or(Vec::new(), |running| unsafe { running.overdue() })
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.memory.reading()
    }

    /// What counters take their bytes from.
    #[cfg(feature = "db")]
    pub(crate) fn memory_of_cells(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Bytes of counters: those that threads own, and those that nobody owns.
    pub(crate) fn memory(&self) -> [(&'static str, usize); 2] {
        let memory = &self.memory;
        [("thread", memory.taken()), ("shared", memory.shared())]
    }

    /// A value that is never freed and equals `value`: for what is configured, of which there are a few.
    #[cfg(feature = "http")]
    pub(crate) fn keep<T: PartialEq + Send + Sync>(&self, value: T) -> &'static T {
        self.kept.keep(value)
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
