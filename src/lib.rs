//! plimsoll

mod clock;
#[cfg(feature = "db")]
pub mod db;
pub mod export;
mod histogram;
#[cfg(feature = "http")]
pub mod http;
mod instance;
#[cfg(feature = "modbus")]
pub mod modbus;
mod naming;
pub mod pool;
mod registry;
#[cfg(feature = "service")]
pub mod service;
mod stats;

pub use clock::{Clock, ManualClock, MonotonicClock};
pub use histogram::{Buckets, Histogram, Layout, LayoutError, Snapshot, Unit};
pub use instance::{Builder, Plimsoll};
pub use naming::Naming;
pub use registry::{InstrumentError, Outcome};
pub use stats::{OperationStats, Stats, Thresholds};
