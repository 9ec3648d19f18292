//! Cells as the buckets of Prometheus' native histograms.

use super::layout::Buckets;
use super::snapshot::Snapshot;

/// The schema that cells are counted in, and the finest that can be shown.
const FINEST: i8 = 6;
/// The coarsest schema that Prometheus knows.
const COARSEST: i8 = -4;

/// A resolution of Prometheus' native histograms: 2ˢ buckets to the octave for schema s, from −4 to 6.
///
/// Values are counted in schema 6, the default (each bucket 1.09 % wide). A lower one merges neighbours, exactly, and
/// makes pages and the server's storage smaller: 5 is 2.2 % wide, 3 is 9 %, 0 is an octave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NativeSchema(i8);

impl NativeSchema {
    /// Schema `schema`, or the nearest that there is: −4 to 6.
    pub const fn nearest(schema: i8) -> Self {
        match schema {
            ..COARSEST => Self(COARSEST),
            COARSEST..=FINEST => Self(schema),
            _ => Self(FINEST),
        }
    }

    /// Its number, from −4 to 6.
    pub const fn number(self) -> i8 {
        self.0
    }

    /// The bucket of this schema that holds bucket `index` of the finest one.
    fn merged(self, index: i32) -> i32 {
        ((index - 1) >> (FINEST - self.0)) + 1
    }
}

impl Default for NativeSchema {
    fn default() -> Self {
        Self(FINEST)
    }
}

/// Counts in the buckets of a native histogram, in the exported unit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NativeBuckets {
    /// The resolution.
    pub schema: NativeSchema,
    /// Values up to here are in the zero bucket.
    pub zero_threshold: f64,
    /// The number of values in the zero bucket.
    pub zero_count: u64,
    /// Index and number of values of each bucket that holds any, ascending.
    ///
    /// With b = 2^(2^−s) for schema s, bucket i holds the values above bⁱ⁻¹ and up to bⁱ, each count its own: not
    /// cumulative.
    pub buckets: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// None recorded into `buckets`.
    pub(crate) fn empty(buckets: &Buckets, schema: NativeSchema) -> Self {
        Self {
            schema,
            zero_threshold: buckets.zero_threshold(),
            zero_count: 0,
            buckets: Vec::new(),
        }
    }

    /// Adds the counts of `other`, which must be of the same schema and range.
    pub(crate) fn add(&mut self, other: &Self) {
        self.zero_count += other.zero_count;
        self.buckets.extend(&other.buckets);
        // Two ascending runs: the stable sort merges them in one pass.
        self.buckets.sort_by_key(|&(index, _)| index);
        self.merge_neighbours();
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.zero_count = 0;
        self.buckets.clear();
    }

    fn merge_neighbours(&mut self) {
        self.buckets.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
    }
}

impl Snapshot {
    /// The counts in the buckets of a native histogram.
    ///
    /// Exact: no cell straddles a bound of the schema, and the parts of a bucket that a configured bound splits are
    /// added up. Cost: one pass over the cells.
    pub fn native(&self, schema: NativeSchema) -> NativeBuckets {
        let buckets = self.buckets();
        let mut native = NativeBuckets::empty(buckets, schema);
        let indices = buckets.schema_indices();
        for (cell, count) in self.held() {
            match indices[cell] {
                None => native.zero_count += count,
                Some(index) => native.buckets.push((schema.merged(index), count)),
            }
        }
        native.merge_neighbours();
        native
    }
}
