//! Where the time of an operation's requests went: histograms for each part of it.

use std::sync::Arc;
use std::time::SystemTime;

use once_cell::race::OnceBox;

use super::Recording;
use crate::histogram::{Buckets, Histogram, Layout};
use crate::scope::OTHER;

/// Parts that an operation tells apart; the rest is [`OTHER`].
const MAX_STAGES: usize = 16;

/// In billionths; of less than a thousandth nothing is told apart.
const SHARES: Layout = Layout::ratios().range(1_000_000, 1_000_000_000);
const SHARE_BOUNDS: &[f64] = &[0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0];
const QUERY_BOUNDS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
/// OpenTelemetry's advice for `db.client.response.returned_rows`, and none.
const ROW_BOUNDS: &[f64] = &[
    0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4,
];

/// What is counted beside durations and bytes, made when it is first needed: most instances keep none.
#[derive(Debug, Default)]
pub(crate) struct Rulers {
    shares: OnceBox<Arc<Buckets>>,
    queries: OnceBox<Arc<Buckets>>,
    rows: OnceBox<Arc<Buckets>>,
}

impl Rulers {
    pub(super) fn shares(&self) -> &Arc<Buckets> {
        made(&self.shares, SHARES, SHARE_BOUNDS)
    }

    pub(super) fn queries(&self) -> &Arc<Buckets> {
        made(&self.queries, Layout::counts(), QUERY_BOUNDS)
    }

    pub(super) fn rows(&self) -> &Arc<Buckets> {
        made(&self.rows, Layout::counts(), ROW_BOUNDS)
    }
}

fn made<'a>(cell: &'a OnceBox<Arc<Buckets>>, layout: Layout, bounds: &[f64]) -> &'a Arc<Buckets> {
    cell.get_or_init(|| {
        let buckets = Buckets::new(layout, bounds);
        Box::new(buckets.expect("bounds of ours lie within their layout, as a test shows"))
    })
}

/// One part: a stage, the queries, the device calls, the rest.
#[derive(Debug)]
pub(crate) struct StageSeries {
    pub(crate) name: &'static str,
    /// When it came into being: nothing was recorded before.
    pub(crate) created: SystemTime,
    pub(crate) durations: Histogram,
    pub(crate) shares: Histogram,
}

impl StageSeries {
    fn new(name: &'static str, recording: &Recording) -> Self {
        let over =
            |buckets: &Arc<Buckets>| Histogram::within(buckets.clone(), recording.memory.clone());
        Self {
            name,
            created: recording.clock.system_time(),
            durations: over(&recording.buckets),
            shares: over(recording.rulers.shares()),
        }
    }
}

/// A link of an append-only list: read without a lock, never moved.
#[derive(Debug)]
struct Link {
    series: StageSeries,
    next: OnceBox<Link>,
}

/// All parts that an operation has had.
#[derive(Debug, Default)]
pub(super) struct Stages {
    first: OnceBox<Link>,
}

impl Stages {
    /// The part of this name, made at its first use.
    pub(super) fn get(&self, name: &'static str, recording: &Recording) -> &StageSeries {
        let (mut cell, mut name, mut passed) = (&self.first, name, 0);
        loop {
            // Whoever loses the race to append finds the winner's link and looks at that one.
            let link = cell.get_or_init(|| {
                Box::new(Link {
                    series: StageSeries::new(name, recording),
                    next: OnceBox::new(),
                })
            });
            if std::ptr::eq(link.series.name, name) || link.series.name == name {
                return &link.series;
            }
            (cell, passed) = (&link.next, passed + 1);
            if passed == MAX_STAGES {
                (cell, name) = (&self.first, OTHER);
            }
        }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &StageSeries> {
        std::iter::successors(self.first.get(), |link| link.next.get()).map(|link| &link.series)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bounds_lie_within_their_layouts() {
        let rulers = Rulers::default();
        assert_eq!(rulers.shares().bounds().len(), SHARE_BOUNDS.len());
        assert_eq!(rulers.queries().bounds().len(), QUERY_BOUNDS.len());
        assert_eq!(rulers.rows().bounds().len(), ROW_BOUNDS.len());
        let none = Histogram::new(rulers.queries().clone());
        [0, 0, 1, 2, 3].iter().for_each(|&count| none.record(count));
        let at_or_below = |bound| none.snapshot().at_or_below(bound);
        assert_eq!(
            [0.0, 1.0, 2.0, 5.0].map(at_or_below),
            [Some(2), Some(3), Some(4), Some(5)]
        );
    }
}
