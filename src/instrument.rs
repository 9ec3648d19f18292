//! Why it exists: a service has figures of its own, and they belong on the same page and under the same budgets.
//!
//! ```
//! use plimsoll::{Budget, Layout, Plimsoll, Select};
//! use std::time::Duration;
//!
//! let plimsoll = Plimsoll::builder()
//!     .budget(Budget::error_ratio("publishing", Select::operation("kafka.publish")).at_most(0.001))
//!     .build()?;
//! let jobs = plimsoll.counter("jobs_total").help("Jobs that were taken on.").label("queue", "mail").register()?;
//! let depth = plimsoll.gauge("queue_depth").help("Jobs that wait.").register()?;
//! let batch = plimsoll.histogram("batch_size", Layout::counts(), &[10.0, 100.0]).help("Jobs per batch.").register()?;
//! jobs.increment();
//! depth.set(3.0);
//! batch.record(17);
//!
//! let publish = plimsoll.operation("kafka.publish");
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! publish.time(async { Ok::<_, std::io::Error>(()) }).await?;
//! # Ok::<(), std::io::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Names get the prefix of the naming profile. Handles are cheap clones; hold on to them, for registering takes a lock.

use std::sync::Arc;
use std::time::Duration;

use crate::histogram::{Buckets, Cells, Histogram, Layout, TraceId, nanos};
use crate::instance::{Inner, Plimsoll};
use crate::registry::{
    Domain, GaugeCell, InFlight, InstrumentError, InstrumentKind, InstrumentValue,
    Operation as Counted, Outcome,
};

impl Plimsoll {
    /// A counter of the service's own; end its name in `_total`.
    pub fn counter(&self, name: impl Into<String>) -> CounterBuilder {
        CounterBuilder(Declaration::new(
            self,
            name,
            "A counter of the service's own.",
        ))
    }

    /// A gauge of the service's own.
    pub fn gauge(&self, name: impl Into<String>) -> GaugeBuilder {
        GaugeBuilder(Declaration::new(
            self,
            name,
            "A gauge of the service's own.",
        ))
    }

    /// A histogram of the service's own, with exact bounds in the exported unit (seconds for durations).
    pub fn histogram(
        &self,
        name: impl Into<String>,
        layout: Layout,
        bounds: &[f64],
    ) -> HistogramBuilder {
        HistogramBuilder {
            declaration: Declaration::new(self, name, "A histogram of the service's own."),
            buckets: Buckets::new(layout, bounds),
        }
    }

    /// An operation of the service's own: counted, timed, exported as `operation_duration_seconds`, and open to
    /// budgets ([`Select::operation`](crate::Select::operation)). Takes no lock once it exists.
    pub fn operation(&self, name: &str) -> Operation {
        Operation {
            counted: self.registry().set(Domain::Operation).get(&[name]).clone(),
        }
    }
}

/// What every instrument is declared with.
#[derive(Debug)]
struct Declaration {
    inner: Arc<Inner>,
    name: String,
    help: String,
    labels: Vec<(String, String)>,
}

impl Declaration {
    fn new(plimsoll: &Plimsoll, name: impl Into<String>, what: &str) -> Self {
        let inner = plimsoll.inner().clone();
        Self {
            inner,
            name: name.into(),
            help: what.to_owned(),
            labels: Vec::new(),
        }
    }

    fn exported(&self) -> Result<String, InstrumentError> {
        let name = self.inner.naming.instrument(&self.name);
        if self.inner.taken.contains(&name) {
            Err(InstrumentError::Taken { name })
        } else {
            Ok(name)
        }
    }

    fn register(self, kind: InstrumentKind) -> Result<InstrumentValue, InstrumentError> {
        let labels: Vec<(&str, &str)> = self
            .labels
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        self.inner
            .registry
            .instruments
            .register(&self.exported()?, &self.help, kind, &labels)
    }
}

macro_rules! declares {
    ($builder:ident, $($declaration:tt)+) => {
        impl $builder {
            /// What it counts or measures, for people; one sentence.
            pub fn help(mut self, help: impl Into<String>) -> Self {
                self.$($declaration)+.help = help.into();
                self
            }

            /// A label; every instrument of one name has the same label keys.
            pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                self.$($declaration)+.labels.push((key.into(), value.into()));
                self
            }
        }
    };
}

declares!(CounterBuilder, 0);
declares!(GaugeBuilder, 0);
declares!(HistogramBuilder, declaration);

/// A counter in the making.
#[derive(Debug)]
#[must_use = "nothing is counted before `register`"]
pub struct CounterBuilder(Declaration);

impl CounterBuilder {
    /// Makes the counter, or finds the one with the same name and labels. It is exported from now on, at 0.
    ///
    /// # Errors
    ///
    /// [`InstrumentError`] if the name or a label key is not valid, or if the name is used differently elsewhere.
    pub fn register(self) -> Result<Counter, InstrumentError> {
        let name = self.0.name.clone();
        match self.0.register(InstrumentKind::Counter)? {
            InstrumentValue::Counter(cells) => Ok(Counter { cells }),
            _ => Err(InstrumentError::Taken { name }),
        }
    }
}

/// A number that only grows. Cost of an increment: about 1 ns, no lock.
#[derive(Debug, Clone)]
pub struct Counter {
    cells: Arc<Cells>,
}

impl Counter {
    /// A probe's own counter, which the cap on label sets does not concern.
    #[cfg(feature = "modbus")]
    pub(crate) fn declare(
        plimsoll: &Plimsoll,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Result<Self, InstrumentError> {
        let kind = InstrumentKind::Counter;
        match declare(plimsoll, name, help, kind, labels)? {
            InstrumentValue::Counter(cells) => Ok(Self { cells }),
            _ => Err(InstrumentError::Taken { name: name.into() }),
        }
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `by`.
    pub fn add(&self, by: u64) {
        self.cells.add(0, by);
    }

    /// What was added so far, by all threads.
    pub fn value(&self) -> u64 {
        self.cells.total(&self.cells.reading(), 0)
    }
}

/// A gauge in the making.
#[derive(Debug)]
#[must_use = "nothing is measured before `register`"]
pub struct GaugeBuilder(Declaration);

impl GaugeBuilder {
    /// Makes the gauge, or finds the one with the same name and labels. It is exported from now on, at 0.
    ///
    /// # Errors
    ///
    /// As [`CounterBuilder::register`].
    pub fn register(self) -> Result<Gauge, InstrumentError> {
        let name = self.0.name.clone();
        match self.0.register(InstrumentKind::Gauge)? {
            InstrumentValue::Gauge(cell) => Ok(Gauge { cell }),
            _ => Err(InstrumentError::Taken { name }),
        }
    }

    /// Makes a gauge that is read by calling `read` at every tick and scrape; `None` leaves the sample out.
    ///
    /// `read` must not block, and must neither hold the instance itself nor call it. A panic leaves the sample out.
    ///
    /// # Errors
    ///
    /// As [`CounterBuilder::register`].
    pub fn observe(
        self,
        read: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Result<(), InstrumentError> {
        let declaration = self.0;
        let labels: Vec<(&str, &str)> = declaration
            .labels
            .iter()
            .map(|(key, value)| (&**key, &**value))
            .collect();
        let instruments = &declaration.inner.registry.instruments;
        instruments.observe(
            &declaration.exported()?,
            &declaration.help,
            &labels,
            Arc::new(read),
        )
    }
}

/// A number that goes up and down.
#[derive(Debug, Clone)]
pub struct Gauge {
    cell: Arc<GaugeCell>,
}

/// An instrument of a probe, which the cap on label sets does not concern: the probe has one of its own.
#[cfg(feature = "modbus")]
fn declare(
    plimsoll: &Plimsoll,
    name: &str,
    help: &str,
    kind: InstrumentKind,
    labels: &[(&str, &str)],
) -> Result<InstrumentValue, InstrumentError> {
    let inner = plimsoll.inner();
    let name = inner.naming.instrument(name);
    inner
        .registry
        .instruments
        .declare(&name, help, kind, labels)
}

impl Gauge {
    /// A probe's own gauge, which the cap on label sets does not concern.
    #[cfg(feature = "modbus")]
    pub(crate) fn declare(
        plimsoll: &Plimsoll,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
    ) -> Result<Self, InstrumentError> {
        match declare(plimsoll, name, help, InstrumentKind::Gauge, labels)? {
            InstrumentValue::Gauge(cell) => Ok(Self { cell }),
            _ => Err(InstrumentError::Taken { name: name.into() }),
        }
    }

    /// Sets it.
    pub fn set(&self, value: f64) {
        self.cell.set(value);
    }

    /// Adds `by`, which may be negative.
    pub fn add(&self, by: f64) {
        self.cell.add(by);
    }

    /// Its value.
    pub fn value(&self) -> f64 {
        self.cell.get()
    }
}

/// A histogram in the making.
#[derive(Debug)]
#[must_use = "nothing is recorded before `register`"]
pub struct HistogramBuilder {
    declaration: Declaration,
    buckets: Result<Arc<Buckets>, crate::histogram::LayoutError>,
}

impl HistogramBuilder {
    /// Makes the histogram, or finds the one with the same name and labels.
    ///
    /// # Errors
    ///
    /// As [`CounterBuilder::register`], and if a bound is not a number inside the layout's range.
    pub fn register(self) -> Result<Arc<Histogram>, InstrumentError> {
        let name = self.declaration.name.clone();
        let buckets = self.buckets.map_err(|source| InstrumentError::Layout {
            name: name.clone(),
            source,
        })?;
        match self
            .declaration
            .register(InstrumentKind::Histogram(buckets))?
        {
            InstrumentValue::Histogram(histogram) => Ok(histogram),
            _ => Err(InstrumentError::Taken { name }),
        }
    }
}

/// An operation of the service's own.
#[derive(Debug, Clone)]
pub struct Operation {
    counted: Arc<Counted>,
}

impl Operation {
    /// Runs `future` and counts how it ends: ok, error, or cancelled if it is dropped. Its output comes back unchanged.
    ///
    /// Time starts at the first poll.
    pub fn time<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.counted.clone().time(future)
    }

    /// Runs `work` and counts how it ends; a panic is an error. Its result comes back unchanged.
    ///
    /// # Errors
    ///
    /// What `work` returns.
    pub fn time_sync<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let under_way = self.counted.start();
        let result = work();
        under_way.finish(Outcome::of(&result));
        result
    }

    /// Counts the beginning; dropping the guard unfinished counts as cancelled.
    pub fn start(&self) -> OperationGuard {
        OperationGuard {
            under_way: self.counted.start(),
            trace_id: None,
        }
    }

    /// Counts an operation that somebody else timed.
    pub fn record(&self, outcome: Outcome, duration: Duration) {
        self.counted.record(outcome, nanos(duration));
    }

    /// The same, and keeps it as an exemplar: OpenMetrics and protobuf pages show the latest one of each bucket.
    ///
    /// ```
    /// # let plimsoll = plimsoll::Plimsoll::builder().build()?;
    /// # let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// use plimsoll::{Outcome, TraceId, export::Format};
    /// use std::time::Duration;
    ///
    /// let import = plimsoll.operation("import");
    /// let took = Duration::from_millis(3);
    /// match TraceId::from_sampled_traceparent(header) {
    ///     Some(trace_id) => import.record_traced(Outcome::Ok, took, trace_id),
    ///     None => import.record(Outcome::Ok, took),
    /// }
    /// let page = plimsoll.render_as(Format::OpenMetrics { created: false });
    /// assert!(String::from_utf8(page)?.contains(r#"1 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.003 "#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record_traced(&self, outcome: Outcome, duration: Duration, trace_id: TraceId) {
        let counted = &self.counted;
        counted.record_traced(outcome, nanos(duration), trace_id);
    }
}

/// An operation under way; made by [`Operation::start`].
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub struct OperationGuard {
    under_way: InFlight,
    trace_id: Option<TraceId>,
}

impl OperationGuard {
    /// Says which trace it belongs to: its duration becomes an exemplar, see [`Operation::record_traced`].
    pub fn trace_id(mut self, trace_id: TraceId) -> Self {
        self.trace_id = Some(trace_id);
        self
    }

    /// Counts the end.
    pub fn finish(mut self, outcome: Outcome) {
        match self.trace_id {
            Some(trace_id) => self.under_way.end_traced(outcome, trace_id),
            None => self.under_way.end(outcome),
        }
    }
}

impl Drop for OperationGuard {
    fn drop(&mut self) {
        if let (Some(end), Some(trace_id)) = (self.under_way.dropped(), self.trace_id) {
            self.under_way.end_traced(end, trace_id);
        }
    }
}
