//! `histogram_quantile` of a native histogram, as Prometheus 3.x interpolates.

use super::logarithm::{exp2, log2};
use super::{NativeHistogram, bound};

#[derive(Clone, Copy)]
struct Bucket {
    lower: f64,
    upper: f64,
    count: f64,
}

/// Prometheus' `q`-quantile: exponential within a bucket, linear within the zero bucket.
///
/// −∞ below 0, +∞ above 1, NaN without values.
pub(crate) fn native_quantile(q: f64, of: &NativeHistogram) -> f64 {
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    if of.count == 0.0 || q.is_nan() {
        return f64::NAN;
    }
    // Values that are no numbers are counted but in no bucket: then only the way up finds the rank.
    let ascending = of.sum.is_nan() || q < 0.5;
    let mut buckets = of.ascending();
    let rank = match ascending {
        true => q * of.count,
        false => {
            buckets.reverse();
            (1.0 - q) * of.count
        }
    };
    let mut bucket = Bucket {
        lower: 0.0,
        upper: 0.0,
        count: 0.0,
    };
    let mut count = 0.0;
    for held in buckets.into_iter().filter(|bucket| bucket.count != 0.0) {
        bucket = held;
        count += held.count;
        if count >= rank {
            break;
        }
    }
    if bucket.lower < 0.0 && bucket.upper > 0.0 {
        match (of.negative.is_empty(), of.positive.is_empty()) {
            (true, false) => bucket.lower = 0.0,
            (false, true) => bucket.upper = 0.0,
            _ => {}
        }
    }
    let count = count.min(of.count);
    if count < rank {
        return if of.sum.is_nan() {
            f64::NAN
        } else {
            bucket.upper
        };
    }
    let within = match ascending {
        true => rank - (count - bucket.count),
        false => count - rank,
    };
    bucket.at(within / bucket.count)
}

impl NativeHistogram {
    /// All buckets, from the lowest values to the highest; none reaches into the zero bucket.
    fn ascending(&self) -> Vec<Bucket> {
        let zero = self.zero_threshold;
        let above = |&(index, count): &(i32, f64)| {
            let lower = bound(index - 1, self.schema);
            Bucket {
                lower: if lower < zero { zero } else { lower },
                upper: bound(index, self.schema),
                count,
            }
        };
        let below = |bucket: &(i32, f64)| {
            let mirrored = above(bucket);
            Bucket {
                lower: -mirrored.upper,
                upper: -mirrored.lower,
                ..mirrored
            }
        };
        let middle = Bucket {
            lower: -zero,
            upper: zero,
            count: self.zero_count,
        };
        let middle = (self.zero_count > 0.0).then_some(middle);
        let negative = self.negative.iter().rev().map(below);
        negative
            .chain(middle)
            .chain(self.positive.iter().map(above))
            .collect()
    }
}

impl Bucket {
    /// The value so far into it.
    fn at(self, fraction: f64) -> f64 {
        let Self { lower, upper, .. } = self;
        if lower <= 0.0 && upper >= 0.0 {
            return lower + (upper - lower) * fraction;
        }
        let (log_lower, log_upper) = (log2(lower.abs()), log2(upper.abs()));
        if lower > 0.0 {
            exp2(log_lower + (log_upper - log_lower) * fraction)
        } else {
            -exp2(log_upper + (log_lower - log_upper) * (1.0 - fraction))
        }
    }
}
