//! What was recorded, by operation: at one moment, or between two.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::criteria::Criteria;
use super::{CompareError, Comparison, Distribution};
use crate::budget::{Pattern, Select};
use crate::histogram::{Snapshot, nanos};
use crate::instance::Plimsoll;
use crate::registry::{Operation, OperationSet, Outcome};

/// What operations have recorded: since an instance was built, or between two moments ([`since`](Self::since)).
///
/// It holds whole distributions, so that any quantile can be had later. Operations without a record are left out. A
/// value of its own: it changes no more, and needs no instance. Memory: some 24 bytes for each bucket that holds
/// something, a hundred or so for an operation.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(deny_unknown_fields))]
pub struct Baseline {
    #[cfg_attr(feature = "baseline", serde(rename = "schema"))]
    pub(super) schema: u32,
    #[cfg_attr(feature = "baseline", serde(with = "super::file::moment"))]
    pub(super) taken: SystemTime,
    pub(super) covered_ns: u64,
    pub(super) service: String,
    pub(super) machine: Machine,
    pub(super) versions: BTreeMap<String, String>,
    /// Ascending by kind and labels.
    pub(super) operations: Vec<Recorded>,
}

/// Where something was recorded: figures of two machines say little about each other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Machine {
    /// `linux`, `macos`, ...
    pub os: String,
    /// `x86_64`, `aarch64`, ...
    pub arch: String,
    /// Threads that can run at the same time; 0 if the system does not tell.
    pub cpus: u64,
    /// The processor's name; empty if the system does not tell.
    pub processor: String,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Recorded {
    /// The kind of work, as in [`OperationStats::kind`](crate::OperationStats::kind).
    pub kind: String,
    /// Label keys and values.
    pub labels: BTreeMap<String, String>,
    /// How many ended in which way.
    pub outcomes: Outcomes,
    /// The durations of those that were not refused; empty for `check` and `point`, which have none.
    pub durations: Distribution,
}

/// How operations ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Outcomes {
    /// Without failure.
    pub ok: u64,
    /// Failed.
    pub error: u64,
    /// Dropped before their end.
    pub cancelled: u64,
    /// Refused because the service had too much to do.
    pub shed: u64,
    /// Refused to give the service a rest.
    pub broken: u64,
}

impl Baseline {
    /// Everything that was recorded since the instance was built. Cost: one pass over all cells.
    ///
    /// To compare two stretches of one run take one at each of their ends, and what lies between
    /// ([`since`](Self::since)).
    pub fn capture(plimsoll: &Plimsoll) -> Self {
        let sets = plimsoll.registry().sets();
        let operations = sets.flat_map(|set| recorded(set, set.operations()));
        Self::of(plimsoll, operations.collect())
    }

    /// The same for some operations only.
    ///
    /// # Errors
    ///
    /// [`CompareError::Field`] if `select` names a label that its kind of work does not have.
    pub fn capture_selected(plimsoll: &Plimsoll, select: &Select) -> Result<Self, CompareError> {
        let (set, operations) = selected(plimsoll, select)?;
        Ok(Self::of(plimsoll, recorded(set, operations).collect()))
    }

    fn of(plimsoll: &Plimsoll, mut operations: Vec<Recorded>) -> Self {
        operations.sort_by(|a, b| a.key().cmp(&b.key()));
        let inner = plimsoll.inner();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            schema: SCHEMA,
            taken: to_the_millisecond(plimsoll.registry().clock().system_time()),
            covered_ns: nanos(Duration::from_secs_f64(inner.engine.uptime())),
            service: plimsoll.service().to_owned(),
            machine: Machine::this(),
            versions: [("plimsoll".to_owned(), version)].into(),
            operations,
        }
    }

    /// Notes a version, such as that of the service or the commit it was built from.
    pub fn version(mut self, of: impl Into<String>, version: impl Into<String>) -> Self {
        self.versions.insert(of.into(), version.into());
        self
    }

    /// What was recorded between `earlier` and this, both captured of one instance: before and after a change of its
    /// configuration, say.
    ///
    /// # Errors
    ///
    /// [`CompareError::Field`] if `earlier` holds something that this does not: it is later, or of another instance.
    pub fn since(&self, earlier: &Self) -> Result<Self, CompareError> {
        let mut since = self.clone();
        since.covered_ns = self.covered_ns.saturating_sub(earlier.covered_ns);
        for old in &earlier.operations {
            let not_earlier = || {
                let message = "holds more in the recording that should be the earlier one: \
                               both have to be captured of one instance, in this order";
                CompareError::field(old.to_string(), message)
            };
            let at = self.find(old).map_err(|_| not_earlier())?;
            let grown = self.operations[at].since(old).ok_or_else(not_earlier)?;
            since.operations[at] = grown;
        }
        since
            .operations
            .retain(|operation| operation.outcomes != Outcomes::default());
        Ok(since)
    }

    /// What is different in `now`, with 95 % confidence and no tolerance; see [`Criteria`] for others.
    pub fn compare(&self, now: &Self) -> Comparison {
        Criteria::new().compare(self, now)
    }

    /// When it was captured.
    pub fn taken(&self) -> SystemTime {
        self.taken
    }

    /// How long the stretch of time is that it is about.
    pub fn covered(&self) -> Duration {
        Duration::from_nanos(self.covered_ns)
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Where it was recorded.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Versions of what was recorded, that of plimsoll among them.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }

    /// The operations, ordered by kind and labels.
    pub fn operations(&self) -> &[Recorded] {
        &self.operations
    }

    /// Where an operation with the same labels is, or would be.
    pub(super) fn find(&self, operation: &Recorded) -> Result<usize, usize> {
        let key = operation.key();
        self.operations
            .binary_search_by(|known| known.key().cmp(&key))
    }
}

/// The version of what is kept in a file.
pub(super) const SCHEMA: u32 = 1;

impl Machine {
    fn this() -> Self {
        let cpus = std::thread::available_parallelism();
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut names = info
            .lines()
            .filter_map(|line| line.strip_prefix("model name"));
        let name = names.next().unwrap_or_default();
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            cpus: cpus.map_or(0, |cpus| cpus.get() as u64),
            processor: name.trim_start_matches([':', ' ', '\t']).to_owned(),
        }
    }
}

impl Recorded {
    /// What it is found by.
    pub(super) fn key(&self) -> (&str, &BTreeMap<String, String>) {
        (&self.kind, &self.labels)
    }

    fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            outcomes: self.outcomes.since(&earlier.outcomes)?,
            durations: self.durations.since(&earlier.durations)?,
            ..self.clone()
        })
    }
}

impl std::fmt::Display for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        super::table::name(f, &self.kind, &self.labels)
    }
}

impl Outcomes {
    /// Those that say something of the service: all that were not refused. The whole of every ratio.
    pub fn valid(&self) -> u64 {
        self.ok + self.error + self.cancelled
    }

    pub(super) fn count(&mut self, outcome: Outcome, count: u64) {
        *match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Error => &mut self.error,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Shed => &mut self.shed,
            Outcome::Broken => &mut self.broken,
        } += count;
    }

    fn since(&self, earlier: &Self) -> Option<Self> {
        Some(Self {
            ok: self.ok.checked_sub(earlier.ok)?,
            error: self.error.checked_sub(earlier.error)?,
            cancelled: self.cancelled.checked_sub(earlier.cancelled)?,
            shed: self.shed.checked_sub(earlier.shed)?,
            broken: self.broken.checked_sub(earlier.broken)?,
        })
    }
}

/// What a file can hold.
fn to_the_millisecond(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_millis(since.as_millis() as u64)
}

/// Operations of one kind, those without a record left out.
fn recorded<'a>(
    set: &'a OperationSet,
    operations: Vec<Arc<Operation>>,
) -> impl Iterator<Item = Recorded> + use<'a> {
    operations.into_iter().filter_map(|operation| {
        let (outcomes, durations) = gather(set, [&operation]);
        let labels = set.keys().iter().zip(operation.labels());
        let labels = labels.map(|(key, value)| ((*key).to_owned(), value.to_string()));
        (outcomes != Outcomes::default()).then(|| Recorded {
            kind: set.domain().as_str().to_owned(),
            labels: labels.collect(),
            outcomes,
            durations,
        })
    })
}

/// What some operations of one kind recorded, together.
pub(super) fn gather<'a>(
    set: &OperationSet,
    operations: impl IntoIterator<Item = &'a Arc<Operation>>,
) -> (Outcomes, Distribution) {
    let mut outcomes = Outcomes::default();
    let mut snapshots: Vec<Snapshot> = Vec::new();
    for series in operations
        .into_iter()
        .flat_map(|operation| operation.each_series())
    {
        let (outcome, snapshot) = (series.end.outcome, series.histogram.snapshot());
        outcomes.count(outcome, snapshot.count());
        if outcome.is_valid() && set.domain().is_timed() {
            snapshots.push(snapshot);
        }
    }
    (outcomes, Distribution::of(&snapshots))
}

/// The operations that somebody selects, of the kind that they are of.
pub(super) fn selected<'a>(
    plimsoll: &'a Plimsoll,
    select: &Select,
) -> Result<(&'a OperationSet, Vec<Arc<Operation>>), CompareError> {
    let set = plimsoll.registry().set(select.domain);
    if let Some((_, label, message)) = select.unknown_labels(set.keys()).pop() {
        return Err(CompareError::field(format!("label {label:?}"), message));
    }
    let position = |key: &str| set.keys().iter().position(|known| *known == key);
    let label = |(key, value): &(String, String)| Some((position(key)?, Pattern::new(value)));
    let labels: Vec<_> = select.labels.iter().filter_map(label).collect();
    let fits = |operation: &Arc<Operation>| {
        let mut labels = labels.iter();
        labels.all(|(at, pattern)| pattern.matches(&operation.labels()[*at]))
    };
    let mut operations = set.operations();
    operations.retain(fits);
    Ok((set, operations))
}
