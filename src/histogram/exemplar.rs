//! A value that somebody can look up: the latest one with a trace id in each bucket.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::{Buckets, Histogram};

/// The identity of a request across services: the 16 bytes of W3C Trace Context, never all zero.
///
/// ```
/// use plimsoll::TraceId;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let id = TraceId::from_traceparent(header).expect("a valid header");
/// assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TraceId(u128);

impl TraceId {
    /// The id with these bytes; `None` if all of them are zero, which stands for no id.
    pub const fn new(bytes: [u8; 16]) -> Option<Self> {
        match u128::from_be_bytes(bytes) {
            0 => None,
            id => Some(Self(id)),
        }
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id in a `traceparent` header; `None` if that is not one.
    ///
    /// A version from the future is read as far as this one goes, as the specification wants it.
    pub fn from_traceparent(header: &str) -> Option<Self> {
        Some(traceparent(header)?.0)
    }

    /// The same, but only if the caller says that the trace is recorded: an id that leads nowhere helps nobody.
    pub fn from_sampled_traceparent(header: &str) -> Option<Self> {
        let (id, flags) = traceparent(header)?;
        (flags & 1 == 1).then_some(id)
    }
}

/// The trace id and the flags.
fn traceparent(header: &str) -> Option<(TraceId, u8)> {
    let mut parts = header.trim().split('-');
    let mut part = |length| {
        let part = parts.next()?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (part.len() == length && part.bytes().all(hex)).then_some(part)
    };
    let version = part(2)?;
    let (id, parent, flags) = (part(32)?, part(16)?, part(2)?);
    let known = version == "00";
    if version == "ff" || known && parts.next().is_some() || parent.bytes().all(|byte| byte == b'0')
    {
        return None;
    }
    Some((id.parse().ok()?, u8::from_str_radix(flags, 16).ok()?))
}

/// Why a text is no [`TraceId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceIdError;

impl fmt::Display for TraceIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trace id has 32 hexadecimal digits, not all of them zero")
    }
}

impl std::error::Error for TraceIdError {}

impl FromStr for TraceId {
    type Err = TraceIdError;

    fn from_str(text: &str) -> Result<Self, TraceIdError> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = digits
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten();
        id.filter(|id| *id != 0).map(Self).ok_or(TraceIdError)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for TraceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A recorded value and the trace that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// The value in the exported unit.
    pub value: f64,
    /// Where to look.
    pub trace_id: TraceId,
    /// When it was recorded.
    pub at: SystemTime,
}

/// An exemplar in raw steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RawExemplar {
    pub(crate) value: u64,
    pub(crate) trace_id: TraceId,
    pub(crate) at: SystemTime,
}

impl RawExemplar {
    /// In an exported unit of `scale` steps.
    pub(crate) fn exported(self, scale: f64) -> Exemplar {
        Exemplar {
            value: self.value as f64 / scale,
            trace_id: self.trace_id,
            at: self.at,
        }
    }
}

/// The latest exemplar at or below each configured bound and above the one before it, and above all of them.
#[derive(Debug)]
pub(super) struct Exemplars(Box<[Mutex<Option<RawExemplar>>]>);

impl Exemplars {
    fn new(buckets: &Buckets) -> Self {
        let count = buckets.bounds().len() + 1;
        Self((0..count).map(|_| Mutex::default()).collect())
    }
}

impl Histogram {
    /// Counts `value` as [`record`](Self::record) does, and keeps it as the exemplar of its bucket.
    ///
    /// `at` is the wall-clock time. An exemplar may give way to another one that is recorded at the same moment; a count
    /// never does. Cost: about 20 ns more than `record`; half a KiB for each histogram that it is used on.
    pub fn record_traced(&self, value: u64, trace_id: TraceId, at: SystemTime) {
        let exemplars = self
            .exemplars
            .get_or_init(|| Box::new(Exemplars::new(&self.buckets)));
        let clamped = value.min(self.buckets.max());
        // Before the value: whoever sees that there is a new one finds it.
        if let Some(mut exemplar) = exemplars.0[self.buckets.bound_of(clamped)].try_lock() {
            *exemplar = Some(RawExemplar {
                value: clamped,
                trace_id,
                at,
            });
        }
        self.record(value);
    }

    /// The latest value with a trace id in each bucket, ascending.
    pub fn exemplars(&self) -> Vec<Exemplar> {
        let mut all = Vec::new();
        let scale = self.buckets.layout().unit().scale();
        self.each_exemplar(|_, exemplar| all.push(exemplar.exported(scale)));
        all
    }

    /// Shows (bucket, its exemplar), ascending.
    pub(crate) fn each_exemplar(&self, mut show: impl FnMut(usize, RawExemplar)) {
        let slots = self
            .exemplars
            .get()
            .into_iter()
            .flat_map(|all| all.0.iter());
        for (bucket, slot) in slots.enumerate() {
            if let Some(exemplar) = *slot.lock() {
                show(bucket, exemplar);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::histogram::Layout;
    use std::time::{Duration, UNIX_EPOCH};

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_is_read_as_the_specification_wants_it() {
        let id = ID.parse().ok();
        let read = TraceId::from_traceparent;
        assert_eq!(read(&format!("00-{ID}-00f067aa0ba902b7-01")), id);
        assert_eq!(
            read(&format!(
                "cc-{ID}-00f067aa0ba902b7-01-what-the-future-brings"
            )),
            id
        );
        for wrong in [
            String::new(),
            ID.to_owned(),
            format!("ff-{ID}-00f067aa0ba902b7-01"),
            format!("00-{ID}-00f067aa0ba902b7-01-more"),
            format!("00-{ID}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", &ID[1..]),
            format!("00-{ID}-00f067aa0ba902b7"),
        ] {
            assert_eq!(read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_a_sampled_trace_can_be_looked_up() {
        let read = TraceId::from_sampled_traceparent;
        assert!(read(&format!("00-{ID}-00f067aa0ba902b7-03")).is_some());
        assert!(read(&format!("00-{ID}-00f067aa0ba902b7-02")).is_none());
    }

    #[test]
    fn each_bucket_keeps_its_latest_exemplar() {
        let buckets = Buckets::new(Layout::durations(), &[0.1, 0.2]).expect("bounds");
        let histogram = Histogram::new(buckets);
        assert!(histogram.exemplars().is_empty());
        let id = |n: u8| TraceId::new([n; 16]).expect("not zero");
        let at = |s| UNIX_EPOCH + Duration::from_secs(s);
        for (n, ms) in [(1, 100), (2, 50), (3, 150), (4, 100_000_000)] {
            histogram.record_traced(ms * 1_000_000, id(n), at(n.into()));
        }
        let all = histogram.exemplars().into_iter();
        let all: Vec<_> = all.map(|it| (it.value, it.trace_id, it.at)).collect();
        let expected = [(0.05, 2), (0.15, 3), (3600.0, 4)];
        assert_eq!(all, expected.map(|(value, n)| (value, id(n), at(n.into()))));
        assert_eq!(
            (histogram.count(), histogram.snapshot().saturated()),
            (4, 1)
        );
    }
}
