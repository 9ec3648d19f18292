//! Ranges of time, and which samples are in them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{Dialect, millis};

/// Lengths are told apart by their remainder: of this one the usual windows, from five minutes to three days, have different ones.
const KNOWN: usize = 19;
/// So far a range moves between two looks: it is looked for anew beyond that.
const NEAR: usize = 4;

/// A range of time, with Prometheus' edges.
pub(super) struct Span {
    over_ms: i64,
    start_ms: i64,
    end_ms: i64,
    closed: bool,
}

impl Span {
    pub(super) fn new(end_ms: i64, over: Duration, dialect: Dialect) -> Self {
        let over_ms = millis(over);
        Self {
            over_ms,
            start_ms: end_ms.saturating_sub(over_ms),
            end_ms,
            closed: dialect.is_closed(),
        }
    }

    /// Which entries are in it: the first one, and the one behind the last.
    pub(super) fn of<T>(&self, entries: &VecDeque<T>, at_ms: impl Fn(&T) -> i64) -> (usize, usize) {
        let Some(to) = self.end(entries, &at_ms) else {
            return (0, 0);
        };
        let from = entries.partition_point(|entry| self.is_after(at_ms(entry)));
        (from.min(to), to)
    }

    /// Behind the last entry that is not too new; `None` if there are no entries.
    fn end<T>(&self, entries: &VecDeque<T>, at_ms: impl Fn(&T) -> i64) -> Option<usize> {
        let newest = at_ms(entries.back()?);
        Some(match newest <= self.end_ms {
            true => entries.len(),
            false => entries.partition_point(|entry| at_ms(entry) <= self.end_ms),
        })
    }

    /// Whether it begins after a moment.
    fn is_after(&self, at_ms: i64) -> bool {
        match self.closed {
            true => at_ms < self.start_ms,
            false => at_ms <= self.start_ms,
        }
    }

    pub(super) fn gaps(&self, first_ms: i64, last_ms: i64, samples: usize) -> Gaps {
        let seconds = |ms: i64| ms as f64 / 1e3;
        let sampled = seconds(last_ms - first_ms);
        Gaps {
            lead: seconds(first_ms - self.start_ms),
            sampled,
            average: sampled / (samples - 1) as f64,
            tail: seconds(self.end_ms - last_ms),
        }
    }
}

/// How samples lie in a range, in seconds.
pub(super) struct Gaps {
    /// From the range's start to the first sample.
    pub(super) lead: f64,
    /// From the first sample to the last.
    pub(super) sampled: f64,
    /// Between two samples, on average.
    average: f64,
    /// From the last sample to the range's end.
    tail: f64,
}

impl Gaps {
    /// A distance to an edge, or half a gap where a sample would have come before the edge.
    pub(super) fn near(&self, edge: f64) -> f64 {
        if edge >= self.average * 1.1 {
            self.average / 2.0
        } else {
            edge
        }
    }

    pub(super) fn factor(&self, lead: f64) -> f64 {
        (self.sampled + lead + self.near(self.tail)) / self.sampled
    }
}

/// Where ranges of some lengths began when somebody last looked: they begin there still, or close by.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// By the length's remainder. Any value will do, so nobody waits for anybody (`Relaxed`): it is verified by the samples.
    known: [AtomicU32; KNOWN],
}

impl Starts {
    /// Which samples are in a range: the first one, and the one behind the last.
    pub(super) fn of(&self, span: &Span, samples: &VecDeque<(i64, f64)>) -> (usize, usize) {
        let Some(to) = span.end(samples, |sample| sample.0) else {
            return (0, 0);
        };
        let known = &self.known[span.over_ms.unsigned_abs() as usize % KNOWN];
        let from = near(span, samples, known.load(Ordering::Relaxed) as usize);
        let from =
            from.unwrap_or_else(|| samples.partition_point(|sample| span.is_after(sample.0)));
        known.store(from as u32, Ordering::Relaxed);
        (from.min(to), to)
    }
}

impl Clone for Starts {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The first sample of a range, if it is close to a guess.
fn near(span: &Span, samples: &VecDeque<(i64, f64)>, guess: usize) -> Option<usize> {
    let mut from = guess.min(samples.len());
    for _ in 0..NEAR {
        if samples
            .get(from)
            .is_some_and(|sample| span.is_after(sample.0))
        {
            from += 1;
        } else if from > 0 && !span.is_after(samples[from - 1].0) {
            from -= 1;
        } else {
            return Some(from);
        }
    }
    None
}
