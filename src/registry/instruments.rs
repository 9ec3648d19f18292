//! The user's own counters, gauges and histograms, and the probes' gauges, by exported name.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use super::OTHER;
use crate::clock::SharedClock;
use crate::histogram::{Buckets, Cells, Histogram, LayoutError, Memory};

/// A number that goes up and down: the bits of an `f64`. Relaxed: a single independent value.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell(AtomicU64);

impl GaugeCell {
    pub(crate) fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn add(&self, by: f64) {
        let add = |bits| Some((f64::from_bits(bits) + by).to_bits());
        // The closure always returns `Some`, so the update cannot fail.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// What an instrument is.
#[derive(Debug, Clone)]
pub(crate) enum InstrumentKind {
    Counter,
    Gauge,
    Histogram(Arc<Buckets>),
}

impl InstrumentKind {
    fn word(&self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Histogram(a), Self::Histogram(b)) => {
                a.layout() == b.layout() && a.bounds().eq(b.bounds())
            }
            _ => self.word() == other.word(),
        }
    }

    fn value(&self, memory: &Arc<Memory>) -> InstrumentValue {
        match self {
            Self::Counter => InstrumentValue::Counter(Arc::new(Cells::new(0, memory.clone()))),
            Self::Gauge => InstrumentValue::Gauge(Arc::default()),
            Self::Histogram(buckets) => InstrumentValue::Histogram(Arc::new(Histogram::within(
                buckets.clone(),
                memory.clone(),
            ))),
        }
    }
}

/// The cells of one instrument.
#[derive(Clone)]
pub(crate) enum InstrumentValue {
    Counter(Arc<Cells>),
    Gauge(Arc<GaugeCell>),
    /// Asked whenever it is read; `None` leaves the sample out.
    Observed(Arc<dyn Fn() -> Option<f64> + Send + Sync>),
    Histogram(Arc<Histogram>),
}

impl InstrumentValue {
    /// The current number of a counter or gauge.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Counter(cells) => Some(cells.total(&cells.reading(), 0) as f64),
            Self::Gauge(cell) => Some(cell.get()),
            // On the tick's thread a panic would end all judging: it leaves the sample out, as `None` does.
            Self::Observed(read) => catch_unwind(AssertUnwindSafe(|| read())).ok().flatten(),
            Self::Histogram(_) => None,
        }
    }
}

impl fmt::Debug for InstrumentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.number())
    }
}

/// All series of one exported name.
#[derive(Debug, Clone)]
pub(crate) struct InstrumentFamily {
    pub(crate) help: String,
    pub(crate) kind: InstrumentKind,
    pub(crate) keys: Vec<String>,
    /// By label values, in the order of `keys`.
    pub(crate) series: BTreeMap<Vec<String>, InstrumentSeries>,
}

/// The cells of one set of labels.
#[derive(Debug, Clone)]
pub(crate) struct InstrumentSeries {
    pub(crate) value: InstrumentValue,
    /// When it was registered first.
    pub(crate) created: SystemTime,
}

/// Every instrument of an instance.
#[derive(Debug)]
pub(crate) struct Instruments {
    clock: SharedClock,
    families: Mutex<BTreeMap<String, InstrumentFamily>>,
    cap: usize,
    memory: Arc<Memory>,
    /// Registrations that were led to `other`.
    overflow: AtomicU64,
    /// How often a series was added or replaced. The Release addition under the lock pairs with the Acquire load of
    /// readers, who take the lock themselves if they find a new number.
    version: AtomicU64,
}

impl Instruments {
    pub(super) fn new(clock: SharedClock, cap: usize, memory: Arc<Memory>) -> Self {
        Self {
            clock,
            families: Mutex::new(BTreeMap::new()),
            cap,
            memory,
            overflow: AtomicU64::new(0),
            version: AtomicU64::new(0),
        }
    }

    /// The instrument with this name and these labels, made if it is new.
    pub(crate) fn register(
        &self,
        name: &str,
        help: &str,
        kind: InstrumentKind,
        labels: &[(&str, &str)],
    ) -> Result<InstrumentValue, InstrumentError> {
        self.put(name, help, kind, labels, None, self.cap)
    }

    /// The same, without a cap on label sets.
    #[cfg(feature = "modbus")]
    pub(crate) fn declare(
        &self,
        name: &str,
        help: &str,
        kind: InstrumentKind,
        labels: &[(&str, &str)],
    ) -> Result<InstrumentValue, InstrumentError> {
        self.put(name, help, kind, labels, None, usize::MAX)
    }

    /// Makes sure that gauges of this name with these label keys can be had later.
    #[cfg(feature = "modbus")]
    pub(crate) fn reserve(
        &self,
        name: &str,
        help: &str,
        keys: &[&str],
    ) -> Result<(), InstrumentError> {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        let mut families = self.families.lock();
        family(&mut families, name, help, InstrumentKind::Gauge, keys).map(drop)
    }

    /// Makes a gauge that is read by calling `read`; it takes the place of an earlier one with the same labels.
    pub(crate) fn observe(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        read: Arc<dyn Fn() -> Option<f64> + Send + Sync>,
    ) -> Result<(), InstrumentError> {
        let value = Some(InstrumentValue::Observed(read));
        self.put(name, help, InstrumentKind::Gauge, labels, value, self.cap)
            .map(drop)
    }

    /// The same, without a cap on label sets.
    #[cfg(feature = "modbus")]
    pub(crate) fn observe_declared(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        read: Arc<dyn Fn() -> Option<f64> + Send + Sync>,
    ) -> Result<(), InstrumentError> {
        let (kind, value) = (InstrumentKind::Gauge, InstrumentValue::Observed(read));
        self.put(name, help, kind, labels, Some(value), usize::MAX)
            .map(drop)
    }

    fn put(
        &self,
        name: &str,
        help: &str,
        kind: InstrumentKind,
        labels: &[(&str, &str)],
        value: Option<InstrumentValue>,
        cap: usize,
    ) -> Result<InstrumentValue, InstrumentError> {
        let keys: Vec<String> = labels.iter().map(|(key, _)| (*key).to_owned()).collect();
        let mut values: Vec<String> = labels
            .iter()
            .map(|(_, value)| (*value).to_owned())
            .collect();
        let mut families = self.families.lock();
        let family = family(&mut families, name, help, kind, keys)?;
        if !family.series.contains_key(&values) && family.series.len() >= cap && !values.is_empty()
        {
            self.count_overflow();
            values.fill(OTHER.to_owned());
        }
        if let Some(value) = value {
            let series = self.series(value.clone());
            family.series.insert(values, series);
            return Ok(value);
        }
        let series = family.series.entry(values).or_insert_with(|| {
            // The buckets of the first registration serve all series of the family.
            self.series(family.kind.value(&self.memory))
        });
        Ok(series.value.clone())
    }

    /// A series that is new.
    fn series(&self, value: InstrumentValue) -> InstrumentSeries {
        self.version.fetch_add(1, Ordering::Release);
        let created = self.clock.system_time();
        InstrumentSeries { value, created }
    }

    /// A number that is another one whenever there are other series than when it was last asked for.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// How many label sets an instrument may have.
    #[cfg_attr(
        not(feature = "metrics"),
        allow(dead_code, reason = "only some keep label sets of their own")
    )]
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// Counts a label set that came after the cap.
    pub(crate) fn count_overflow(&self) {
        self.overflow.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn overflow(&self) -> u64 {
        self.overflow.load(Ordering::Relaxed)
    }

    /// A copy of every family: the lock is not held while observed gauges are asked.
    pub(crate) fn families(&self) -> BTreeMap<String, InstrumentFamily> {
        self.families.lock().clone()
    }

    /// One family by its exported name.
    #[cfg(test)]
    pub(crate) fn family(&self, name: &str) -> Option<InstrumentFamily> {
        self.families.lock().get(name).cloned()
    }
}

/// The family of this name, made if it is new.
fn family<'a>(
    families: &'a mut BTreeMap<String, InstrumentFamily>,
    name: &str,
    help: &str,
    kind: InstrumentKind,
    keys: Vec<String>,
) -> Result<&'a mut InstrumentFamily, InstrumentError> {
    check_name(name)?;
    for key in &keys {
        check_label(name, key)?;
    }
    let family = families
        .entry(name.to_owned())
        .or_insert_with(|| InstrumentFamily {
            help: help.to_owned(),
            kind: kind.clone(),
            keys: keys.clone(),
            series: BTreeMap::new(),
        });
    if !family.kind.same(&kind) {
        return Err(InstrumentError::Kind {
            name: name.to_owned(),
            is: family.kind.word(),
            wanted: kind.word(),
        });
    }
    if family.keys != keys {
        return Err(InstrumentError::Labels {
            name: name.to_owned(),
            are: family.keys.clone(),
            wanted: keys,
        });
    }
    Ok(family)
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`: Prometheus' rule for names without the colon, which belongs to recording rules.
fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

pub(crate) fn check_name(name: &str) -> Result<(), InstrumentError> {
    if is_identifier(name) {
        Ok(())
    } else {
        Err(InstrumentError::Name {
            name: name.to_owned(),
        })
    }
}

pub(crate) fn check_label(name: &str, key: &str) -> Result<(), InstrumentError> {
    if is_identifier(key) && !key.starts_with("__") && key != "le" && key != "quantile" {
        Ok(())
    } else {
        Err(InstrumentError::Label {
            name: name.to_owned(),
            key: key.to_owned(),
        })
    }
}

/// Why an instrument cannot be registered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InstrumentError {
    /// The name is not one that Prometheus takes.
    Name {
        /// The name.
        name: String,
    },
    /// A label key is not one that Prometheus takes, or is reserved.
    Label {
        /// The instrument.
        name: String,
        /// The key.
        key: String,
    },
    /// The name is taken by an instrument of another kind, or with other buckets.
    Kind {
        /// The name.
        name: String,
        /// What it is already.
        is: &'static str,
        /// What it was asked to be.
        wanted: &'static str,
    },
    /// The name is taken by an instrument with other label keys.
    Labels {
        /// The name.
        name: String,
        /// Its keys.
        are: Vec<String>,
        /// The keys asked for.
        wanted: Vec<String>,
    },
    /// The name belongs to a family that plimsoll exports itself.
    Taken {
        /// The name.
        name: String,
    },
    /// A bound of a histogram is refused.
    Layout {
        /// The name.
        name: String,
        /// Why.
        source: LayoutError,
    },
}

impl fmt::Display for InstrumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name } => {
                write!(
                    f,
                    "instrument name {name:?} must match [a-zA-Z_][a-zA-Z0-9_]*"
                )
            }
            Self::Label { name, key } => write!(
                f,
                "instrument {name}: label key {key:?} must match [a-zA-Z_][a-zA-Z0-9_]*, must not start with __ and \
                 must not be le or quantile"
            ),
            Self::Kind { name, is, wanted } if is == wanted => {
                write!(
                    f,
                    "instrument {name} already has other buckets: one family has one set of bounds"
                )
            }
            Self::Kind { name, is, wanted } => {
                write!(
                    f,
                    "instrument {name} is already a {is} and cannot be a {wanted} too: choose another name"
                )
            }
            Self::Labels { name, are, wanted } => write!(
                f,
                "instrument {name} already has the label keys {are:?} and cannot have {wanted:?}: one family has one \
                 label schema"
            ),
            Self::Taken { name } => {
                write!(
                    f,
                    "instrument name {name} belongs to a family that plimsoll exports: choose another name"
                )
            }
            Self::Layout { name, source } => write!(f, "instrument {name}: {source}"),
        }
    }
}

impl std::error::Error for InstrumentError {}
