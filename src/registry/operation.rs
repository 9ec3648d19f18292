//! One set of label values: what is in flight, and a histogram per outcome and detail.

use std::sync::Arc;
use std::time::Duration;

use once_cell::race::OnceBox;

use super::{Domain, Outcome};
use crate::clock::SharedClock;
use crate::histogram::{Buckets, Cells, Histogram};

const STARTED: usize = 0;
const FINISHED: usize = 1;

/// The durations of the operations that ended in one way.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) outcome: Outcome,
    /// The HTTP status; 0 elsewhere, and where there was no response.
    pub(crate) detail: u16,
    pub(crate) histogram: Histogram,
}

/// A link of an append-only list: read without a lock, never moved.
#[derive(Debug)]
struct Link {
    series: Series,
    next: OnceBox<Link>,
}

/// Everything counted under one set of label values.
#[derive(Debug)]
pub(crate) struct Operation {
    domain: Domain,
    labels: Box<[Box<str>]>,
    buckets: Arc<Buckets>,
    clock: SharedClock,
    flow: Cells,
    first: OnceBox<Link>,
}

impl Operation {
    pub(super) fn new(
        domain: Domain,
        labels: &[&str],
        buckets: Arc<Buckets>,
        clock: SharedClock,
    ) -> Self {
        Self {
            domain,
            labels: labels.iter().map(|&label| label.into()).collect(),
            buckets,
            clock,
            flow: Cells::new(2),
            first: OnceBox::new(),
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
            started_ns: self.clock.now_ns(),
            finished: false,
        }
    }

    /// Records an operation that somebody else timed.
    pub(crate) fn record(&self, outcome: Outcome, detail: u16, duration_ns: u64) {
        self.series(outcome, detail).histogram.record(duration_ns);
    }

    /// How many have begun under a guard.
    pub(crate) fn started(&self) -> u64 {
        self.flow.total(STARTED)
    }

    /// How many have begun and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        // Ends first: an operation that begins and ends in between is then never counted as minus one.
        let finished = self.flow.total(FINISHED);
        self.flow.total(STARTED).saturating_sub(finished)
    }

    /// The series of an outcome; made at its first use.
    pub(crate) fn series(&self, outcome: Outcome, detail: u16) -> &Series {
        let mut cell = &self.first;
        loop {
            let link = match cell.get() {
                Some(link) => link,
                None => {
                    let histogram = Histogram::new(self.buckets.clone());
                    let series = Series {
                        outcome,
                        detail,
                        histogram,
                    };
                    // Whoever loses the race finds the winner's link and looks at that one.
                    cell.get_or_init(|| {
                        Box::new(Link {
                            series,
                            next: OnceBox::new(),
                        })
                    })
                }
            };
            if link.series.outcome == outcome && link.series.detail == detail {
                return &link.series;
            }
            cell = &link.next;
        }
    }

    /// Every series made so far.
    pub(crate) fn each_series(&self) -> impl Iterator<Item = &Series> {
        std::iter::successors(self.first.get(), |link| link.next.get()).map(|link| &link.series)
    }
}

/// An operation under way. Dropped without [`finish`](Self::finish), it counts as cancelled, or as an error if a
/// panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub(crate) struct InFlight {
    operation: Arc<Operation>,
    started_ns: u64,
    finished: bool,
}

impl InFlight {
    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns())
    }

    /// Counts the end.
    pub(crate) fn finish(mut self, outcome: Outcome, detail: u16) {
        self.close(outcome, detail);
    }

    fn elapsed_ns(&self) -> u64 {
        self.operation
            .clock
            .now_ns()
            .saturating_sub(self.started_ns)
    }

    fn close(&mut self, outcome: Outcome, detail: u16) {
        self.finished = true;
        self.operation.record(outcome, detail, self.elapsed_ns());
        self.operation.flow.add(FINISHED, 1);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if !self.finished {
            let outcome = if std::thread::panicking() {
                Outcome::Error
            } else {
                Outcome::Cancelled
            };
            self.close(outcome, self.operation.domain.dropped_detail(outcome));
        }
    }
}
