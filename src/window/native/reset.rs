//! Whether a histogram began anew.

use std::borrow::Cow;

use super::merge::reduced;
use super::{NativeHistogram, bound};

impl NativeHistogram {
    /// Whether something that only grows cannot have become this: a count fell, or it is told apart more finely.
    pub(super) fn is_reset_of(&self, previous: &Self) -> bool {
        if self.count < previous.count
            || self.schema > previous.schema
            || self.zero_threshold < previous.zero_threshold
        {
            return true;
        }
        let (zero_count, threshold) = previous.zero_bucket(self.zero_threshold);
        if threshold != self.zero_threshold || self.zero_count < zero_count {
            return true;
        }
        let fell = |side: &[(i32, f64)], previous_side: &[(i32, f64)]| {
            let earlier = match previous.schema == self.schema {
                true => Cow::Borrowed(previous_side),
                false => Cow::Owned(reduced(previous_side, previous.schema, self.schema)),
            };
            let mut outside = earlier
                .iter()
                .skip_while(|bucket| bound(bucket.0, self.schema) <= self.zero_threshold);
            outside.any(|&(index, count)| {
                match side.binary_search_by_key(&index, |bucket| bucket.0) {
                    Ok(at) => side[at].1 < count,
                    Err(_) => count != 0.0,
                }
            })
        };
        fell(&self.positive, &previous.positive) || fell(&self.negative, &previous.negative)
    }
}
