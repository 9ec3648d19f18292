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
//! [`Plimsoll::families`] gathers everything into [`Family`] values; a [`Format`] only prints them. All families that
//! come from counted operations are sums of the same cells, so `requests_total`, `errors_total` and the duration's
//! `_count` of one page never contradict each other. With the feature `axum`, `handler` puts the page on a router and
//! `listen` on a port of its own. With the feature `metrics`, a `Recorder` puts the counters, gauges and histograms
//! of the `metrics` facade on the same page, and a `Publisher` puts our numbers into another recorder of the facade.
//!
//! This room reads only: a scrape takes no lock that a recording thread waits for.

mod acts;
#[cfg(feature = "axum")]
mod body;
#[cfg(feature = "metrics")]
mod bridge;
#[cfg(feature = "axum")]
mod handler;
#[cfg(feature = "metrics")]
mod handles;
mod health;
mod lines;
#[cfg(feature = "axum")]
mod listener;
#[cfg(feature = "native")]
mod messages;
mod openmetrics;
mod own;
mod page;
#[cfg(feature = "metrics")]
mod parse;
mod picture;
mod present;
mod print;
mod project;
mod promises;
#[cfg(feature = "native")]
mod protobuf;
#[cfg(feature = "metrics")]
mod publisher;
mod sampler;
mod scope;
mod series;
#[cfg(feature = "metrics")]
mod shape;
mod sheet;
mod shown;
mod slos;
mod text;
mod write;

pub use crate::family::Format;
pub use crate::family::{Distribution, Family, Kind, Sample, Value};
pub use crate::histogram::{NativeBuckets, NativeSchema};
#[cfg(feature = "metrics")]
pub use bridge::Recorder;
#[cfg(feature = "axum")]
pub use handler::handler;
#[cfg(feature = "axum")]
pub use listener::{ListenError, Listener, listen};
#[cfg(feature = "metrics")]
pub use publisher::Publisher;

use std::io;

use crate::instance::Plimsoll;
pub(crate) use present::{Present, present};
pub(crate) use sampler::Sampler;

use page::{CHUNK, Page};
use picture::Picture;

/// The content type of [`Plimsoll::render`]: that of [`Format::Text`].
pub const CONTENT_TYPE: &str = Format::Text.content_type();

impl Plimsoll {
    /// Everything that is exported, as values: families ordered by name, samples by labels.
    ///
    /// Cost: a look at each series, about 1 µs for each one and thread that recorded since the last page, and a copy of
    /// all samples; recording threads are not held up. Observed gauges are asked on the calling thread. What a page is
    /// made of is kept for the next one: 1 to 1.5 KiB for each sample of a histogram with a dozen bounds.
    pub fn families(&self) -> Vec<Family> {
        let picture = Picture::take(self.inner());
        let families = picture.families.iter();
        let families = families.map(|shown| shown.family.clone()).collect();
        picture.put_back(self.inner());
        families
    }

    /// The same, with a native histogram's buckets beside the configured bounds: what an exporter of your own needs.
    ///
    /// Cost: one pass over all cells, and 16 bytes for each bucket of each series that holds a value; nothing is kept.
    pub fn native_families(&self, schema: NativeSchema) -> Vec<Family> {
        let picture = Picture::with_native(self.inner(), schema);
        let families = picture.families.into_iter();
        families.map(|shown| shown.family).collect()
    }

    /// Everything that is exported, in Prometheus' text format 0.0.4; see [`CONTENT_TYPE`].
    ///
    /// The same state gives the same text. Cost: that of [`families`](Self::families) without the copy, and about 40 ns for
    /// each line.
    pub fn render(&self) -> String {
        match String::from_utf8(self.render_as(Format::Text)) {
            Ok(page) => page,
            // It is made of nothing but strings.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// Everything that is exported, in any format.
    ///
    /// ```
    /// use plimsoll::{Plimsoll, export::Format};
    ///
    /// let plimsoll = Plimsoll::builder().build()?;
    /// let page = plimsoll.render_as(Format::OpenMetrics { created: false });
    /// assert!(page.ends_with(b"# EOF\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn render_as(&self, format: Format) -> Vec<u8> {
        let mut out = Vec::new();
        self.render_into(format, &mut out);
        out
    }

    /// Appends everything that is exported to `out`, in any format.
    ///
    /// From the second page on text formats allocate nothing, as long as there are no new label sets, `out` has room,
    /// no recorder of the `metrics` facade is attached, and nothing of the process is observed.
    pub fn render_into(&self, format: Format, out: &mut Vec<u8>) {
        Page::new(self.inner(), format).finish(out);
    }

    /// Writes everything that is exported, in pieces of about 64 KiB, from one buffer of that size.
    ///
    /// Text is cut between samples; protobuf between families, so that a piece is as large as its family. Cost: that
    /// of [`render`](Self::render); text allocates the buffer and, from the second page on, nothing else.
    ///
    /// # Errors
    ///
    /// The first one of `out`.
    pub fn render_to(&self, format: Format, out: &mut impl io::Write) -> io::Result<()> {
        let mut page = Page::new(self.inner(), format);
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 8);
        while page.fill(&mut chunk) {
            out.write_all(&chunk)?;
            chunk.clear();
        }
        out.write_all(&chunk)
    }

    /// [`Format::negotiate`] with the variants that were set by [`Builder::format`](crate::Builder::format).
    pub fn negotiate(&self, accept: Option<&str>) -> Format {
        self.inner().offer.negotiate(accept)
    }
}

#[cfg(test)]
mod tests;
