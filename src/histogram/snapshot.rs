//! What a histogram held at one moment.

use std::sync::Arc;

use super::blocks::Block;
use super::layout::Buckets;
use super::shard::PAGE;

/// An immutable copy of a histogram, or the sum or difference of several over the same buckets.
///
/// Memory: half a KiB for each octave that holds a value, and as much beside.
#[derive(Debug, Clone)]
pub struct Snapshot {
    buckets: Arc<Buckets>,
    pages: Box<[Held]>,
    cells: Vec<[u64; PAGE]>,
    count: u64,
    sum: u64,
    saturated: u64,
}

/// What a page holds.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// How many values: what makes a quantile a matter of two short walks.
    total: u64,
    /// Where its cells stand; `NOWHERE` until something is counted there.
    place: u16,
}

/// The place of a page whose cells are all zero. There are fewer pages: a cell's number has 16 bits.
const NOWHERE: u16 = u16::MAX;
const ZEROS: [u64; PAGE] = [0; PAGE];

impl Snapshot {
    /// A snapshot that holds nothing.
    pub fn empty(buckets: Arc<Buckets>) -> Self {
        let pages = buckets.cell_count().div_ceil(PAGE);
        let nothing = Held {
            total: 0,
            place: NOWHERE,
        };
        Self {
            buckets,
            pages: vec![nothing; pages].into(),
            cells: Vec::new(),
            count: 0,
            sum: 0,
            saturated: 0,
        }
    }

    /// Adds one block. The sum is read first, so that the cells count at least what it covers.
    pub(super) fn add(&mut self, block: &Block<'_>, sum: usize, saturated: usize) {
        self.sum = self.sum.wrapping_add(block.head(sum));
        self.saturated = self.saturated.wrapping_add(block.head(saturated));
        // At once for the first block: the others have most pages in common with it.
        if self.cells.is_empty() {
            self.cells.reserve(block.pages().count());
        }
        for at in block.pages() {
            let of_page = block.add_page_to(at, self.page_mut(at));
            self.pages[at].total += of_page;
            self.count += of_page;
        }
    }

    /// The cells of a page.
    fn page(&self, at: usize) -> &[u64; PAGE] {
        let place = usize::from(self.pages[at].place);
        self.cells.get(place).unwrap_or(&ZEROS)
    }

    fn page_mut(&mut self, at: usize) -> &mut [u64; PAGE] {
        if self.pages[at].place == NOWHERE {
            self.pages[at].place = self.cells.len() as u16;
            self.cells.push(ZEROS);
        }
        &mut self.cells[usize::from(self.pages[at].place)]
    }

    /// The buckets that were counted into.
    pub fn buckets(&self) -> &Arc<Buckets> {
        &self.buckets
    }

    /// Every page that holds something: its number, its cells, how many values they hold.
    pub(super) fn held_pages(&self) -> impl Iterator<Item = (usize, &[u64; PAGE], u64)> {
        let held = self
            .pages
            .iter()
            .enumerate()
            .filter(|(_, page)| page.total > 0);
        held.map(|(at, held)| (at, self.page(at), held.total))
    }

    /// Every cell that holds something, with its count. Cost: one pass over the pages that hold something.
    pub(crate) fn held(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.held_pages().flat_map(|(page, cells, _)| {
            let held = cells.iter().enumerate().filter(|cell| *cell.1 > 0);
            held.map(move |(cell, count)| (page * PAGE + cell, *count))
        })
    }

    /// Empties it. Cost: that of the pages that held something.
    pub(crate) fn clear(&mut self) {
        for held in self.pages.iter_mut().filter(|held| held.total > 0) {
            held.total = 0;
            self.cells[usize::from(held.place)] = ZEROS;
        }
        (self.count, self.sum, self.saturated) = (0, 0, 0);
    }

    /// Adds `by` values in a cell, whose sum is added with [`grow_sum`](Self::grow_sum).
    pub(crate) fn grow(&mut self, cell: usize, by: u64) {
        self.page_mut(cell / PAGE)[cell % PAGE] += by;
        self.pages[cell / PAGE].total += by;
        self.count += by;
    }

    /// Takes away what [`grow`](Self::grow) added.
    pub(crate) fn shrink(&mut self, cell: usize, by: u64) {
        self.page_mut(cell / PAGE)[cell % PAGE] -= by;
        self.pages[cell / PAGE].total -= by;
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
        let page = self.pages.iter().rposition(|held| held.total > 0)?;
        let cells = self.page(page);
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
        for (at, more, total) in other.held_pages() {
            let pairs = self.page_mut(at).iter_mut().zip(more);
            pairs.for_each(|(total, more)| *total += more);
            self.pages[at].total += total;
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
        for (cell, count) in self.held() {
            let before = earlier.page(cell / PAGE)[cell % PAGE];
            if count > before {
                since.grow(cell, count - before);
            }
        }
        since.sum = self.sum.saturating_sub(earlier.sum);
        since.saturated = self.saturated.saturating_sub(earlier.saturated);
        Some(since)
    }

    /// How many values are at or below `bound` (exported unit), exactly; `None` if it is not a configured bound.
    pub fn at_or_below(&self, bound: f64) -> Option<u64> {
        let cell = self.buckets.closing_cell(bound)?;
        Some(self.up_to(cell))
    }

    /// How many values are above `bound` (exported unit), exactly; `None` if it is not a configured bound.
    pub fn above(&self, bound: f64) -> Option<u64> {
        let cell = self.buckets.closing_cell(bound)?;
        Some(self.count - self.up_to(cell))
    }

    /// Exact cumulative counts at the configured bounds, in their order; `+Inf` is [`count`](Self::count).
    pub fn cumulative(&self) -> Vec<u64> {
        // Pages before this one hold `below` in all.
        let (mut page, mut below) = (0, 0);
        let at_bound = |&cell: &usize| {
            below += total(&self.pages[page..cell / PAGE]);
            page = cell / PAGE;
            below + self.page(page)[..=cell % PAGE].iter().sum::<u64>()
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

    /// How many values are in this cell and those before.
    fn up_to(&self, cell: usize) -> u64 {
        let (page, last) = (cell / PAGE, cell % PAGE);
        let pages = total(&self.pages[..page]);
        pages + self.page(page)[..=last].iter().sum::<u64>()
    }

    fn quantile_cell(&self, q: f64) -> Option<(u64, u64)> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let (page, seen) = walk(self.pages.iter().map(|held| held.total), 0, rank)?;
        let (cell, _) = walk(self.page(page).iter().copied(), seen, rank)?;
        Some(self.buckets.cell_range(page * PAGE + cell))
    }
}

/// How many values the pages hold.
fn total(pages: &[Held]) -> u64 {
    pages.iter().map(|held| held.total).sum()
}

/// The first position at which the running total, begun at `seen`, reaches `rank`, and the total before it.
fn walk(counts: impl Iterator<Item = u64>, mut seen: u64, rank: u64) -> Option<(usize, u64)> {
    for (at, count) in counts.enumerate() {
        if seen + count >= rank {
            return Some((at, seen));
        }
        seen += count;
    }
    None
}

/// Prometheus' interpolation over cumulative counts at ascending upper bounds, `+Inf` apart (3.x arithmetic).
///
/// Saturates at the highest finite bound. `None` without observations or without a finite bound.
fn bucket_quantile(q: f64, bounds: &[f64], counts: &[f64], total: f64) -> Option<f64> {
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
