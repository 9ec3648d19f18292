//! What a histogram held at one moment.

use std::sync::Arc;

use super::blocks::Block;
use super::layout::Buckets;
use super::shard::PAGE;

/// An immutable copy of a histogram, or the sum or difference of several over the same buckets.
#[derive(Debug, Clone)]
pub struct Snapshot {
    buckets: Arc<Buckets>,
    cells: Box<[u64]>,
    /// How many values the cells of each page hold: what makes a quantile a matter of two short walks.
    pages: Box<[u64]>,
    count: u64,
    sum: u64,
    saturated: u64,
}

impl Snapshot {
    /// A snapshot that holds nothing.
    pub fn empty(buckets: Arc<Buckets>) -> Self {
        let cells: Box<[u64]> = vec![0; buckets.cell_count()].into();
        let pages = vec![0; cells.len().div_ceil(PAGE)].into();
        Self {
            buckets,
            cells,
            pages,
            count: 0,
            sum: 0,
            saturated: 0,
        }
    }

    /// Adds one block. The sum is read first, so that the cells count at least what it covers.
    pub(super) fn add(&mut self, block: &Block<'_>, sum: usize, saturated: usize) {
        self.sum = self.sum.wrapping_add(block.head(sum));
        self.saturated = self.saturated.wrapping_add(block.head(saturated));
        for at in block.pages() {
            let end = self.cells.len().min((at + 1) * PAGE);
            let of_page = block.add_page_to(at, &mut self.cells[at * PAGE..end]);
            self.pages[at] += of_page;
            self.count += of_page;
        }
    }

    /// The buckets that were counted into.
    pub fn buckets(&self) -> &Arc<Buckets> {
        &self.buckets
    }

    /// Every page that holds something: its number, its cells, how many values they hold.
    pub(super) fn held_pages(&self) -> impl Iterator<Item = (usize, &[u64], u64)> {
        let pages = self.cells.chunks(PAGE).zip(&self.pages).enumerate();
        pages
            .filter(|(_, (_, held))| **held > 0)
            .map(|(at, (cells, held))| (at, cells, *held))
    }

    /// Every cell that holds something, with its count. Cost: one pass over the pages that hold something.
    pub(crate) fn held(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.held_pages().flat_map(|(page, cells, _)| {
            let held = cells.iter().enumerate().filter(|cell| *cell.1 > 0);
            held.map(move |(cell, count)| (page * PAGE + cell, *count))
        })
    }

    /// Every cell that holds more than in `older`, a snapshot over the same buckets, and by how much.
    pub(crate) fn growth_since<'a>(
        &'a self,
        older: &'a Self,
    ) -> impl Iterator<Item = (u32, u64)> + 'a {
        let changed = |page: &usize| self.pages[*page] != older.pages[*page];
        let cells = |page: usize| page * PAGE..self.cells.len().min((page + 1) * PAGE);
        let grown = |cell: usize| {
            (
                cell as u32,
                self.cells[cell].saturating_sub(older.cells[cell]),
            )
        };
        (0..self.pages.len())
            .filter(changed)
            .flat_map(cells)
            .map(grown)
            .filter(|(_, by)| *by > 0)
    }

    /// Empties it. Cost: that of the pages that held something.
    pub(crate) fn clear(&mut self) {
        for (page, total) in self.pages.iter_mut().enumerate().filter(|page| *page.1 > 0) {
            *total = 0;
            let end = self.cells.len().min((page + 1) * PAGE);
            self.cells[page * PAGE..end].fill(0);
        }
        (self.count, self.sum, self.saturated) = (0, 0, 0);
    }

    /// Adds `by` values in a cell, whose sum is added with [`grow_sum`](Self::grow_sum).
    pub(crate) fn grow(&mut self, cell: usize, by: u64) {
        self.cells[cell] += by;
        self.pages[cell / PAGE] += by;
        self.count += by;
    }

    /// Takes away what [`grow`](Self::grow) added.
    pub(crate) fn shrink(&mut self, cell: usize, by: u64) {
        self.cells[cell] -= by;
        self.pages[cell / PAGE] -= by;
        self.count -= by;
    }

    pub(crate) fn grow_sum(&mut self, by: u64) {
        self.sum = self.sum.wrapping_add(by);
    }

    pub(crate) fn shrink_sum(&mut self, by: u64) {
        self.sum = self.sum.wrapping_sub(by);
    }

    /// The number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The upper edge of the highest bucket that holds a value, in the exported unit: at most 1.1 % above the greatest
    /// value inside the range. `None` when nothing was recorded.
    pub fn max(&self) -> Option<f64> {
        let page = self.pages.iter().rposition(|&count| count > 0)?;
        let cells = &self.cells[page * PAGE..self.cells.len().min((page + 1) * PAGE)];
        let cell = page * PAGE + cells.iter().rposition(|&count| count > 0)?;
        Some(self.buckets.exported(self.buckets.cell_range(cell).1))
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
        for (page, total) in self.pages.iter_mut().enumerate() {
            let more = other.pages[page];
            if more > 0 {
                *total += more;
                let cells = page * PAGE..self.cells.len().min((page + 1) * PAGE);
                let pairs = self.cells[cells.clone()]
                    .iter_mut()
                    .zip(&other.cells[cells]);
                pairs.for_each(|(total, more)| *total += more);
            }
        }
        self.count += other.count;
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
        let mut since = Self::empty(self.buckets.clone());
        for (cell, by) in self.growth_since(earlier) {
            since.grow(cell as usize, by);
        }
        since.sum = self.sum.saturating_sub(earlier.sum);
        since.saturated = self.saturated.saturating_sub(earlier.saturated);
        Some(since)
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
    /// [`Layout::relative_error`](super::Layout::relative_error) (0.55 %). Cost: under 100 ns, no allocation.
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
        let (page, seen) = walk(&self.pages, 0, rank)?;
        let (cell, _) = walk(&self.cells[page * PAGE..], seen, rank)?;
        Some(self.buckets.cell_range(page * PAGE + cell))
    }
}

/// The first position at which the running total, begun at `seen`, reaches `rank`, and the total before it.
fn walk(counts: &[u64], mut seen: u64, rank: u64) -> Option<(usize, u64)> {
    let at = counts.iter().position(|&count| {
        seen += count;
        seen >= rank
    })?;
    Some((at, seen - counts[at]))
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
