//! One set of label values: what is in flight, and a histogram per end.

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::SystemTime;

use once_cell::race::OnceBox;

use super::findings::Found;
use super::query;
use super::stages::Stages;
use super::{Domain, End, Extra, Handle, Outcome, Recording, StageSeries};
use crate::clock::Mark;
use crate::histogram::{Cells, Histogram, Reading, TraceId};

/// Ends (HTTP statuses above all) told apart; a proxy that passes on whatever it gets must not fill the memory.
const MAX_SERIES: usize = 64;

const STARTED: usize = 0;
const FINISHED: usize = 1;

/// The durations of the operations that ended in one way.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) end: End,
    pub(crate) histogram: Histogram,
    /// When it came into being: nothing was recorded before.
    pub(crate) created: SystemTime,
}

/// A link of an append-only list: read without a lock, never moved.
#[derive(Debug)]
struct Link {
    series: Series,
    next: OnceBox<Link>,
}

/// Everything counted under one set of label values.
pub(crate) struct Operation {
    pub(super) domain: Domain,
    labels: Box<[Box<str>]>,
    /// Whether the last label value is made of the others, and may be left out by whoever looks for it.
    implied: bool,
    /// When it came into being.
    pub(crate) created: SystemTime,
    pub(super) recording: Recording,
    flow: Cells,
    first: OnceBox<Link>,
    extras: [OnceBox<Histogram>; Extra::ALL.len()],
    pub(super) stages: Stages,
    pub(super) found: Found,
}

impl Operation {
    pub(super) fn new(domain: Domain, labels: &[&str], recording: Recording) -> Self {
        let told = query::told(domain, labels);
        let implied = told.len() < recording.keys.len();
        let last = implied.then(|| query::implied(told[0], told[1]).into_boxed_str());
        Self {
            domain,
            labels: told.iter().map(|&label| label.into()).chain(last).collect(),
            implied,
            created: recording.clock.system_time(),
            flow: Cells::new(0, recording.memory.clone()),
            recording,
            first: OnceBox::new(),
            extras: Extra::ALL.map(|_| OnceBox::new()),
            stages: Stages::default(),
            found: Found::default(),
        }
    }

    /// The label keys: the domain's own, then those that the user added.
    pub(crate) fn keys(&self) -> &[&'static str] {
        &self.recording.keys
    }

    /// The label values, in the order of the [`keys`](Self::keys).
    pub(crate) fn labels(&self) -> &[Box<str>] {
        &self.labels
    }

    /// Counts an operation as begun; the guard counts its end, however it comes about.
    pub(crate) fn start(self: &Arc<Self>) -> InFlight {
        InFlight::begin(self.clone())
    }

    /// Times a future from its first poll by the `Result` it ends in.
    ///
    /// An `async fn`, so that a panic inside drops the guard while it unwinds, whoever catches it.
    pub(crate) async fn time<F, T, E>(self: Arc<Self>, future: F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let in_flight = self.start();
        let result = future.await;
        in_flight.finish(Outcome::of(&result));
        result
    }

    /// Records an operation that somebody else timed.
    pub(crate) fn record(&self, end: impl Into<End>, duration_ns: u64) {
        self.series(end).histogram.record(duration_ns);
    }

    /// The same, with the trace that it belongs to.
    pub(crate) fn record_traced(&self, end: impl Into<End>, duration_ns: u64, trace_id: TraceId) {
        let now = self.recording.clock.system_time();
        let histogram = &self.series(end).histogram;
        histogram.record_traced(duration_ns, trace_id, now);
    }

    #[inline]
    fn elapsed_ns(&self, started: Mark) -> u64 {
        self.recording.clock.ns_since(started)
    }

    /// Whether these are its label values, all of them or those that tell.
    #[inline]
    pub(crate) fn has(&self, labels: &[&str]) -> bool {
        // An empty one has no memory: where `memcmp` loads under a mask (AVX-512), it takes 100 ns to find nothing there.
        let same =
            |own: &str, label: &str| own.len() == label.len() && (own.is_empty() || own == label);
        let whole = labels.len() == self.labels.len() || self.implied;
        let mut pairs = self.labels.iter().zip(labels);
        whole && pairs.all(|(own, label)| same(own, label))
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.flow.reading()
    }

    /// How many have begun under a guard.
    pub(crate) fn started(&self, reading: &Reading<'_>) -> u64 {
        self.flow.total(reading, STARTED)
    }

    /// How many have begun and not ended.
    pub(crate) fn in_flight(&self, reading: &Reading<'_>) -> u64 {
        // Ends first: an operation that begins and ends in between is then never counted as minus one.
        let finished = self.flow.total(reading, FINISHED);
        self.flow.total(reading, STARTED).saturating_sub(finished)
    }

    /// The series of an end; made at its first use. After [`MAX_SERIES`] of them the rest is told apart by outcome only.
    #[inline]
    pub(crate) fn series(&self, end: impl Into<End>) -> &Series {
        let end = end.into();
        match self.first.get() {
            Some(link) if link.series.end == end => &link.series,
            _ => self.search(end),
        }
    }

    #[inline(never)]
    fn search(&self, mut end: End) -> &Series {
        let (mut cell, mut passed) = (&self.first, 0);
        loop {
            // Whoever loses the race to append finds the winner's link and looks at that one.
            let link = cell.get_or_init(|| Box::new(self.link(end)));
            if link.series.end == end {
                return &link.series;
            }
            (cell, passed) = (&link.next, passed + 1);
            if passed == MAX_SERIES {
                (cell, end) = (&self.first, end.coarse());
            }
        }
    }

    /// The histogram of an extra; made at its first use.
    #[inline]
    pub(crate) fn extra(&self, extra: Extra) -> &Histogram {
        self.made(extra).unwrap_or_else(|| self.make(extra))
    }

    #[inline(never)]
    fn make(&self, extra: Extra) -> &Histogram {
        let recording = &self.recording;
        self.extras[extra as usize].get_or_init(|| {
            let buckets = extra.buckets(recording).clone();
            Box::new(Histogram::within(buckets, recording.memory.clone()))
        })
    }

    /// The same, if somebody used it.
    #[inline]
    pub(crate) fn made(&self, extra: Extra) -> Option<&Histogram> {
        self.extras[extra as usize].get()
    }

    /// Every part that the time of its requests was seen to go to.
    pub(crate) fn each_stage(&self) -> impl Iterator<Item = &StageSeries> {
        self.stages.each()
    }

    fn link(&self, end: End) -> Link {
        let histogram = Histogram::within(
            self.recording.buckets.clone(),
            self.recording.memory.clone(),
        );
        let series = Series {
            end,
            histogram,
            created: self.recording.clock.system_time(),
        };
        Link {
            series,
            next: OnceBox::new(),
        }
    }

    /// Every series made so far.
    pub(crate) fn each_series(&self) -> impl Iterator<Item = &Series> {
        std::iter::successors(self.first.get(), |link| link.next.get()).map(|link| &link.series)
    }
}

// By name only: the cells of all its shards would flood a log line.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("domain", &self.domain)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

/// An operation under way. Dropped before its end is counted, it counts as cancelled, or as an error if a panic dropped
/// it. `H` is what keeps the operation there.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub(crate) struct InFlight<H: Handle = Arc<Operation>> {
    /// `None` once the end is counted, which a drop does: nothing is left to be dropped then.
    operation: ManuallyDrop<Option<H>>,
    started: Mark,
}

/// Nothing under way.
#[cfg(feature = "http")]
impl<H: Handle> Default for InFlight<H> {
    #[inline]
    fn default() -> Self {
        Self {
            operation: ManuallyDrop::new(None),
            started: Mark::default(),
        }
    }
}

impl<H: Handle> InFlight<H> {
    /// Counts an operation as begun.
    #[inline]
    pub(crate) fn begin(operation: H) -> Self {
        // Before the count: reading a processor's clock waits for what came before, and not for what comes behind it.
        let started = operation.recording.clock.mark();
        operation.flow.add(STARTED, 1);
        Self {
            operation: ManuallyDrop::new(Some(operation)),
            started,
        }
    }

    /// The same where nothing is under way yet. It is in its place before the clock is read: whatever that does, its end
    /// is counted, and nothing is copied.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn begin_with(&mut self, operation: H) {
        let operation = self.operation.insert(operation);
        operation.flow.add(STARTED, 1);
        self.started = operation.recording.clock.mark();
    }

    /// The response begins: as long as this took by now.
    #[cfg(feature = "http")]
    #[inline(never)]
    pub(crate) fn first_byte(&self) {
        if let Some(operation) = &*self.operation {
            let elapsed_ns = operation.elapsed_ns(self.started);
            operation.extra(Extra::FirstByte).record(elapsed_ns);
        }
    }

    /// Counts the end.
    pub(crate) fn finish(mut self, end: impl Into<End>) {
        self.end(end);
    }

    /// Counts the end, unless it was counted.
    pub(crate) fn end(&mut self, end: impl Into<End>) {
        self.close(end.into(), None, |_, _| {});
    }

    /// The same; returns when that was by the instance's clock, without another look at it.
    #[cfg(feature = "modbus")]
    pub(crate) fn end_at(&mut self, end: impl Into<End>) -> u64 {
        let (started, mut at_ns) = (self.started, 0);
        self.close(end.into(), None, |operation, elapsed_ns| {
            at_ns = operation.recording.clock.ns_at(started) + elapsed_ns;
        });
        at_ns
    }

    /// The same, with the trace that it belongs to.
    pub(crate) fn end_traced(&mut self, end: impl Into<End>, trace_id: TraceId) {
        self.close(end.into(), Some(trace_id), |_, _| {});
    }

    /// The same, of a response of whose body `bytes` went out.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn end_sent(&mut self, end: End, bytes: u64) {
        self.close(end, None, |operation, _| {
            operation.extra(Extra::ResponseBytes).record(bytes);
        });
    }

    /// What a drop counts as at this moment.
    pub(crate) fn dropped(&self) -> Option<End> {
        let domain = self.operation.as_ref()?.domain;
        Some(End::panicked(domain).unwrap_or_else(|| End::dropped(domain)))
    }

    /// What keeps the operation there, until the end is counted.
    #[cfg(feature = "http")]
    pub(crate) fn operation(&self) -> Option<&H> {
        self.operation.as_ref()
    }

    /// The same, to be changed.
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "only some probes have more to keep")
    )]
    #[inline]
    pub(crate) fn operation_mut(&mut self) -> Option<&mut H> {
        self.operation.as_mut()
    }

    #[inline]
    fn close(&mut self, end: End, trace_id: Option<TraceId>, record: impl FnOnce(&Operation, u64)) {
        if let Some(operation) = self.operation.take() {
            let elapsed_ns = operation.elapsed_ns(self.started);
            let scope = operation.scope();
            match trace_id.or_else(|| scope?.trace_id()) {
                None => operation.record(end, elapsed_ns),
                Some(trace_id) => operation.record_traced(end, elapsed_ns, trace_id),
            }
            record(&operation, elapsed_ns);
            if H::IS_REQUEST {
                operation.served(end, elapsed_ns, scope);
            } else {
                Operation::ended(&operation, operation.statement(), end, elapsed_ns, scope);
            }
            operation.closed(end, elapsed_ns);
            operation.flow.add(FINISHED, 1);
        }
    }
}

impl<H: Handle> InFlight<H> {
    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        if let Some(end) = self.dropped() {
            self.end(end);
        }
    }
}

impl<H: Handle> Drop for InFlight<H> {
    #[inline]
    fn drop(&mut self) {
        if self.operation.is_some() {
            self.abandon();
        }
    }
}
