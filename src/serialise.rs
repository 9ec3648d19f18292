//! How moments, durations and labels are written for people and other programs.

use std::time::{Duration, SystemTime};

use serde::Serializer;

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn time<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*at))
}

/// The same, or nothing.
pub(crate) fn maybe_time<S: Serializer>(
    at: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// In seconds.
pub(crate) fn seconds<S: Serializer>(of: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(of.as_secs_f64())
}

/// The same, or nothing.
pub(crate) fn maybe_seconds<S: Serializer>(
    of: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match of {
        Some(of) => seconds(of, serializer),
        None => serializer.serialize_none(),
    }
}

/// A map from keys to values.
pub(crate) fn labels<S: Serializer>(
    labels: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(labels.iter().map(|(key, value)| (key, value)))
}
