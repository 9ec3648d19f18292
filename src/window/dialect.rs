//! Whose arithmetic it is.

use std::time::Duration;

/// The version of Prometheus whose arithmetic is followed.
///
/// They differ in whether the old edge of a range belongs to it, and in how far an increase is extrapolated backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// 2.42: `[t − range, t]`, and the limit at a counter's zero is applied before the one at the average gap.
    V2_42,
    /// 2.53: `[t − range, t]`.
    V2_53,
    /// 3.x: `(t − range, t]`.
    #[default]
    V3,
}

impl Dialect {
    /// An instant vector looks back so far for the newest sample.
    pub const LOOKBACK: Duration = Duration::from_secs(300);

    /// Whether a sample that lies exactly on the old edge of a range belongs to it.
    pub fn is_closed(self) -> bool {
        self != Self::V3
    }

    /// Whether the distance to the old edge is limited at the counter's zero before it is compared with the average gap.
    pub fn clamps_first(self) -> bool {
        self == Self::V2_42
    }
}
