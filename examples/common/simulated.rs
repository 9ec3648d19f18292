//! Infrastructure that a demonstration has not: gauges that swing and counters that grow.

use metrics::{counter, gauge};

/// Moves gauges (name, middle, how far they swing to either side) and counters (name, how much is added) by a second; returns
/// where the swing is, from -1 to 1.
pub(crate) fn step(
    second: u32,
    gauges: &[(&'static str, f64, f64)],
    counters: &[(&'static str, u64)],
) -> f64 {
    let swing = (f64::from(second) / 10.0).sin();
    for (name, middle, swung) in gauges {
        gauge!(*name).set(middle + swing * swung);
    }
    for (name, more) in counters {
        counter!(*name).increment(*more);
    }
    swing
}
