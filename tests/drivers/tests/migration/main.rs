//! Who comes to plimsoll from elsewhere keeps the PromQL of their dashboards: the same requests to two routers, both
//! scraped by one Prometheus, and the same questions about either.
//!
//! Values are compared where they are counts, or ratios of counts. How long a request took differs from router to
//! router: there, and of rates, the label sets are compared.

#[path = "../../../it/live/process.rs"]
mod process;
#[path = "../../../it/live/prometheus.rs"]
#[allow(
    dead_code,
    reason = "shared with the crate's own tests, which ask for more"
)]
mod prometheus;

mod axum_prometheus;
mod compared;
mod opentelemetry;
mod site;

use process::{Running, get};
