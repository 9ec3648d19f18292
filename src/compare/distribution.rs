//! A distribution that stands by itself: it outlives its histogram, and goes into a file and back.

use std::collections::BTreeMap;

use super::intervals;
use crate::histogram::Snapshot;

/// Fewer values say nothing about how far off their mean may be.
const MIN_FOR_MEAN: u64 = 30;

/// How many durations there were in each bucket, and their sum, in nanoseconds.
///
/// Buckets are those of the histogram: 64 to the octave (Prometheus' schema 6), split at every exact bound. Two
/// distributions may be split at different bounds and are compared all the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(deny_unknown_fields))]
pub struct Distribution {
    /// The sum of all durations.
    pub(super) sum_ns: u64,
    /// Ascending; none is empty.
    #[cfg_attr(feature = "baseline", serde(rename = "cells_ns"))]
    pub(super) cells: Vec<Cell>,
}

/// A bucket that holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "baseline", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "baseline", serde(from = "[u64; 3]", into = "[u64; 3]"))]
#[non_exhaustive]
pub struct Cell {
    /// The least duration that it counts, in nanoseconds.
    pub least_ns: u64,
    /// The greatest one.
    pub greatest_ns: u64,
    /// How many there were.
    pub count: u64,
}

impl From<[u64; 3]> for Cell {
    fn from([least_ns, greatest_ns, count]: [u64; 3]) -> Self {
        Self {
            least_ns,
            greatest_ns,
            count,
        }
    }
}

impl From<Cell> for [u64; 3] {
    fn from(cell: Cell) -> Self {
        [cell.least_ns, cell.greatest_ns, cell.count]
    }
}

impl Distribution {
    /// Of the snapshots of one operation. While somebody records, sum and cells are not of the same moment: the sum is
    /// moved to the nearest one that the cells allow.
    pub(super) fn of(snapshots: &[Snapshot]) -> Self {
        let mut counts = BTreeMap::new();
        for snapshot in snapshots {
            for (cell, count) in snapshot.held() {
                *counts
                    .entry(snapshot.buckets().cell_range(cell))
                    .or_default() += count;
            }
        }
        let sum_ns = snapshots
            .iter()
            .map(Snapshot::raw_sum)
            .fold(0, u64::wrapping_add);
        let cell = |((least, greatest), count)| Cell::from([least, greatest, count]);
        Self::new(counts.into_iter().map(cell).collect(), sum_ns)
    }

    fn new(cells: Vec<Cell>, sum_ns: u64) -> Self {
        let mut distribution = Self { sum_ns, cells };
        let (least, greatest) = distribution.sum_bounds();
        let nearest = u128::from(sum_ns).clamp(least, greatest);
        distribution.sum_ns = u64::try_from(nearest).unwrap_or(u64::MAX);
        distribution
    }

    /// Between which sums that of its values must lie.
    pub(super) fn sum_bounds(&self) -> (u128, u128) {
        let sum = |edge: fn(&Cell) -> u64| {
            let of_cell = |cell: &Cell| u128::from(edge(cell)) * u128::from(cell.count);
            self.cells.iter().map(of_cell).sum()
        };
        (sum(|cell| cell.least_ns), sum(|cell| cell.greatest_ns))
    }

    /// What was added since `earlier`; `None` if that holds something that this does not.
    pub(super) fn since(&self, earlier: &Self) -> Option<Self> {
        let range = |cell: &Cell| (cell.least_ns, cell.greatest_ns);
        let mut before = earlier.cells.iter().peekable();
        let mut cells = Vec::new();
        for &cell in &self.cells {
            let same = before.next_if(|old| range(old) == range(&cell));
            let count = cell.count.checked_sub(same.map_or(0, |old| old.count))?;
            if count > 0 {
                cells.push(Cell { count, ..cell });
            }
        }
        // One that is left over is nowhere in this one.
        let all_found = before.next().is_none();
        all_found.then(|| Self::new(cells, self.sum_ns.saturating_sub(earlier.sum_ns)))
    }

    /// The buckets that hold something, ascending.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The sum of all durations in nanoseconds, exact if nobody recorded while it was taken.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns
    }

    /// The number of durations.
    pub fn count(&self) -> u64 {
        self.cells.iter().map(|cell| cell.count).sum()
    }

    /// The mean in seconds; `None` if there were none.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum_ns as f64 / 1e9 / count as f64)
    }

    /// The `q`-quantile (`0.0..=1.0`, nearest rank) in seconds, as the middle of its bucket: within 0.55 %. `None` if
    /// there were none or `q` is outside.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let cell = self.at_rank(rank)?;
        Some((cell.least_ns as f64 + cell.greatest_ns as f64) / 2e9)
    }

    /// Between which durations in seconds the `q`-quantile of the service lies with a confidence of `1 − alpha`, by order
    /// statistics, to the outer edges of their buckets. `None` if there are too few.
    pub(super) fn quantile_interval(&self, q: f64, alpha: f64) -> Option<(f64, f64)> {
        let (low, high) = intervals::quantile_ranks(self.count(), q, alpha)?;
        let (low, high) = (self.at_rank(low)?, self.at_rank(high)?);
        Some((low.least_ns as f64 / 1e9, high.greatest_ns as f64 / 1e9))
    }

    /// The same for the mean, by Student's t, with a variance that is as great as the buckets allow. `None` below 30.
    pub(super) fn mean_interval(&self, alpha: f64) -> Option<(f64, f64)> {
        let (count, mean) = (self.count(), self.mean()?);
        if count < MIN_FOR_MEAN {
            return None;
        }
        let off = |cell: &Cell| {
            let edges = [cell.least_ns, cell.greatest_ns];
            let off = edges.map(|edge| (edge as f64 / 1e9 - mean).abs());
            cell.count as f64 * off[0].max(off[1]).powi(2)
        };
        let squares: f64 = self.cells.iter().map(off).sum();
        let error = (squares / (count - 1) as f64 / count as f64).sqrt();
        let reach = intervals::student(count, alpha) * error;
        Some(((mean - reach).max(0.0), mean + reach))
    }

    /// How many durations are certainly, and how many may be, above `limit_ns`: the same number where that is the edge of
    /// a bucket, as every exact bound is.
    pub(super) fn above(&self, limit_ns: u64) -> (u64, u64) {
        let count = |above: &dyn Fn(&Cell) -> bool| {
            let cells = self.cells.iter().filter(|cell| above(cell));
            cells.map(|cell| cell.count).sum()
        };
        let certainly = count(&|cell| cell.least_ns > limit_ns);
        (certainly, count(&|cell| cell.greatest_ns > limit_ns))
    }

    fn at_rank(&self, rank: u64) -> Option<&Cell> {
        let mut seen = 0;
        self.cells.iter().find(|cell| {
            seen += cell.count;
            seen >= rank
        })
    }
}
