//! A moment as people write it, in UTC, to the millisecond.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serializer, de::Error};

pub(crate) fn serialize<S: Serializer>(moment: &SystemTime, to: S) -> Result<S::Ok, S::Error> {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    // The last moment that can be written with four digits for the year.
    let last = Duration::from_secs(253_402_300_799);
    to.collect_str(&humantime::format_rfc3339_millis(
        UNIX_EPOCH + since.min(last),
    ))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(from)?;
    let wrong = |_| {
        D::Error::custom(format!(
            "{text:?} is not a moment such as 2026-11-21T09:30:00Z"
        ))
    };
    humantime::parse_rfc3339_weak(&text).map_err(wrong)
}
