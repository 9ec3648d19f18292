//! What a histogram held at one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::layout::Buckets;

/// An immutable copy of a histogram, or the sum or difference of several over the same buckets.
#[derive(Debug, Clone)]
pub struct Snapshot {
    buckets: Arc<Buckets>,
    cells: Box<[u64]>,
    sum: u64,
    saturated: u64,
}

impl Snapshot {
    /// A snapshot that holds nothing.
    pub fn empty(buckets: Arc<Buckets>) -> Self {
        let cells = vec![0; buckets.cell_count()].into();
        Self {
            buckets,
            cells,
            sum: 0,
            saturated: 0,
        }
    }

    /// Adds one shard. The bucket cells are read first, so that the sum covers at least what they count.
    pub(super) fn add_cells(
        &mut self,
        cells: &[AtomicU64],
        sum: &AtomicU64,
        saturated: &AtomicU64,
    ) {
        for (total, cell) in self.cells.iter_mut().zip(cells) {
            *total = total.wrapping_add(cell.load(Ordering::Acquire));
        }
        self.sum = self.sum.wrapping_add(sum.load(Ordering::Relaxed));
        self.saturated = self
            .saturated
            .wrapping_add(saturated.load(Ordering::Relaxed));
    }

    /// The buckets that were counted into.
    pub fn buckets(&self) -> &Arc<Buckets> {
        &self.buckets
    }

    pub(crate) fn cells(&self) -> &[u64] {
        &self.cells
    }

    pub(crate) fn cells_mut(&mut self) -> &mut [u64] {
        &mut self.cells
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.cells.iter().sum()
    }

    /// The exact sum of the values in the exported unit (seconds for durations), clamped ones as the range's end.
    pub fn sum(&self) -> f64 {
        self.buckets.exported(self.sum)
    }

    /// The exact sum in raw steps (nanoseconds for durations).
    pub fn raw_sum(&self) -> u64 {
        self.sum
    }

    /// How many values lay above the range.
    pub fn saturated(&self) -> u64 {
        self.saturated
    }

    /// The mean in the exported unit; `None` when nothing was recorded.
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum() / count as f64)
    }

    /// Adds another snapshot over the same buckets; one over others is ignored and `false` returned.
    pub fn merge(&mut self, other: &Self) -> bool {
        if !Arc::ptr_eq(&self.buckets, &other.buckets) {
            return false;
        }
        for (total, cell) in self.cells.iter_mut().zip(&other.cells) {
            *total = total.wrapping_add(*cell);
        }
        self.sum = self.sum.wrapping_add(other.sum);
        self.saturated = self.saturated.wrapping_add(other.saturated);
        true
    }

    /// What was recorded after `earlier`, a snapshot of the same histogram; `None` if it is over other buckets.
    ///
    /// Of two that are the wrong way round nothing is left. Cost: one pass over the cells.
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        if !Arc::ptr_eq(&self.buckets, &earlier.buckets) {
            return None;
        }
        let pairs = self.cells.iter().zip(&earlier.cells);
        Some(Self {
            buckets: self.buckets.clone(),
            cells: pairs.map(|(now, then)| now.saturating_sub(*then)).collect(),
            sum: self.sum.saturating_sub(earlier.sum),
            saturated: self.saturated.saturating_sub(earlier.saturated),
        })
    }

    /// How many values are at or below `bound` (exported unit), exactly; `None` if it is not a configured bound.
    pub fn at_or_below(&self, bound: f64) -> Option<u64> {
        let cell = self.buckets.closing_cell(bound)?;
        Some(self.cells[..=cell].iter().sum())
    }

    /// How many values are above `bound` (exported unit), exactly; `None` if it is not a configured bound.
    pub fn above(&self, bound: f64) -> Option<u64> {
        let cell = self.buckets.closing_cell(bound)?;
        Some(self.cells[cell + 1..].iter().sum())
    }

    /// Exact cumulative counts at the configured bounds, in their order; `+Inf` is [`count`](Self::count).
    pub fn cumulative(&self) -> Vec<u64> {
        let mut total = 0;
        let mut from = 0;
        let at_bound = |&cell: &usize| {
            total += self.cells[from..=cell].iter().sum::<u64>();
            from = cell + 1;
            total
        };
        self.buckets.closing_cells().iter().map(at_bound).collect()
    }

    /// The `q`-quantile (nearest rank) as the midpoint of its bucket, in the exported unit.
    ///
    /// `q` is dimensionless, in `0.0..=1.0` (0.99 is "p99"). `None` when nothing was recorded or `q` is outside.
    /// Inside the range it differs from the exact nearest-rank value by at most
    /// [`Layout::relative_error`](super::Layout::relative_error) (0.55 %). Cost: one pass over the cells, no allocation.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let (low, high) = self.quantile_cell(q)?;
        Some((self.buckets.exported(low) + self.buckets.exported(high)) / 2.0)
    }

    /// Both edges of the bucket that holds the `q`-quantile (nearest rank): the exact value lies between them.
    pub fn quantile_bounds(&self, q: f64) -> Option<(f64, f64)> {
        let (low, high) = self.quantile_cell(q)?;
        Some((self.buckets.exported(low), self.buckets.exported(high)))
    }

    /// The `q`-quantile as Prometheus' `histogram_quantile` computes it from the configured bounds.
    pub fn quantile_prom(&self, q: f64) -> Option<f64> {
        let counts: Vec<f64> = self
            .cumulative()
            .into_iter()
            .map(|count| count as f64)
            .collect();
        let bounds: Vec<f64> = self.buckets.bounds().collect();
        bucket_quantile(q, &bounds, &counts, self.count() as f64)
    }

    fn quantile_cell(&self, q: f64) -> Option<(u64, u64)> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let mut seen = 0;
        let cell = self.cells.iter().position(|&cell| {
            seen += cell;
            seen >= rank
        })?;
        Some(self.buckets.cell_range(cell))
    }
}

/// Prometheus' interpolation over cumulative counts at ascending upper bounds, `+Inf` apart (3.x arithmetic).
///
/// Saturates at the highest finite bound. `None` without observations or without a finite bound.
pub(crate) fn bucket_quantile(q: f64, bounds: &[f64], counts: &[f64], total: f64) -> Option<f64> {
    let highest = *bounds.last()?;
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    if q.is_nan() || q < 0.0 {
        return Some(f64::NEG_INFINITY);
    }
    if q > 1.0 {
        return Some(f64::INFINITY);
    }
    let rank = q * total;
    let bucket = counts.partition_point(|&count| count < rank);
    if bucket == bounds.len() {
        return Some(highest);
    }
    if bucket == 0 && bounds[0] <= 0.0 {
        return Some(bounds[0]);
    }
    let (start, before) = if bucket == 0 {
        (0.0, 0.0)
    } else {
        (bounds[bucket - 1], counts[bucket - 1])
    };
    Some(start + (bounds[bucket] - start) * ((rank - before) / (counts[bucket] - before)))
}
