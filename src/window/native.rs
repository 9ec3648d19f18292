//! Prometheus' native histograms as values to calculate with: counts are numbers that may be fractions, as `rate` makes
//! them.

mod bounds;
mod growth;
mod logarithm;
mod merge;
mod quantile;
mod reset;

pub(super) use growth::growth;
pub(crate) use quantile::native_quantile;

use std::fmt;

use bounds::bound;

use crate::histogram::NativeBuckets;

/// The resolutions that Prometheus knows, custom bounds apart.
const SCHEMAS: std::ops::RangeInclusive<i8> = -4..=8;

/// A native histogram of Prometheus with exponential buckets.
///
/// With b = 2^(2^−s) for schema s, bucket i of `positive` holds the values above bⁱ⁻¹ and up to bⁱ, and bucket i of
/// `negative` their mirror image. Counts are those of each bucket alone, not cumulative. Custom bounds are not known. A bucket that is empty
/// is none; Prometheus keeps empty ones of what it stored, so that a quantile in the zero bucket of a histogram as it was
/// scraped (no `rate`, no sum) may be interpolated from its lower edge there and from 0 here.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NativeHistogram {
    /// The resolution, −4 to 8.
    pub schema: i8,
    /// Values whose magnitude is at most this are in the zero bucket.
    pub zero_threshold: f64,
    /// The number of values in the zero bucket.
    pub zero_count: f64,
    /// The number of all values.
    pub count: f64,
    /// The sum of all values.
    pub sum: f64,
    /// Index and count of the buckets above zero, ascending.
    pub positive: Vec<(i32, f64)>,
    /// Index and count of the buckets below zero, ascending by distance from it.
    pub negative: Vec<(i32, f64)>,
}

/// A native histogram that is none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NativeError {
    /// A resolution that Prometheus does not know, or that of custom bounds.
    Schema(i8),
    /// A threshold that is negative or no number.
    ZeroThreshold(f64),
    /// A negative count, or one that is no number.
    Count(f64),
    /// A bucket whose index does not ascend.
    Order(i32),
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(schema) => write!(f, "schema {schema} is not one of -4 to 8"),
            Self::ZeroThreshold(threshold) => {
                write!(f, "zero threshold {threshold} must be 0 or above")
            }
            Self::Count(count) => write!(f, "count {count} must be 0 or above"),
            Self::Order(index) => write!(
                f,
                "bucket {index} does not follow the one before: give each bucket once, by ascending index"
            ),
        }
    }
}

impl std::error::Error for NativeError {}

impl NativeHistogram {
    /// Of what a histogram of this process counted, and its sum.
    pub fn of(buckets: &NativeBuckets, sum: f64) -> Self {
        let counts = buckets.buckets.iter();
        let positive = counts
            .map(|&(index, count)| (index, count as f64))
            .collect();
        let count = buckets.buckets.iter().map(|bucket| bucket.1).sum::<u64>() + buckets.zero_count;
        Self {
            schema: buckets.schema.number(),
            zero_threshold: buckets.zero_threshold,
            zero_count: buckets.zero_count as f64,
            count: count as f64,
            sum,
            positive,
            negative: Vec::new(),
        }
    }

    /// Whether it can be calculated with; empty buckets are taken out.
    pub(crate) fn checked(mut self) -> Result<Self, NativeError> {
        if !SCHEMAS.contains(&self.schema) {
            return Err(NativeError::Schema(self.schema));
        }
        let negative = |value: &f64| value.is_nan() || *value < 0.0;
        if negative(&self.zero_threshold) {
            return Err(NativeError::ZeroThreshold(self.zero_threshold));
        }
        let buckets = || self.positive.iter().chain(&self.negative);
        let whole = [self.count, self.zero_count].into_iter();
        let mut counts = whole.chain(buckets().map(|bucket| bucket.1));
        if let Some(count) = counts.find(negative) {
            return Err(NativeError::Count(count));
        }
        for side in [&self.positive, &self.negative] {
            if let Some(pair) = side.windows(2).find(|pair| pair[1].0 <= pair[0].0) {
                return Err(NativeError::Order(pair[1].0));
            }
        }
        self.compact();
        Ok(self)
    }

    /// Multiplies all counts and the sum.
    pub(crate) fn scale(&mut self, factor: f64) {
        self.each(|count| count * factor);
    }

    /// Divides all counts and the sum; what is divided by 0 has no buckets left.
    pub(crate) fn divide(&mut self, by: f64) {
        if by == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
        self.each(|count| count / by);
    }

    fn each(&mut self, change: impl Fn(f64) -> f64) {
        let whole = [&mut self.zero_count, &mut self.count, &mut self.sum];
        whole.into_iter().for_each(|value| *value = change(*value));
        let buckets = self.positive.iter_mut().chain(&mut self.negative);
        buckets.for_each(|bucket| bucket.1 = change(bucket.1));
    }

    /// Takes empty buckets out.
    pub(crate) fn compact(&mut self) {
        self.positive.retain(|bucket| bucket.1 != 0.0);
        self.negative.retain(|bucket| bucket.1 != 0.0);
    }

    /// Whether all of it is the same, bit by bit.
    pub(crate) fn same(&self, other: &Self) -> bool {
        let whole =
            |of: &Self| [of.count, of.sum, of.zero_threshold, of.zero_count].map(f64::to_bits);
        let bits = |side: &[(i32, f64)], other: &[(i32, f64)]| {
            let mut pairs = side.iter().zip(other);
            side.len() == other.len()
                && pairs.all(|(a, b)| a.0 == b.0 && a.1.to_bits() == b.1.to_bits())
        };
        self.schema == other.schema
            && whole(self) == whole(other)
            && bits(&self.positive, &other.positive)
            && bits(&self.negative, &other.negative)
    }
}

#[cfg(test)]
mod tests;
