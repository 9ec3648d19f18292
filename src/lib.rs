//! Performance budgets for services: measured, judged and announced in the process, exported to Prometheus.
//!
//! Everything hangs off one [`Plimsoll`], made by a [`Builder`]:
//!
//! | you have | you take | it measures |
//! |---|---|---|
//! | an axum router, any tower HTTP stack | `http::MeasureLayer` | requests, to the end of their bodies |
//! | any other tower service | `service::MeasureLayer` | calls |
//! | SQL queries, by any driver | `Plimsoll::db`, `Plimsoll::database` | queries, cancelled ones included |
//! | sqlx | `Plimsoll::sqlx_pool` | statements, transactions, the pool; call sites stay as they are |
//! | diesel | `Plimsoll::diesel` | statements, transactions, opened connections; call sites stay as they are |
//! | a connection pool | [`Plimsoll::pool`] | the wait for a connection |
//! | Modbus devices | `Plimsoll::modbus` | transactions, connections, values, health, polling cycles |
//! | where a request's time goes | [`stage`], [`scope`] | its queries, device calls, named stages |
//! | the process and its tokio runtime | `Plimsoll::observe_process`, `observe_runtime` | CPU, memory, files, bytes, tasks |
//! | anything else | [`Plimsoll::operation`], [`counter`](Plimsoll::counter), [`gauge`](Plimsoll::gauge), [`histogram`](Plimsoll::histogram) | what you say |
//!
//! A [`Budget`] limits an SLI over a window. The tick judges it every second; [`Builder::on_breach`],
//! [`Builder::on_recovery`] and [`Plimsoll::subscribe`] tell of its edges; [`Plimsoll::render`] shows everything as
//! Prometheus text and [`Plimsoll::stats`] as a value; the layers of `act` do something about a breach. A [`Watch`] names windows of the latest seconds to 30 days, whose
//! percentiles [`Plimsoll::window`] reads.
//!
//! ```
//! use plimsoll::{AlertState, Budget, ManualClock, Outcome, Plimsoll, Select};
//! use std::time::Duration;
//!
//! let clock = ManualClock::new();
//! let plimsoll = Plimsoll::builder()
//!     .clock(clock.clone())
//!     .manual_tick()
//!     .budget(Budget::error_ratio("publishing", Select::operation("publish")).at_most(0.01))
//!     .build()?;
//! let events = plimsoll.subscribe();
//!
//! plimsoll.operation("publish").record(Outcome::Error, Duration::from_millis(3));
//! clock.advance(Duration::from_secs(1));
//! plimsoll.tick();
//!
//! let breach = events.try_recv().expect("one error of one is more than 1 %");
//! assert_eq!((&*breach.budget, breach.value), ("publishing", Some(1.0)));
//! assert_eq!(plimsoll.budgets()[0].state, AlertState::Firing);
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! Recording never fails: it takes no lock, allocates nothing and calls no user code once a series exists and the
//! thread has recorded into it, and into that octave, before. Out of range saturates and is counted; what is dropped is counted.

#[cfg(feature = "act")]
pub mod act;
mod alert;
pub mod band;
mod budget;
mod clock;
pub mod compare;
mod config;
#[cfg(feature = "db")]
pub mod db;
mod engine;
#[cfg(feature = "generate")]
pub mod explain;
pub mod export;
pub mod expr;
mod family;
#[cfg(feature = "generate")]
pub mod generate;
#[cfg(feature = "hdr")]
pub mod hdr;
mod histogram;
#[cfg(feature = "http")]
pub mod http;
mod instance;
mod instrument;
#[cfg(feature = "modbus")]
pub mod modbus;
mod naming;
pub mod pool;
#[cfg(feature = "process")]
pub mod process;
mod registry;
pub mod rule;
pub mod scope;
#[cfg(feature = "serde")]
mod serialise;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "generate")]
pub mod simulate;
mod slo;
#[cfg(feature = "state")]
pub mod state;
mod stats;
mod window;

pub use alert::{AlertEvent, Event, EventKind, QUEUE_CAPACITY, STUCK_AFTER, Subscription, Warning};
pub use budget::{
    Budget, BudgetStage, BudgetTree, BudgetTreeError, Hours, Kpi, KpiUnit, Level, Limit, Multiple,
    Schedule, Select, Share, Times, tables,
};
#[cfg(feature = "tsc")]
pub use clock::TscClock;
pub use clock::{Clock, ManualClock, MonotonicClock};
pub use config::{BuildError, Problem, Thresholds};
pub use engine::{
    AlertState, BudgetReading, Sampling, StateCell, UNMATCHED_AFTER, Uncovered, Watch,
    WindowReading,
};
pub use expr::{Expr, Selector};
pub use histogram::{
    Buckets, Exemplar, Histogram, Layout, LayoutError, Snapshot, TraceId, TraceIdError, Unit,
};
pub use instance::{Breached, Builder, Health, HealthStatus, NotReady, Plimsoll};
pub use instrument::{
    Counter, CounterBuilder, Gauge, GaugeBuilder, HistogramBuilder, Operation, OperationGuard,
};
pub use naming::Naming;
pub use registry::{
    ByResult, Classify, InstrumentError, Outcome, QueryFinding, QueryFindingKind, RunningQuery,
    SlowOperation,
};
pub use scope::{Anatomy, Repeated, stage};
pub use slo::{
    AlertReading, Band, BurnAlert, BurnRateReading, Calendar, ErrorBudgetReading, Maintenance,
    MaintenanceReading, Period, PeriodReading, Severity, Slo, SloReading, SloState,
};
pub use stats::{OperationStats, Stats};

#[cfg(all(doctest, feature = "axum", feature = "modbus"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/budgets.md")]
struct BudgetsPage;
#[cfg(all(doctest, feature = "generate"))]
#[doc = include_str!("../docs/generate.md")]
struct GeneratePage;

#[cfg(all(doctest, feature = "generate"))]
#[doc = include_str!("../docs/dashboards.md")]
struct DashboardsPage;
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../docs/slos.md")]
struct SloPage;
