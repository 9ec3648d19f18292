//! Why it exists: many tools already read HdrHistogram's formats, and a distribution should not be locked in here.
//!
//! [`Snapshot::to_hdr`] turns a snapshot into a `hdrhistogram::Histogram`, with its iterators and payloads;
//! [`IntervalLog`] writes what each interval added as a `.hlog` file, which HdrHistogram's own plotters read.
//!
//! ```
//! use plimsoll::hdr::IntervalLog;
//! use plimsoll::{Buckets, Histogram, Layout};
//! use std::time::{Duration, SystemTime};
//!
//! let histogram = Histogram::new(Buckets::new(Layout::durations(), &[])?);
//! let start = SystemTime::now();
//! let mut log = IntervalLog::new(Vec::new(), histogram.snapshot(), start)?.tag("import")?;
//! for ms in 1..=100 {
//!     histogram.record(ms * 1_000_000);
//! }
//! log.append(histogram.snapshot(), start + Duration::from_secs(1))?; // once a second, say
//!
//! let hdr = histogram.snapshot().to_hdr(3)?;
//! assert_eq!(hdr.len(), 100);
//! assert!(hdr.value_at_quantile(0.5).abs_diff(50_000_000) < 350_000); // nanoseconds
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Values are in the layout's raw steps: nanoseconds for durations.

use std::fmt;
use std::io::{self, Write};
use std::time::SystemTime;

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};

use crate::histogram::Snapshot;

/// The line above the columns, by which spreadsheets know them.
const LEGEND: &str =
    r#""StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram""#;

impl Snapshot {
    /// The same distribution as an HdrHistogram with so many significant decimal digits, 0 to 5.
    ///
    /// Values are raw steps (nanoseconds for durations); each is the midpoint of its bucket, which differs from what
    /// was recorded by at most [`Layout::relative_error`](crate::Layout::relative_error) (0.55 %) inside the range; the
    /// digits add an error of their own (2 digits 1 %, 3 digits 0.1 %). The number of values is exact.
    ///
    /// Cost: one pass over the cells; memory of the result for durations: about 36 KiB with 2 digits, 264 KiB with
    /// 3, 26 MiB with 5.
    ///
    /// # Errors
    ///
    /// [`HdrError::Digits`] if there are more than 5.
    pub fn to_hdr(&self, significant_digits: u8) -> Result<hdrhistogram::Histogram<u64>, HdrError> {
        let refused = |_| HdrError::Digits(significant_digits);
        let buckets = self.buckets();
        let (_, highest) = buckets.cell_range(buckets.cell_count() - 1);
        let mut hdr = hdrhistogram::Histogram::new_with_bounds(1, highest, significant_digits)
            .map_err(refused)?;
        for (cell, count) in self.held() {
            let (low, high) = buckets.cell_range(cell);
            hdr.saturating_record_n(low + (high - low) / 2, count);
        }
        Ok(hdr)
    }
}

/// A `.hlog` file in the making: a line for each interval, with the distribution of what was recorded in it.
///
/// The format is HdrHistogram's log version 1.3, its payloads are V2 with deflate. The column `Interval_Max` is in
/// raw steps (nanoseconds for durations). Nothing is buffered here: give it an [`io::BufWriter`] if lines are frequent.
pub struct IntervalLog<W> {
    writer: W,
    serializer: V2DeflateSerializer,
    digits: u8,
    tag: Option<String>,
    started: SystemTime,
    latest: Snapshot,
    latest_at: SystemTime,
}

impl<W: Write> IntervalLog<W> {
    /// Starts a log at the moment `at`, when the histogram held `snapshot`: the first line tells what came after.
    ///
    /// Three significant digits and no tag, unless set otherwise.
    ///
    /// # Errors
    ///
    /// [`HdrError::Io`] if the header cannot be written.
    pub fn new(mut writer: W, snapshot: Snapshot, at: SystemTime) -> Result<Self, HdrError> {
        let mut serializer = V2DeflateSerializer::new();
        IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .with_start_time(at)
            .begin_log_with(&mut writer, &mut serializer)?;
        writeln!(writer, "{LEGEND}")?;
        Ok(Self {
            writer,
            serializer,
            digits: 3,
            tag: None,
            started: at,
            latest: snapshot,
            latest_at: at,
        })
    }

    /// Tells the lines of this log apart from those of others in one file.
    ///
    /// # Errors
    ///
    /// [`HdrError::Tag`] if it holds a comma, a space or a line break.
    pub fn tag(mut self, tag: impl Into<String>) -> Result<Self, HdrError> {
        let tag = tag.into();
        if Tag::new(&tag).is_none() {
            return Err(HdrError::Tag(tag));
        }
        self.tag = Some(tag);
        Ok(self)
    }

    /// Significant decimal digits of the values, 0 to 5; see [`Snapshot::to_hdr`].
    ///
    /// # Errors
    ///
    /// [`HdrError::Digits`] if there are more than 5.
    pub fn significant_digits(mut self, digits: u8) -> Result<Self, HdrError> {
        if digits > 5 {
            return Err(HdrError::Digits(digits));
        }
        self.digits = digits;
        Ok(self)
    }

    /// Writes the line of the interval from the latest snapshot to this one, which was taken at `at`.
    ///
    /// An interval in which nothing was recorded has a line too. A moment before the latest one counts as that one.
    /// Cost: that of [`Snapshot::to_hdr`], and of compressing its payload: call it from a thread that may take its time.
    ///
    /// # Errors
    ///
    /// [`HdrError::Buckets`] if the snapshot is over other buckets than the first one, and [`HdrError::Io`]; the next
    /// line then covers this interval as well.
    pub fn append(&mut self, snapshot: Snapshot, at: SystemTime) -> Result<(), HdrError> {
        let interval = snapshot.since(&self.latest).ok_or(HdrError::Buckets)?;
        let hdr = interval.to_hdr(self.digits)?;
        let since_start = self.latest_at.duration_since(self.started);
        let length = at.duration_since(self.latest_at);
        // Begun anew without a header, for the library's writer would borrow its parts for as long as it lives. A line is
        // made in memory first, so that a failing writer leaves half a line at most, never a wrong one.
        let mut line = Vec::new();
        IntervalLogWriterBuilder::new()
            .begin_log_with(&mut line, &mut self.serializer)?
            .write_histogram(
                &hdr,
                since_start.unwrap_or_default(),
                length.unwrap_or_default(),
                self.tag.as_deref().and_then(Tag::new),
            )
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })?;
        self.writer.write_all(&line)?;
        self.latest = snapshot;
        self.latest_at = self.latest_at.max(at);
        Ok(())
    }

    /// The writer, after the last line.
    pub fn into_inner(self) -> W {
        self.writer
    }
}

impl<W> fmt::Debug for IntervalLog<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntervalLog")
            .field("tag", &self.tag)
            .field("digits", &self.digits)
            .finish_non_exhaustive()
    }
}

/// Why nothing was converted or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum HdrError {
    /// More significant digits than an HdrHistogram has.
    Digits(u8),
    /// A tag that would break its line.
    Tag(String),
    /// A snapshot of another histogram.
    Buckets,
    /// The writer failed.
    Io(io::Error),
}

impl fmt::Display for HdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digits(digits) => {
                write!(f, "{digits} significant digits are too many: at most 5")
            }
            Self::Tag(tag) => {
                write!(f, "tag {tag:?} must hold no comma, space or line break")
            }
            Self::Buckets => f.write_str(
                "the snapshot is over other buckets than the log's first one: one log shows one histogram",
            ),
            Self::Io(error) => write!(f, "interval log cannot be written: {error}"),
        }
    }
}

impl std::error::Error for HdrError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for HdrError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
