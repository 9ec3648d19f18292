//! Sums and differences of histograms of different resolutions and zero buckets.

use std::cmp::Ordering;

use super::{NativeHistogram, bound};

impl NativeHistogram {
    /// Adds another one; the coarser resolution and the wider zero bucket stand.
    pub(crate) fn add(&mut self, other: &Self) {
        self.merge(other, 1.0);
    }

    /// Subtracts another one.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.merge(other, -1.0);
    }

    fn merge(&mut self, other: &Self, sign: f64) {
        let other_zero_count = self.reconcile(other);
        self.zero_count += sign * other_zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        if other.schema < self.schema {
            self.reduce(other.schema);
        }
        let (schema, threshold) = (self.schema, self.zero_threshold);
        for (side, other_side) in [
            (&mut self.positive, &other.positive),
            (&mut self.negative, &other.negative),
        ] {
            if other.schema == schema {
                merge_side(side, other_side, sign, schema, threshold);
            } else {
                let other_side = reduced(other_side, other.schema, schema);
                merge_side(side, &other_side, sign, schema, threshold);
            }
        }
    }

    /// Lowers the resolution.
    pub(super) fn reduce(&mut self, schema: i8) {
        self.positive = reduced(&self.positive, self.schema, schema);
        self.negative = reduced(&self.negative, self.schema, schema);
        self.schema = schema;
    }

    /// Widens the zero bucket to that of the other one, and says what the other one has in a zero bucket as wide.
    fn reconcile(&mut self, other: &Self) -> f64 {
        let (mut count, mut threshold) = (other.zero_count, other.zero_threshold);
        while threshold != self.zero_threshold {
            if self.zero_threshold > threshold {
                (count, threshold) = other.zero_bucket(self.zero_threshold);
            }
            if threshold > self.zero_threshold {
                (self.zero_count, self.zero_threshold) = self.zero_bucket(threshold);
                let (schema, threshold) = (self.schema, self.zero_threshold);
                let outside = |bucket: &(i32, f64)| bound(bucket.0 - 1, schema) >= threshold;
                self.positive.retain(outside);
                self.negative.retain(outside);
                self.compact();
            }
        }
        count
    }

    /// What a zero bucket at least so wide would hold, and how wide it is: it ends where a bucket ends that has values.
    pub(super) fn zero_bucket(&self, mut threshold: f64) -> (f64, f64) {
        if threshold == self.zero_threshold {
            return (self.zero_count, threshold);
        }
        loop {
            let mut count = self.zero_count;
            let reached = |side: &[(i32, f64)], count: &mut f64, threshold: f64| {
                for &(index, held) in side {
                    if bound(index - 1, self.schema) >= threshold {
                        break;
                    }
                    *count += held;
                    let upper = bound(index, self.schema);
                    if upper > threshold {
                        return (held != 0.0).then_some(upper);
                    }
                }
                None
            };
            threshold = reached(&self.positive, &mut count, threshold).unwrap_or(threshold);
            match reached(&self.negative, &mut count, threshold) {
                // Wider again: what is above zero is to be looked at once more.
                Some(wider) => threshold = wider,
                None => return (count, threshold),
            }
        }
    }
}

/// Buckets in a coarser resolution.
pub(super) fn reduced(side: &[(i32, f64)], from: i8, to: i8) -> Vec<(i32, f64)> {
    let mut merged: Vec<(i32, f64)> = Vec::with_capacity(side.len());
    for &(index, count) in side {
        let index = ((index - 1) >> (from - to).max(0)) + 1;
        match merged.last_mut() {
            Some(last) if last.0 == index => last.1 += count,
            _ => merged.push((index, count)),
        }
    }
    merged
}

/// Adds buckets, but for those that the zero bucket holds.
fn merge_side(
    side: &mut Vec<(i32, f64)>,
    other: &[(i32, f64)],
    sign: f64,
    schema: i8,
    threshold: f64,
) {
    let inside = other.partition_point(|bucket| bound(bucket.0, schema) <= threshold);
    let mut known = std::mem::take(side).into_iter().peekable();
    for &(index, count) in &other[inside..] {
        while let Some(before) = known.next_if(|bucket| bucket.0 < index) {
            side.push(before);
        }
        let held = known.next_if(|bucket| bucket.0.cmp(&index) == Ordering::Equal);
        side.push((
            index,
            held.map_or(sign * count, |held| held.1 + sign * count),
        ));
    }
    side.extend(known);
}
