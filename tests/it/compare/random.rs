//! Numbers that only look like chance: the same at every run.

use std::f64::consts::TAU;
use std::time::Duration;

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// In `0.0..1.0`, never 0.
    pub(super) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// A duration whose logarithm is normal, with this median and deviation.
    pub(super) fn log_normal(&mut self, median: Duration, sigma: f64) -> Duration {
        let normal = (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos();
        median.mul_f64((sigma * normal).exp())
    }

    /// An exponential duration with this mean.
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-self.uniform().ln())
    }
}
