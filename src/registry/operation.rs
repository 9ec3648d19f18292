//! One set of label values: what is in flight, and a histogram per end.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use once_cell::race::OnceBox;

use super::{Domain, End, Extra, Outcome, Recording};
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
    domain: Domain,
    labels: Box<[Box<str>]>,
    /// When it came into being.
    pub(crate) created: SystemTime,
    recording: Recording,
    flow: Cells,
    first: OnceBox<Link>,
    extras: [OnceBox<Histogram>; Extra::ALL.len()],
}

impl Operation {
    pub(super) fn new(domain: Domain, labels: &[&str], recording: Recording) -> Self {
        Self {
            domain,
            labels: labels.iter().map(|&label| label.into()).collect(),
            created: recording.clock.system_time(),
            flow: Cells::new(0, recording.memory.clone()),
            recording,
            first: OnceBox::new(),
            extras: Extra::ALL.map(|_| OnceBox::new()),
        }
    }

    /// The label values, in the order of [`Domain::keys`].
    pub(crate) fn labels(&self) -> &[Box<str>] {
        &self.labels
    }

    /// Counts an operation as begun; the guard counts its end, however it comes about.
    pub(crate) fn start(self: &Arc<Self>) -> InFlight {
        self.flow.add(STARTED, 1);
        InFlight {
            operation: self.clone(),
            started_ns: self.recording.clock.now_ns(),
            dropped: End::dropped(self.domain),
            finished: false,
            trace_id: None,
            sent: None,
        }
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
    pub(crate) fn series(&self, end: impl Into<End>) -> &Series {
        let (mut cell, mut end, mut passed) = (&self.first, end.into(), 0);
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
    pub(crate) fn extra(&self, extra: Extra) -> &Histogram {
        let recording = &self.recording;
        self.extras[extra as usize].get_or_init(|| {
            let buckets = extra.buckets(recording).clone();
            Box::new(Histogram::within(buckets, recording.memory.clone()))
        })
    }

    /// The same, if somebody used it.
    pub(crate) fn made(&self, extra: Extra) -> Option<&Histogram> {
        self.extras[extra as usize].get()
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

/// An operation under way. Dropped without [`finish`](Self::finish), it counts as cancelled, or as an error if a
/// panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub(crate) struct InFlight {
    operation: Arc<Operation>,
    started_ns: u64,
    /// What a drop counts as, unless a panic causes it.
    dropped: End,
    finished: bool,
    trace_id: Option<TraceId>,
    /// Bytes that went out so far, once there is a response.
    sent: Option<u64>,
}

impl InFlight {
    /// Says which trace it belongs to.
    pub(crate) fn trace_id(&mut self, trace_id: TraceId) {
        self.trace_id = Some(trace_id);
    }

    /// Says what a drop shall count as from now on, if no panic causes it.
    #[cfg(feature = "http")]
    pub(crate) fn on_drop(&mut self, end: End) {
        self.dropped = end;
    }

    /// There is a response, of whose body `bytes` went out by now.
    #[cfg(feature = "http")]
    pub(crate) fn sent(&mut self, bytes: u64) {
        self.sent = Some(bytes);
    }

    /// The response begins: as long as this took by now.
    #[cfg(feature = "http")]
    pub(crate) fn first_byte(&self) {
        let elapsed_ns = self.elapsed_ns();
        self.operation.extra(Extra::FirstByte).record(elapsed_ns);
    }

    /// Counts the end.
    pub(crate) fn finish(mut self, end: impl Into<End>) {
        self.close(end.into());
    }

    fn elapsed_ns(&self) -> u64 {
        self.operation
            .recording
            .clock
            .now_ns()
            .saturating_sub(self.started_ns)
    }

    fn close(&mut self, end: End) {
        self.finished = true;
        let elapsed_ns = self.elapsed_ns();
        match self.trace_id {
            Some(trace_id) => {
                let operation = &self.operation;
                operation.record_traced(end, elapsed_ns, trace_id);
            }
            None => self.operation.record(end, elapsed_ns),
        }
        if let Some(bytes) = self.sent {
            self.operation.extra(Extra::ResponseBytes).record(bytes);
        }
        self.operation.flow.add(FINISHED, 1);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let end = if std::thread::panicking() {
            End::panicked(self.operation.domain)
        } else {
            self.dropped
        };
        self.close(end);
    }
}
