//! plimsoll

mod alert;
mod budget;
mod clock;
mod config;
#[cfg(feature = "db")]
pub mod db;
mod engine;
pub mod export;
mod expr;
mod histogram;
#[cfg(feature = "http")]
pub mod http;
mod instance;
mod instrument;
#[cfg(feature = "modbus")]
pub mod modbus;
mod naming;
pub mod pool;
mod registry;
#[cfg(feature = "service")]
pub mod service;
mod stats;
mod window;

pub use alert::{Event, EventKind, QUEUE_CAPACITY, STUCK_AFTER, Subscription};
pub use budget::{Budget, Level, Limit, Select};
pub use clock::{Clock, ManualClock, MonotonicClock};
pub use config::{BuildError, Problem};
pub use engine::{AlertState, BudgetReading};
pub use expr::{BucketCounts, Expr, Op, Samples, Selector};
pub use histogram::{Buckets, Histogram, Layout, LayoutError, Snapshot, Unit};
pub use instance::{Builder, Plimsoll};
pub use instrument::{
    Counter, CounterBuilder, Gauge, GaugeBuilder, HistogramBuilder, Operation, OperationGuard,
};
pub use naming::Naming;
pub use registry::{InstrumentError, Outcome};
pub use stats::{OperationStats, Stats, Thresholds};
