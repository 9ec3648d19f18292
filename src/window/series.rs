//! The samples of one series, and Prometheus' arithmetic over them.

#[cfg(feature = "state")]
mod saved;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::native::{self, NativeHistogram};
use super::span::{Span, Starts};
use super::{Dialect, millis};
#[cfg(feature = "state")]
pub(crate) use saved::SavedSeries;

/// How many of the newest samples are never thinned.
const RECENT: usize = 600;
/// Samples that come between two times of thinning.
const SPARE: usize = 600;
/// A sample may go when its neighbours are less than this part of their age apart.
const FINENESS: i64 = 256;

/// The value of one sample.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SampleValue {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<NativeHistogram>),
}

impl SampleValue {
    /// The number, if it is one.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Histogram(_) => None,
        }
    }

    /// The native histogram, if it is one.
    pub fn as_histogram(&self) -> Option<&NativeHistogram> {
        match self {
            Self::Float(_) => None,
            Self::Histogram(histogram) => Some(histogram),
        }
    }
}

/// Timestamped samples of one series, kept for as long as the longest range asked of them.
///
/// The newest 600 are kept as they are; older ones are thinned with age, so that 30 days at one sample a second need
/// some 40 KiB. A range that reaches further back than those has an edge that is off by 0.4 % of it at most.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    keep_ms: i64,
    floats: VecDeque<(i64, f64)>,
    /// Each sample that was lower than the one before: its moment, and what the counter had reached before.
    drops: VecDeque<(i64, f64)>,
    histograms: VecDeque<(i64, Arc<NativeHistogram>)>,
    /// When it ended, each time that it did.
    ends_ms: VecDeque<i64>,
    /// The number of samples at which they are thinned next.
    crowded: usize,
    starts: Starts,
}

impl Series {
    /// Keeps samples for at least so long.
    pub(crate) fn new(keep: Duration) -> Self {
        Self {
            crowded: RECENT + SPARE,
            ..Self::exact(keep)
        }
    }

    /// Keeps every sample for at least so long.
    pub(crate) fn exact(keep: Duration) -> Self {
        Self {
            keep_ms: millis(keep),
            ..Self::whole()
        }
    }

    /// Keeps every sample.
    pub(crate) fn whole() -> Self {
        Self {
            keep_ms: i64::MAX / 2,
            floats: VecDeque::new(),
            drops: VecDeque::new(),
            histograms: VecDeque::new(),
            ends_ms: VecDeque::new(),
            crowded: usize::MAX,
            starts: Starts::default(),
        }
    }

    /// Keeps samples for at least so long.
    pub(crate) fn keep(&mut self, range: Duration) {
        self.keep_ms = self.keep_ms.max(millis(range));
    }

    /// Appends a sample; time must not run backwards: one that is not newer than the latest replaces it.
    pub(crate) fn push(&mut self, at_ms: i64, value: f64) {
        self.replace(at_ms);
        if let Some(&(_, before)) = self.floats.back()
            && value < before
        {
            self.drops.push_back((at_ms, before));
        }
        self.floats.push_back((at_ms, value));
        self.forget(at_ms);
        if self.floats.len() >= self.crowded {
            self.thin(at_ms);
        }
    }

    /// Appends a native histogram, as [`push`](Self::push) does a number.
    pub(crate) fn push_histogram(&mut self, at_ms: i64, value: Arc<NativeHistogram>) {
        self.replace(at_ms);
        self.histograms.push_back((at_ms, value));
        self.forget(at_ms);
    }

    /// Says that the series ended: from this moment on it has no newest value.
    pub(crate) fn push_stale(&mut self, at_ms: i64) {
        self.replace(at_ms);
        let newest = self.floats.back().map(|sample| sample.0);
        let newest = newest.max(self.histograms.back().map(|sample| sample.0));
        // What ended already does not end again.
        if self.ends_ms.back().copied() <= newest {
            self.ends_ms.push_back(at_ms);
        }
        self.forget(at_ms);
    }

    /// Takes out what is not older than a moment: the latest sample, if the next one replaces it.
    fn replace(&mut self, at_ms: i64) {
        while self.floats.pop_back_if(|last| last.0 >= at_ms).is_some() {}
        while self.drops.pop_back_if(|last| last.0 >= at_ms).is_some() {}
        while self
            .histograms
            .pop_back_if(|last| last.0 >= at_ms)
            .is_some()
        {}
        while self.ends_ms.pop_back_if(|last| *last >= at_ms).is_some() {}
    }

    fn forget(&mut self, now_ms: i64) {
        let oldest = now_ms.saturating_sub(self.keep_ms);
        while self.floats.pop_front_if(|first| first.0 < oldest).is_some() {}
        while self.drops.pop_front_if(|first| first.0 < oldest).is_some() {}
        while self
            .histograms
            .pop_front_if(|first| first.0 < oldest)
            .is_some()
        {}
        while self.ends_ms.pop_front_if(|end| *end < oldest).is_some() {}
    }

    /// Lets samples go whose neighbours are close together for their age.
    fn thin(&mut self, now_ms: i64) {
        let recent = self.floats.len() - RECENT;
        let mut kept = 0;
        for at in 0..recent {
            let (sample, next) = (self.floats[at], self.floats[at + 1].0);
            let close = |before: i64| (next - before) * FINENESS <= now_ms - next;
            if kept == 0 || !close(self.floats[kept - 1].0) {
                self.floats[kept] = sample;
                kept += 1;
            }
        }
        self.floats.drain(kept..recent);
        self.crowded = self.floats.len() + SPARE;
        // All that comes until then, and no more: growing by itself it would double.
        self.floats.reserve_exact(SPARE);
        self.floats.shrink_to(self.crowded);
    }

    /// Bytes that it holds.
    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        let pairs = self.floats.capacity() + self.drops.capacity();
        pairs * size_of::<(i64, f64)>() + size_of::<Self>()
    }

    /// The newest value at a moment, unless it is older than `lookback` or the series ended after it.
    pub(crate) fn latest(
        &self,
        at_ms: i64,
        lookback: Duration,
        dialect: Dialect,
    ) -> Option<SampleValue> {
        let span = Span::new(at_ms, lookback, dialect);
        let (_, to) = span.of(&self.ends_ms, |end| *end);
        let ended_ms = to
            .checked_sub(1)
            .map_or(i64::MIN, |last| self.ends_ms[last]);
        let (from, to) = span.of(&self.floats, |sample| sample.0);
        let float = self.floats.range(from..to).next_back();
        let (from, to) = span.of(&self.histograms, |sample| sample.0);
        let histogram = self.histograms.range(from..to).next_back();
        let newest_ms = float.map(|sample| sample.0);
        match histogram {
            Some((at_ms, value)) if newest_ms.is_none_or(|newest| newest < *at_ms) => {
                (*at_ms > ended_ms).then(|| SampleValue::Histogram(value.clone()))
            }
            _ => float
                .filter(|sample| sample.0 > ended_ms)
                .map(|sample| SampleValue::Float(sample.1)),
        }
    }

    /// The numbers of the range that ends at a moment.
    pub(crate) fn floats(
        &self,
        at_ms: i64,
        over: Duration,
        dialect: Dialect,
    ) -> impl ExactSizeIterator<Item = (i64, f64)> + DoubleEndedIterator + '_ {
        let span = Span::new(at_ms, over, dialect);
        let (from, to) = self.starts.of(&span, &self.floats);
        self.floats.range(from..to).copied()
    }

    /// The native histograms of the range that ends at a moment.
    pub(crate) fn histograms(
        &self,
        at_ms: i64,
        over: Duration,
        dialect: Dialect,
    ) -> impl ExactSizeIterator<Item = &(i64, Arc<NativeHistogram>)> + DoubleEndedIterator + '_
    {
        let (from, to) = Span::new(at_ms, over, dialect).of(&self.histograms, |sample| sample.0);
        self.histograms.range(from..to)
    }

    /// How much the counter grew over the range that ends at a moment; `None` with fewer than two samples in it, or with
    /// numbers and histograms in it.
    pub(crate) fn increase(
        &self,
        at_ms: i64,
        over: Duration,
        dialect: Dialect,
    ) -> Option<SampleValue> {
        self.grown(&Span::new(at_ms, over, dialect), dialect, |factor| factor)
    }

    /// [`increase`](Self::increase) per second, in Prometheus' order of operations.
    pub(crate) fn rate(&self, at_ms: i64, over: Duration, dialect: Dialect) -> Option<SampleValue> {
        let per_second = |factor| factor / over.as_secs_f64();
        self.grown(&Span::new(at_ms, over, dialect), dialect, per_second)
    }

    fn grown(
        &self,
        span: &Span,
        dialect: Dialect,
        scale: impl Fn(f64) -> f64,
    ) -> Option<SampleValue> {
        let (from, to) = self.starts.of(span, &self.floats);
        let (first_of, end_of) = span.of(&self.histograms, |sample| sample.0);
        if first_of == end_of {
            let (raw, factor) = self.extrapolated(span, from, to, dialect)?;
            return Some(SampleValue::Float(raw * scale(factor)));
        }
        if from != to || end_of < first_of + 2 {
            return None;
        }
        let points: Vec<_> = self.histograms.range(first_of..end_of).collect();
        let values: Vec<&NativeHistogram> = points.iter().map(|point| &*point.1).collect();
        let mut grown = native::growth(&values);
        let (first_ms, last_ms) = (points[0].0, points[points.len() - 1].0);
        let gaps = span.gaps(first_ms, last_ms, points.len());
        grown.scale(scale(gaps.factor(gaps.near(gaps.lead))));
        Some(SampleValue::Histogram(Arc::new(grown)))
    }

    /// The growth between two samples, and what it is multiplied with to speak of the whole span.
    fn extrapolated(
        &self,
        span: &Span,
        from: usize,
        to: usize,
        dialect: Dialect,
    ) -> Option<(f64, f64)> {
        if to < from + 2 {
            return None;
        }
        let ((first_ms, first), (last_ms, last)) = (self.floats[from], self.floats[to - 1]);
        let mut raw = last - first;
        // In Prometheus' order: what was lost is added drop by drop.
        let since = self.drops.partition_point(|drop| drop.0 <= first_ms);
        let lost = self.drops.range(since..);
        lost.take_while(|drop| drop.0 <= last_ms)
            .for_each(|drop| raw += drop.1);

        let gaps = span.gaps(first_ms, last_ms, to - from);
        // A counter was zero once: do not extrapolate beyond that moment.
        let born = |lead: f64| match raw > 0.0 && first >= 0.0 {
            true => lead.min(gaps.sampled * (first / raw)),
            false => lead,
        };
        let lead = match dialect.clamps_first() {
            true => gaps.near(born(gaps.lead)),
            false => born(gaps.near(gaps.lead)),
        };
        Some((raw, gaps.factor(lead)))
    }
}

#[cfg(test)]
mod tests;
