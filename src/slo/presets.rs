//! SLOs that many services promise.

use super::Slo;
use crate::budget::Select;

impl Slo {
    /// The share of time in which a device is there, each by itself: at least 99.5 % of 30 days, so 3.6 h without it.
    ///
    /// Time is counted in ticks, from the first thing that was tried on, as by
    /// [`Budget::device_availability`](crate::Budget::device_availability), which judges the latest hour.
    pub fn device_availability(name: impl Into<String>) -> Self {
        let connected = Select::device_check().label("check", "connected");
        Self::availability(name, connected)
            .objective(0.995)
            .rolling(30)
            .per("device")
    }
}
