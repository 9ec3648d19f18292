//! Why it exists: "in the last five seconds" is a difference of cumulative samples, and must be the same difference
//! that Prometheus would take.
//!
//! A [`Series`] keeps timestamped samples and answers [`rate`](Series::rate) and [`increase`](Series::increase) with
//! Prometheus' arithmetic: of the samples in the range, extrapolated to its edges. A [`HistogramWindow`] keeps what a histogram
//! grew by, sample by sample, and the running sum. A missed tick widens one sample's interval and loses nothing as long as two
//! samples are in the range; what comes and goes while ticks are further apart than a range is long is in no such range, as
//! in Prometheus between two scrapes.
//!
//! This room never reads a clock: time comes with the samples.

mod dialect;
mod native;
mod series;
mod span;

pub use dialect::Dialect;
pub(crate) use native::native_quantile;
pub use native::{NativeError, NativeHistogram};
pub use series::SampleValue;
#[cfg(feature = "state")]
pub(crate) use series::SavedSeries;
pub(crate) use series::Series;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::histogram::{Buckets, Snapshot, nanos};

/// A long distribution is kept in about so many steps.
const STEPS: u64 = 64;

/// What a histogram counted between the first and the last sample of the latest stretch of time: the same samples
/// that [`Series::increase`] looks at, before it extrapolates.
///
/// A window of more than 64 ticks is kept in steps of a 64th of it: its old end is off by one step at most.
#[derive(Debug)]
pub(crate) struct HistogramWindow {
    over_ns: u64,
    /// When the latest sample was taken.
    last_ns: Option<u64>,
    /// The sum of `ring`.
    running: Snapshot,
    ring: VecDeque<Delta>,
}

#[derive(Debug)]
struct Delta {
    /// When the sample was taken that this one is compared with.
    from_ns: u64,
    /// (cell, how much it grew), only cells that grew, in their order.
    grown: Vec<(u32, u64)>,
    sum: u64,
}

impl HistogramWindow {
    pub(crate) fn new(buckets: Arc<Buckets>, over: Duration) -> Self {
        Self {
            over_ns: nanos(over),
            last_ns: None,
            running: Snapshot::empty(buckets),
            ring: VecDeque::new(),
        }
    }

    /// Takes what grew since the latest sample: it enters, and what is too old leaves.
    ///
    /// The first sample is the base line: what grew before it was counted before the window began.
    pub(crate) fn push(&mut self, at_ns: u64, grown: &Snapshot) {
        if let Some(from_ns) = self.last_ns.replace(at_ns) {
            self.running.merge(grown);
            self.enter(from_ns, at_ns, grown);
        }
        while let Some(old) = self
            .ring
            .pop_front_if(|old| old.from_ns + self.over_ns <= at_ns)
        {
            old.grown
                .iter()
                .for_each(|&(cell, by)| self.running.shrink(cell as usize, by));
            self.running.shrink_sum(old.sum);
        }
    }

    /// Adds a difference to the ring, or to its newest one while that is shorter than a step.
    fn enter(&mut self, from_ns: u64, at_ns: u64, grown: &Snapshot) {
        match self.ring.back_mut() {
            Some(newest) if (at_ns - newest.from_ns) * STEPS <= self.over_ns => newest.add(grown),
            _ => self.ring.push_back(Delta::new(from_ns, grown)),
        }
    }

    /// The window's counts.
    pub(crate) fn counts(&self) -> &Snapshot {
        &self.running
    }

    /// How long the stretch is that it holds: shorter than the window while that is still filling up.
    pub(crate) fn covered(&self) -> Duration {
        let from = self.ring.front().map(|oldest| oldest.from_ns);
        from.zip(self.last_ns)
            .map_or(Duration::ZERO, |(from, until)| {
                Duration::from_nanos(until - from)
            })
    }
}

impl Delta {
    fn new(from_ns: u64, grown: &Snapshot) -> Self {
        Self {
            from_ns,
            grown: grown.held().map(|(cell, by)| (cell as u32, by)).collect(),
            sum: grown.raw_sum(),
        }
    }

    fn add(&mut self, later: &Snapshot) {
        self.sum = self.sum.wrapping_add(later.raw_sum());
        let mut at = 0;
        for (cell, by) in later.held() {
            let cell = cell as u32;
            at += self.grown[at..].partition_point(|known| known.0 < cell);
            match self.grown.get_mut(at) {
                Some(known) if known.0 == cell => known.1 += by,
                _ => self.grown.insert(at, (cell, by)),
            }
        }
    }
}

/// Saturating, like everything that is asked for by people.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(i64::MAX / 4, |ms| ms.min(i64::MAX / 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{Follower, Histogram, Layout};

    const S: u64 = 1_000_000_000;

    /// A histogram, and what it grew by since the latest sample.
    struct Growing {
        histogram: Histogram,
        follower: Follower,
        room: Snapshot,
        grown: Snapshot,
    }

    impl Growing {
        fn new(buckets: &Arc<Buckets>) -> Self {
            Self {
                histogram: Histogram::new(buckets.clone()),
                follower: Follower::default(),
                room: Snapshot::empty(buckets.clone()),
                grown: Snapshot::empty(buckets.clone()),
            }
        }

        fn sample(&mut self, window: &mut HistogramWindow, at_ns: u64) {
            let (reading, grown) = (self.histogram.reading(), &mut self.grown);
            grown.clear();
            let (follower, room) = (&mut self.follower, &mut self.room);
            let grow = |cell, by| grown.grow(cell, by);
            let sum = self.histogram.follow(&reading, follower, room, grow);
            grown.grow_sum(sum.unwrap_or(0));
            window.push(at_ns, grown);
        }
    }

    #[test]
    fn a_histogram_window_forgets_what_is_too_old() {
        let buckets = Buckets::new(Layout::durations(), &[0.1]).expect("bounds");
        let mut growing = Growing::new(&buckets);
        let mut window = HistogramWindow::new(buckets, Duration::from_secs(5));
        for at in 0..=20 {
            growing
                .histogram
                .record(if at <= 10 { 5_000_000 } else { 500_000_000 });
            growing.sample(&mut window, at * S);
            // Five samples in (at - 5, at], so four differences.
            assert_eq!(window.counts().count(), at.min(4));
        }
        assert_eq!(window.counts().above(0.1), Some(4));
        for at in 21..30 {
            growing.sample(&mut window, at * S);
        }
        assert_eq!(window.counts().count(), 0);
        assert!(window.ring.len() <= 5);
    }

    #[test]
    fn a_long_distribution_is_kept_in_steps() {
        let buckets = Buckets::new(Layout::durations(), &[0.1]).expect("bounds");
        let mut growing = Growing::new(&buckets);
        let mut window = HistogramWindow::new(buckets, Duration::from_secs(3600));
        for at in 0..10_000 {
            growing.histogram.record(5_000_000 + at % 100 * 1_000_000);
            growing.sample(&mut window, at * S);
        }
        assert!(window.ring.len() <= 66, "{} steps", window.ring.len());
        let (count, covered) = (window.counts().count(), window.covered().as_secs());
        assert_eq!(count, covered, "one a second");
        assert!((3600 - 60..=3600).contains(&covered), "{covered} s");
        let mean = window.counts().mean().expect("values");
        assert!((mean - 0.0545).abs() < 0.001, "{mean}");
    }
}
