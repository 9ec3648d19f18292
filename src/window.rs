//! Why it exists: "in the last five seconds" is a difference of cumulative samples, and must be the same difference
//! that Prometheus would take.
//!
//! A [`Series`] keeps timestamped samples and answers [`rate`](Series::rate) and [`increase`](Series::increase) with
//! Prometheus' arithmetic: of the samples in the range, extrapolated to its edges. A [`HistogramWindow`] keeps what a histogram grew by, sample by sample, and the running sum.
//! A missed tick widens one sample's interval and loses nothing.
//!
//! This room never reads a clock: time comes with the samples.

mod dialect;

pub use dialect::Dialect;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::histogram::{Buckets, Snapshot, nanos};

/// How many of the newest samples are never thinned.
const RECENT: usize = 600;
/// A sample may go when its neighbours are less than this part of their age apart.
const FINENESS: i64 = 256;
/// A long distribution is kept in about so many steps.
const STEPS: u64 = 64;

/// Timestamped samples of one series, kept for as long as the longest range asked of them.
///
/// The newest 600 are kept as they are; older ones are thinned with age, so that 30 days at one sample a second need
/// some 60 KiB. A range that reaches further back than those has an edge that is off by 0.4 % of it at most.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    keep_ms: i64,
    samples: VecDeque<Sample>,
    /// When it ended, each time that it did.
    ends_ms: VecDeque<i64>,
    /// The number of samples at which they are thinned next.
    crowded: usize,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at_ms: i64,
    value: f64,
    /// What was lost in resets before it.
    lost: f64,
}

impl Series {
    /// Keeps samples for at least so long.
    pub(crate) fn new(keep: Duration) -> Self {
        Self {
            keep_ms: millis(keep),
            crowded: 2 * RECENT,
            ..Self::whole()
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
            samples: VecDeque::new(),
            ends_ms: VecDeque::new(),
            crowded: usize::MAX,
        }
    }

    /// Keeps samples for at least so long.
    pub(crate) fn keep(&mut self, range: Duration) {
        self.keep_ms = self.keep_ms.max(millis(range));
    }

    /// Appends a sample; time must not run backwards, and a second sample of the same moment replaces the first.
    pub(crate) fn push(&mut self, at_ms: i64, value: f64) {
        if self.samples.back().is_some_and(|last| last.at_ms >= at_ms) {
            self.samples.pop_back();
        }
        let reset = |last: &Sample| last.lost + if value < last.value { last.value } else { 0.0 };
        let lost = self.samples.back().map_or(0.0, reset);
        self.samples.push_back(Sample { at_ms, value, lost });
        let oldest = at_ms - self.keep_ms;
        while self
            .samples
            .pop_front_if(|first| first.at_ms < oldest)
            .is_some()
        {}
        while self.ends_ms.pop_front_if(|end| *end < oldest).is_some() {}
        if self.samples.len() >= self.crowded {
            self.thin(at_ms);
        }
    }

    /// Says that the series ended: from this moment on it has no newest value.
    pub(crate) fn push_stale(&mut self, at_ms: i64) {
        self.ends_ms.push_back(at_ms);
    }

    /// Lets samples go whose neighbours are close together for their age.
    fn thin(&mut self, now_ms: i64) {
        let recent = self.samples.split_off(self.samples.len() - RECENT);
        let old = std::mem::take(&mut self.samples);
        for (at, sample) in old.iter().enumerate() {
            let next = old.get(at + 1).unwrap_or(&recent[0]).at_ms;
            let close = |kept: &Sample| (next - kept.at_ms) * FINENESS <= now_ms - next;
            if !self.samples.back().is_some_and(close) {
                self.samples.push_back(*sample);
            }
        }
        self.samples.extend(recent);
        self.crowded = 2 * self.samples.len();
    }

    /// The newest value at a moment, unless it is older than `lookback` or the series ended after it.
    pub(crate) fn latest(&self, at_ms: i64, lookback: Duration, dialect: Dialect) -> Option<f64> {
        let (from, to) = self.range(at_ms, lookback, dialect);
        let newest = self.samples.range(from..to).next_back()?;
        let mut ends = self.ends_ms.iter();
        let ended = ends.any(|end| (newest.at_ms..=at_ms).contains(end));
        (!ended).then_some(newest.value)
    }

    /// The values of the range that ends at a moment.
    pub(crate) fn values(
        &self,
        at_ms: i64,
        over: Duration,
        dialect: Dialect,
    ) -> impl Iterator<Item = f64> + '_ {
        let (from, to) = self.range(at_ms, over, dialect);
        self.samples.range(from..to).map(|sample| sample.value)
    }

    /// How much the counter grew over the range that ends at a moment; `None` with fewer than two samples in it.
    pub(crate) fn increase(&self, at_ms: i64, over: Duration, dialect: Dialect) -> Option<f64> {
        let (raw, factor) = self.extrapolate(at_ms, over, dialect)?;
        Some(raw * factor)
    }

    /// [`increase`](Self::increase) per second, in Prometheus' order of operations.
    pub(crate) fn rate(&self, at_ms: i64, over: Duration, dialect: Dialect) -> Option<f64> {
        let (raw, factor) = self.extrapolate(at_ms, over, dialect)?;
        Some(raw * (factor / over.as_secs_f64()))
    }

    /// Which of the samples are in the range that ends at a moment.
    fn range(&self, at_ms: i64, over: Duration, dialect: Dialect) -> (usize, usize) {
        let start_ms = at_ms - millis(over);
        let before = |sample: &Sample| {
            sample.at_ms < start_ms || (sample.at_ms == start_ms && !dialect.is_closed())
        };
        let from = self.samples.partition_point(before);
        let to = self.samples.partition_point(|sample| sample.at_ms <= at_ms);
        (from, to.max(from))
    }

    /// The growth between the first and the last sample of the range, and what it is multiplied with.
    fn extrapolate(&self, at_ms: i64, over: Duration, dialect: Dialect) -> Option<(f64, f64)> {
        let (from, to) = self.range(at_ms, over, dialect);
        if to < from + 2 {
            return None;
        }
        let (first, last) = (self.samples[from], self.samples[to - 1]);
        let raw = last.value - first.value + (last.lost - first.lost);

        let seconds = |ms: i64| ms as f64 / 1e3;
        let sampled = seconds(last.at_ms - first.at_ms);
        let gap = sampled / (to - from - 1) as f64;
        let near = |edge: f64| if edge >= gap * 1.1 { gap / 2.0 } else { edge };
        // A counter was zero once: do not extrapolate beyond that moment.
        let grown = |edge: f64| match raw > 0.0 && first.value >= 0.0 {
            true => edge.min(sampled * (first.value / raw)),
            false => edge,
        };
        let lead = seconds(first.at_ms - (at_ms - millis(over)));
        let lead = match dialect.clamps_first() {
            true => near(grown(lead)),
            false => grown(near(lead)),
        };
        let tail = near(seconds(at_ms - last.at_ms));
        Some((raw, (sampled + lead + tail) / sampled))
    }
}

/// Saturating, like everything that is asked for by people.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).map_or(i64::MAX / 4, |ms| ms.min(i64::MAX / 4))
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::{Follower, Histogram, Layout};

    const S: u64 = 1_000_000_000;
    const MINUTE: Duration = Duration::from_secs(60);

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

    fn window(samples: &[(i64, f64)]) -> Series {
        let mut window = Series::new(Duration::from_secs(60));
        samples
            .iter()
            .for_each(|&(at, value)| window.push(at * 1000, value));
        window
    }

    #[test]
    fn steady_growth_is_extrapolated_to_the_whole_range() {
        let window = window(&[
            (100, 50.0),
            (101, 60.0),
            (102, 70.0),
            (103, 80.0),
            (104, 90.0),
            (105, 100.0),
        ]);
        // (100, 105] holds five samples over 4 s: 40 grown, one second of lead.
        assert_eq!(
            window.increase(105_000, Duration::from_secs(5), Dialect::V3),
            Some(50.0)
        );
        assert_eq!(
            window.rate(105_000, Duration::from_secs(5), Dialect::V3),
            Some(10.0)
        );
    }

    #[test]
    fn the_left_edge_is_open() {
        let window = window(&[(100, 0.0), (105, 7.0)]);
        assert_eq!(
            window.increase(105_000, Duration::from_secs(5), Dialect::V3),
            None,
            "one sample in (100, 105]"
        );
        assert!(
            window
                .increase(105_000, Duration::from_secs(6), Dialect::V3)
                .is_some()
        );
    }

    #[test]
    fn a_counter_born_at_zero_is_not_extrapolated_before_its_birth() {
        let window = window(&[(101, 0.0), (102, 0.0), (103, 0.0), (104, 0.0), (105, 1.0)]);
        assert_eq!(
            window.increase(105_000, Duration::from_secs(5), Dialect::V3),
            Some(1.0)
        );
    }

    #[test]
    fn a_reset_adds_what_was_counted_before() {
        let window = window(&[
            (101, 90.0),
            (102, 100.0),
            (103, 10.0),
            (104, 20.0),
            (105, 30.0),
        ]);
        // 10 + 10 + 10 + 10 over 4 s, with one second of lead.
        assert_eq!(
            window.increase(105_000, Duration::from_secs(5), Dialect::V3),
            Some(50.0)
        );
    }

    #[test]
    fn far_edges_count_as_half_a_gap() {
        let window = window(&[(103, 10.0), (104, 20.0)]);
        // Lead of 3 s and tail of 2 s are both beyond 1.1 gaps of 1 s, so half a gap each.
        assert_eq!(
            window.increase(106_000, Duration::from_secs(6), Dialect::V3),
            Some(20.0)
        );
    }

    #[test]
    fn samples_older_than_the_longest_range_go() {
        let mut window = Series::new(Duration::from_secs(5));
        (0..1000).for_each(|at| window.push(at * 1000, at as f64));
        assert!(window.samples.len() <= 6);
        assert_eq!(window.latest(999_000, MINUTE, Dialect::V3), Some(999.0));
        window.push(999_000, 1000.0);
        assert_eq!(
            window.latest(999_000, MINUTE, Dialect::V3),
            Some(1000.0),
            "a second sample of a moment replaces the first"
        );
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
    fn thirty_days_are_thinned_and_stay_accurate() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let mut window = Series::new(days(30));
        // Ten a second, with a restart on the twentieth day.
        let reset = 20 * 86_400;
        let last = 31 * 86_400;
        for at in (0..=last).step_by(5) {
            let since = if at < reset { at } else { at - reset };
            window.push(at as i64 * 1000, 10.0 * since as f64);
        }
        assert!(
            window.samples.len() < 10_000,
            "{} samples",
            window.samples.len()
        );
        for range in [days(30), days(7), days(1), Duration::from_secs(3600)] {
            let exact = 10.0 * range.as_secs_f64();
            let increase = window
                .increase(last as i64 * 1000, range, Dialect::V3)
                .expect("samples");
            assert!(
                (increase - exact).abs() <= exact * 0.004 + 100.0,
                "{range:?}: {increase} for {exact}"
            );
        }
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
