//! When something was sampled.

/// The moment of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Of the instance's clock.
    pub(super) at_ns: u64,
    /// Since 1970, by the same clock.
    pub(super) at_ms: i64,
    /// In seconds, since the engine was made.
    pub(super) uptime: f64,
}

impl Moment {
    /// Seconds since 1970.
    pub(super) fn seconds(self) -> f64 {
        self.at_ms as f64 / 1e3
    }

    /// The later of the two.
    pub(super) fn max(self, other: Self) -> Self {
        if self.at_ns < other.at_ns {
            other
        } else {
            self
        }
    }
}
