//! Why it exists: what was counted must be readable from outside, in one shape, whatever the format.
//!
//! ```
//! use plimsoll::Plimsoll;
//!
//! let plimsoll = Plimsoll::builder().build()?;
//! let page = plimsoll.render(); // Prometheus text format 0.0.4
//! assert!(page.contains("# TYPE plimsoll_uptime_seconds gauge"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Plimsoll::families`] gathers everything into [`Family`] values; a format only prints them. All families that
//! come from counted operations are sums of the same cells, so `requests_total`, `errors_total` and the duration's
//! `_count` of one page never contradict each other. With the feature `axum`, `handler` puts the page on a router and
//! `listen` on a port of its own. With the feature `metrics`, a `Recorder` puts the counters, gauges and histograms
//! of the `metrics` facade on the same page, and a `Publisher` puts our numbers into another recorder of the facade.
//!
//! This room reads only: a scrape takes no lock that a recording thread waits for.

#[cfg(feature = "metrics")]
mod bridge;
mod collect;
#[cfg(feature = "axum")]
mod handler;
#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "metrics")]
mod parse;
mod picture;
mod project;
mod promises;
#[cfg(feature = "metrics")]
mod publisher;
#[cfg(feature = "metrics")]
mod shape;
mod text;

pub use crate::family::{Distribution, Family, Kind, Sample, Value};
#[cfg(feature = "metrics")]
pub use bridge::Recorder;
#[cfg(feature = "axum")]
pub use handler::handler;
#[cfg(feature = "axum")]
pub use listener::{ListenError, Listener, listen};
#[cfg(feature = "metrics")]
pub use publisher::Publisher;

use crate::instance::Plimsoll;

/// The content type of [`Plimsoll::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Plimsoll {
    /// Everything that is exported, as values: families ordered by name, samples by labels.
    ///
    /// Cost: one pass over all cells, about 2 µs for each label set and status and thread that recorded it, and some
    /// allocations for each sample; recording threads are not held up. Observed gauges are asked on the calling thread.
    pub fn families(&self) -> Vec<Family> {
        collect::families(self.inner())
    }

    /// Everything that is exported, in Prometheus' text format 0.0.4; see [`CONTENT_TYPE`].
    ///
    /// The same state gives the same text. Cost: that of [`families`](Self::families), and about 0.1 µs for each line.
    pub fn render(&self) -> String {
        text::render(&self.families())
    }
}

#[cfg(test)]
mod tests;
