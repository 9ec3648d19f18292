//! Which format a page is in, and which of them a client wants.

use std::cmp::Reverse;
use std::mem::discriminant;

use super::accept::Ranges;
#[cfg(feature = "native")]
use crate::histogram::NativeSchema;

/// A format of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.0, text as well.
    ///
    /// A counter whose name does not end in `_total`, or whose name without it belongs to somebody else, is of type
    /// `unknown`: OpenMetrics has no other counters. A family whose name another one needs for its `_created` is left
    /// out.
    OpenMetrics {
        /// Whether each counter and histogram tells when it began, as a `_created` sample.
        created: bool,
    },
    /// Prometheus' protobuf format, the one with native histograms. Metrics tell when they began.
    ///
    /// Histograms in milliseconds have classic buckets only: native ones are in the base unit.
    #[cfg(feature = "native")]
    Protobuf {
        /// The resolution of the native histograms.
        schema: NativeSchema,
    },
}

impl Format {
    /// The format that a client asks for with its `Accept` header.
    ///
    /// The greatest `q` wins, then what is named most exactly, then what is named first. [`Format::Text`] where there
    /// is no header, and where it names nothing that we have. Variants are the default ones: no `_created` samples,
    /// schema 6; [`Plimsoll::negotiate`](crate::Plimsoll::negotiate) has those of an instance.
    ///
    /// ```
    /// use plimsoll::export::Format;
    ///
    /// let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    /// assert_eq!(Format::negotiate(Some(accept)), Format::OpenMetrics { created: false });
    /// assert_eq!(Format::negotiate(None), Format::Text);
    /// ```
    pub fn negotiate(accept: Option<&str>) -> Self {
        Offer::default().negotiate(accept)
    }

    /// The value of the header `Content-Type` for a page in this format.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics { .. } => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            #[cfg(feature = "native")]
            Self::Protobuf { .. } => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// The variant of each format that an instance serves.
#[derive(Debug, Clone)]
pub(crate) struct Offer(Vec<Format>);

impl Default for Offer {
    fn default() -> Self {
        Self(vec![
            Format::Text,
            Format::OpenMetrics { created: false },
            #[cfg(feature = "native")]
            Format::Protobuf {
                schema: NativeSchema::default(),
            },
        ])
    }
}

impl Offer {
    /// Serves this variant of the format from now on.
    pub(crate) fn replace(&mut self, format: Format) {
        let same = |offered: &&mut Format| discriminant(*offered) == discriminant(&format);
        if let Some(offered) = self.0.iter_mut().find(same) {
            *offered = format;
        }
    }

    /// See [`Format::negotiate`].
    pub(crate) fn negotiate(&self, accept: Option<&str>) -> Format {
        let ranges = Ranges::parse(accept.unwrap_or("*/*"));
        let wanted = self.0.iter().filter_map(|&format| {
            let (permille, exactness, place) = ranges.quality(format.content_type())?;
            Some(((permille, exactness, Reverse(place)), format))
        });
        // The first of equals: `max_by` would take the last.
        let best = wanted.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map_or(Format::Text, |(_, format)| format)
    }
}
