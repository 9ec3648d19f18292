//! Which buckets there are, and how a value finds its cell without a logarithm.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::shard::PAGE;

/// Buckets per octave: Prometheus' native histogram schema 6.
const PER_OCTAVE: i32 = 64;
/// How far the bits of an `f64` are shifted to leave its exponent and the top 7 bits of its mantissa.
const SLOT_SHIFT: u32 = 52 - 7;
/// The slot of 1, the first of every index.
const FIRST_SLOT: usize = 1023 << 7;
/// The largest value the index can hold: an edge shares its 64 bits with a 16-bit cell number.
const LARGEST: u64 = (1 << 47) - 1;

/// What a histogram's values are, and therefore how they are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Durations: recorded in nanoseconds, exported in seconds.
    Seconds,
    /// Plain counts.
    Count,
    /// Bytes.
    Bytes,
    /// Ratios: recorded in billionths, exported as `0.0..`.
    Ratio,
    /// Durations: recorded in nanoseconds, exported in milliseconds.
    Milliseconds,
    /// Durations: recorded in nanoseconds, exported in microseconds.
    Microseconds,
    /// Durations: recorded and exported in nanoseconds.
    Nanoseconds,
    /// Bytes, exported in units of 2¹⁰.
    Kibibytes,
    /// Bytes, exported in units of 2²⁰.
    Mebibytes,
    /// Bytes, exported in units of 2³⁰.
    Gibibytes,
    /// Bytes, exported in units of 2⁴⁰.
    Tebibytes,
    /// Numbers of which nothing is known: recorded in millionths.
    Number,
}

impl Unit {
    /// Raw steps in one exported unit.
    pub(crate) fn scale(self) -> f64 {
        match self {
            Self::Seconds | Self::Ratio => 1e9,
            Self::Milliseconds | Self::Number => 1e6,
            Self::Microseconds => 1e3,
            Self::Count | Self::Bytes | Self::Nanoseconds => 1.0,
            Self::Kibibytes => 1024.0,
            Self::Mebibytes => 1_048_576.0,
            Self::Gibibytes => 1_073_741_824.0,
            Self::Tebibytes => 1_099_511_627_776.0,
        }
    }

    /// How the unit is written behind a number: `s`, `ms`, `B`, `KiB`, or nothing.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Microseconds => "µs",
            Self::Nanoseconds => "ns",
            Self::Bytes => "B",
            Self::Kibibytes => "KiB",
            Self::Mebibytes => "MiB",
            Self::Gibibytes => "GiB",
            Self::Tebibytes => "TiB",
            Self::Count | Self::Ratio | Self::Number => "",
        }
    }
}

/// A unit and the range that is told apart; everything below shares the zero bucket, everything above the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    unit: Unit,
    min: u64,
    max: u64,
}

impl Layout {
    /// The default range of a unit.
    ///
    /// | unit | raw step | from | to |
    /// |---|---|---|---|
    /// | seconds, milliseconds | 1 ns | 1 µs | 1 h |
    /// | microseconds, nanoseconds | 1 ns | 1 ns | 1 h |
    /// | count | 1 | 1 | 2³² |
    /// | bytes | 1 B | 1 B | 1 TiB |
    /// | kibibytes to tebibytes | 1 B | 1 B | 64 TiB |
    /// | ratio | 10⁻⁹ | 10⁻⁶ | 1000 |
    /// | number | 10⁻⁶ | 10⁻⁴ | 10⁸ |
    pub const fn of(unit: Unit) -> Self {
        let (min, max) = match unit {
            Unit::Seconds | Unit::Milliseconds => (1_000, 3_600_000_000_000),
            Unit::Microseconds | Unit::Nanoseconds => (1, 3_600_000_000_000),
            Unit::Count => (1, 1 << 32),
            Unit::Bytes => (1, 1 << 40),
            Unit::Kibibytes | Unit::Mebibytes | Unit::Gibibytes | Unit::Tebibytes => (1, 1 << 46),
            Unit::Ratio => (1_000, 1_000_000_000_000),
            Unit::Number => (100, 100_000_000_000_000),
        };
        Self { unit, min, max }
    }

    /// Durations from 1 µs to 1 h, recorded in nanoseconds, exported in seconds.
    pub const fn durations() -> Self {
        Self::of(Unit::Seconds)
    }

    /// Counts from 1 to 2³² (zero has a bucket of its own).
    pub const fn counts() -> Self {
        Self::of(Unit::Count)
    }

    /// Bytes from 1 to 2⁴⁰ (zero has a bucket of its own).
    pub const fn bytes() -> Self {
        Self::of(Unit::Bytes)
    }

    /// Ratios from one millionth to 1000, recorded in billionths.
    pub const fn ratios() -> Self {
        Self::of(Unit::Ratio)
    }

    /// The same unit over another range, in raw steps (nanoseconds, items, bytes, billionths, millionths).
    ///
    /// Checked by [`Buckets::new`]: `1 <= min < max < 2⁴⁷`.
    pub const fn range(self, min: u64, max: u64) -> Self {
        Self { min, max, ..self }
    }

    /// The unit of the values.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The greatest relative error of a quantile inside the range: half a bucket, 0.55 %.
    pub fn relative_error(&self) -> f64 {
        0.0055
    }

    /// The raw value of a bound given in the exported unit.
    ///
    /// A bound between two steps is refused rather than rounded: its exported `le` would not be the one that was asked
    /// for. What the arithmetic of `f64` leaves behind a whole step (`0.1 + 0.2`) is no difference.
    pub(crate) fn raw(&self, bound: f64) -> Result<u64, LayoutError> {
        let scale = self.unit.scale();
        let steps = bound * scale;
        if !(0.0..=self.max as f64).contains(&steps) {
            let max = self.max as f64 / scale;
            return Err(LayoutError::Bound { bound, max });
        }
        let whole = steps.round();
        if (steps - whole).abs() > steps * 16.0 * f64::EPSILON {
            let step = 1.0 / scale;
            return Err(LayoutError::Step { bound, step });
        }
        Ok(whole as u64)
    }
}

/// The layout of a histogram and its exact bounds, frozen; shared by every series of a family.
pub struct Buckets {
    layout: Layout,
    /// Upper edge of each cell, inclusive, in raw steps, strictly ascending. Cell 0 is the zero bucket.
    edges: Box<[u64]>,
    /// Configured bounds in raw steps, strictly ascending; each is one of `edges`.
    bounds: Box<[u64]>,
    /// For each configured bound, the cell it closes.
    closes: Box<[usize]>,
    /// One entry for each (octave, top 7 mantissa bits): an edge in the upper 48 bits, the cell it closes below.
    index: Box<[u64]>,
    /// For each cell the schema bucket it is a part of, `None` for the zero bucket; made when it is first asked for.
    schema_indices: OnceLock<Box<[Option<i32>]>>,
}

impl Buckets {
    /// Buckets over `layout` in which every one of `bounds` is exact.
    ///
    /// `bounds` are in the exported unit (seconds for durations), in any order; repeated ones count once. Each must be
    /// a whole number of the layout's steps (nanoseconds for durations): a bound of 1.5 ns is refused, not rounded.
    /// Cost: about 50 KiB, once per family.
    ///
    /// # Errors
    ///
    /// [`LayoutError`] if a bound is not a number, lies outside the layout's range or between two of its steps, or if
    /// the range is empty.
    pub fn new(layout: Layout, bounds: &[f64]) -> Result<Arc<Self>, LayoutError> {
        if layout.min == 0 || layout.min >= layout.max || layout.max > LARGEST {
            return Err(LayoutError::Range {
                min: layout.min,
                max: layout.max,
            });
        }
        let raw_bounds = bounds.iter().map(|&bound| layout.raw(bound));
        let mut raw_bounds = raw_bounds.collect::<Result<Vec<_>, _>>()?;
        raw_bounds.sort_unstable();
        raw_bounds.dedup();

        let mut edges = schema_edges(layout);
        edges.extend(&raw_bounds);
        edges.sort_unstable();
        edges.dedup();
        let closes = raw_bounds
            .iter()
            .map(|bound| edges.partition_point(|edge| edge < bound))
            .collect();
        let index = build_index(&edges, layout.max);
        Ok(Arc::new(Self {
            layout,
            edges: edges.into(),
            bounds: raw_bounds.into(),
            closes,
            index: index.into(),
            schema_indices: OnceLock::new(),
        }))
    }

    /// The layout.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The configured bounds in the exported unit, ascending, without `+Inf`.
    pub fn bounds(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.bounds.iter().map(|&raw| self.exported(raw))
    }

    /// The cells that each configured bound closes, in the order of [`bounds`](Self::bounds).
    pub(crate) fn closing_cells(&self) -> &[usize] {
        &self.closes
    }

    /// How many of the configured bounds are below `raw`.
    pub(crate) fn bound_of(&self, raw: u64) -> usize {
        self.bounds.partition_point(|&bound| bound < raw)
    }

    /// The cell that `bound` (exported unit) closes, if it is one of the configured bounds.
    pub(crate) fn closing_cell(&self, bound: f64) -> Option<usize> {
        let raw = self.layout.raw(bound).ok()?;
        let at = self.bounds.binary_search(&raw).ok()?;
        Some(self.closes[at])
    }

    pub(crate) fn cell_count(&self) -> usize {
        self.edges.len()
    }

    pub(crate) fn max(&self) -> u64 {
        self.layout.max
    }

    /// The least and the greatest raw value that cell `cell` counts.
    pub(crate) fn cell_range(&self, cell: usize) -> (u64, u64) {
        let low = if cell == 0 {
            0
        } else {
            self.edges[cell - 1] + 1
        };
        (low, self.edges[cell])
    }

    pub(crate) fn exported(&self, raw: u64) -> f64 {
        raw as f64 / self.layout.unit.scale()
    }

    /// The bucket of schema 6 that each cell is a part of; `None` for those of the zero bucket.
    pub(crate) fn schema_indices(&self) -> &[Option<i32>] {
        self.schema_indices.get_or_init(|| {
            let zero = zero_index(self.layout);
            let mut index = zero;
            // Cells ascend as the buckets do: a cell belongs to the first bucket that reaches its upper edge.
            let index_of = |&edge: &u64| {
                while schema_edge(self.layout, index) < edge {
                    index += 1;
                }
                (index > zero).then_some(index)
            };
            self.edges.iter().map(index_of).collect()
        })
    }

    /// The upper bound of the zero bucket in the exported unit: a bound of schema 6, just below the range.
    pub(crate) fn zero_threshold(&self) -> f64 {
        schema_bound(zero_index(self.layout))
    }

    /// The cell of `value`; for crowded slots one in the page after the last, and `None` for values outside the range.
    /// Always below `cell_count().next_multiple_of(PAGE) + PAGE`.
    #[inline]
    pub(super) fn quick_cell(&self, value: u64) -> Option<usize> {
        let packed = self.index.get(slot_of(value).wrapping_sub(FIRST_SLOT))?;
        Some((packed & 0xffff) as usize + usize::from(value > packed >> 16))
    }

    /// The cell of `value`, which is at most [`max`](Self::max), by a search.
    pub(super) fn cell(&self, value: u64) -> usize {
        if value <= self.edges[0] {
            return 0;
        }
        self.edges.partition_point(|&edge| edge < value)
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("layout", &self.layout)
            .field("bounds", &self.bounds().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The upper bound of bucket `index` of schema 6, in the exported unit.
fn schema_bound(index: i32) -> f64 {
    (f64::from(index) / f64::from(PER_OCTAVE)).exp2()
}

/// The greatest raw value in bucket `index` of schema 6.
fn schema_edge(layout: Layout, index: i32) -> u64 {
    (layout.unit.scale() * schema_bound(index)).floor() as u64
}

/// The last bucket below the layout's range: its upper bound is that of the zero bucket.
fn zero_index(layout: Layout) -> i32 {
    let scale = layout.unit.scale();
    let position = (layout.min as f64 / scale).log2() * f64::from(PER_OCTAVE);
    // One step of slack absorbs the rounding of the logarithm.
    let mut index = position.floor() as i32 + 1;
    while scale * schema_bound(index) >= layout.min as f64 {
        index -= 1;
    }
    index
}

/// The schema's bounds over the layout's range as the greatest integers at or below them, the first one below `min`.
fn schema_edges(layout: Layout) -> Vec<u64> {
    let mut edges = Vec::new();
    for index in zero_index(layout).. {
        let edge = schema_edge(layout, index);
        edges.push(edge);
        if edge >= layout.max {
            break;
        }
    }
    edges
}

/// The octave of a value and the top 7 bits below its highest one. Exact below 2^53; through i64 because that
/// conversion is one instruction, which sends what it misreads beyond every table.
#[inline]
fn slot_of(value: u64) -> usize {
    ((value as i64 as f64).to_bits() >> SLOT_SHIFT) as usize
}

/// One entry per slot from that of 1 to that of `max`: `edge << 16 | cell`, where `cell` takes the slot's
/// values up to `edge`, the next one the rest.
///
/// A slot that needs a search has a cell of the page after the last one, which is never there.
fn build_index(edges: &[u64], max: u64) -> Vec<u64> {
    let crowded = edges.len().next_multiple_of(PAGE) as u64;
    let mut from = usize::from(edges[0] == 0);
    let mut index = Vec::new();
    for slot in FIRST_SLOT..=slot_of(max) {
        let inside = edges[from..]
            .iter()
            .take_while(|&&edge| slot_of(edge) == slot)
            .count();
        index.push(match inside {
            // It also holds values above the range.
            _ if slot == slot_of(max) => crowded,
            0 => LARGEST << 16 | from as u64,
            1 => edges[from] << 16 | from as u64,
            _ => crowded,
        });
        from += inside;
    }
    index
}

/// Why a layout or one of its bounds is refused.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LayoutError {
    /// A bound is not a number, is negative, or lies above the range.
    Bound {
        /// The bound as given, in the exported unit.
        bound: f64,
        /// The end of the range, in the exported unit.
        max: f64,
    },
    /// A bound lies between two steps of the layout.
    Step {
        /// The bound as given, in the exported unit.
        bound: f64,
        /// The step, in the exported unit.
        step: f64,
    },
    /// The range is empty or too wide.
    Range {
        /// Its start in raw steps.
        min: u64,
        /// Its end in raw steps.
        max: u64,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { bound, max } => {
                write!(
                    f,
                    "bound {bound} is not a number between 0 and {max}, the end of the range"
                )
            }
            Self::Step { bound, step } => {
                write!(
                    f,
                    "bound {bound} is not a whole number of steps of {step}: round it"
                )
            }
            Self::Range { min, max } => {
                write!(
                    f,
                    "range {min}..={max} is not one: 1 <= min < max < 2^47 must hold"
                )
            }
        }
    }
}

impl std::error::Error for LayoutError {}

/// Nanoseconds of a duration, saturating after 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
