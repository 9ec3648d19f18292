//! Local time without a calendar: intervals of five minutes since 1970-01-01 00:00 at a fixed offset.

pub(super) const INTERVAL_MS: i64 = 300_000;
pub(super) const HOUR_MS: i64 = 3_600_000;
pub(super) const WEEK_MS: i64 = 168 * HOUR_MS;
/// Intervals of an hour.
pub(super) const PER_HOUR: i64 = HOUR_MS / INTERVAL_MS;
/// Intervals of a week.
pub(super) const PER_WEEK: i64 = WEEK_MS / INTERVAL_MS;

/// The interval in which a Unix time lies.
pub(super) fn interval(at_ms: i64, offset_ms: i64) -> i64 {
    at_ms.saturating_add(offset_ms).div_euclid(INTERVAL_MS)
}

/// 0 to 23.
pub(super) fn hour_of_day(at_ms: i64, offset_ms: i64) -> i64 {
    at_ms
        .saturating_add(offset_ms)
        .div_euclid(HOUR_MS)
        .rem_euclid(24)
}
