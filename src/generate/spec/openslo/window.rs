//! Stretches of time as OpenSLO writes them.

use std::time::Duration;

use super::super::cursor::At;
use super::super::fields::Fields;
use crate::expr::Offset;
use crate::slo::{Calendar, Period, millis_since_1970};

const DAY: u64 = 86_400;

/// The period of an SLO, from its `timeWindow`.
pub(super) fn period(fields: &Fields<'_>) -> Option<Period> {
    let Some(at) = fields.get("timeWindow") else {
        fields
            .at
            .note("has no timeWindow: the period is 28 days, rolling");
        return Some(Period::Rolling(Duration::from_secs(28 * DAY)));
    };
    let list = at.list();
    let [window] = &list[..] else {
        at.refuse("takes one window: write [{ duration: 28d, isRolling: true }]");
        return None;
    };
    let fields = window.fields();
    let duration = fields.need("duration", "write 28d");
    let rolling = fields.get("isRolling").map(|at| at.boolean());
    let calendar = fields.get("calendar");
    fields.finish();
    match (rolling, calendar) {
        (Some(Some(true)), Some(calendar)) => {
            calendar.refuse("stands beside isRolling: true: keep one of both");
            None
        }
        (Some(Some(true)), None) => rolling_days(&duration?),
        (Some(None), _) => None,
        (_, Some(calendar)) => of_calendar(&duration?, &calendar),
        (_, None) => {
            window.refuse("has neither isRolling: true nor a calendar: write one of both");
            None
        }
    }
}

fn rolling_days(at: &At<'_>) -> Option<Period> {
    let (count, unit) = shorthand(at)?;
    let seconds = match unit {
        'M' | 'Q' | 'Y' => {
            at.refuse("has no fixed length: write days, such as 28d, 30d or 90d");
            return None;
        }
        unit => count.saturating_mul(seconds(unit)),
    };
    if !seconds.is_multiple_of(DAY) || !(1..=366).contains(&(seconds / DAY)) {
        at.refuse("is not a number of days from 1 to 366: write 28d");
        return None;
    }
    Some(Period::Rolling(Duration::from_secs(seconds)))
}

fn of_calendar(duration: &At<'_>, at: &At<'_>) -> Option<Period> {
    let fields = at.fields();
    let (start, zone) = (fields.get("startTime"), fields.get("timeZone"));
    fields.finish();
    // Each says what is wrong with it before one ends this.
    let calendar = calendar(duration);
    let offset = zone.map_or(Some(Offset::UTC), |at| offset(&at));
    let start = start.map(|at| (moment(&at), at));
    let calendar = calendar?;
    if let Some((start_ms, at)) = start {
        begins(&at, start_ms?, calendar)?;
    }
    Some(Period::Calendar(calendar, offset?))
}

fn calendar(duration: &At<'_>) -> Option<Calendar> {
    match shorthand(duration)? {
        (1, 'd') => Some(Calendar::Day),
        (1, 'w') | (7, 'd') => Some(Calendar::Week),
        (1, 'M') => Some(Calendar::Month),
        (1, 'Q') | (3, 'M') => Some(Calendar::Quarter),
        _ => {
            duration.refuse("is no period of the calendar here: write 1d, 1w, 1M or 1Q");
            None
        }
    }
}

/// A local time, in milliseconds since 1970.
fn moment(at: &At<'_>) -> Option<i64> {
    let start = humantime::parse_rfc3339_weak(at.text()?);
    if start.is_err() {
        at.refuse("is no time: write \"2024-01-01 00:00:00\"");
    }
    start.ok().map(millis_since_1970)
}

/// Whether a period of the calendar begins at that local time.
fn begins(at: &At<'_>, start_ms: i64, calendar: Calendar) -> Option<()> {
    if calendar.around(start_ms, Offset::UTC).start_ms != start_ms {
        let word = calendar.as_str();
        at.refuse(format!(
            "is not where a {word} of the calendar begins, and others are not kept: write \"2024-01-01 00:00:00\""
        ));
        return None;
    }
    Some(())
}

/// A time zone that is the same all year.
fn offset(at: &At<'_>) -> Option<Offset> {
    let zone = at.text()?;
    let hours = |text: &str| text.parse::<i32>().ok().map(|hours| hours * 60);
    let minutes = match zone {
        "UTC" | "Etc/UTC" | "GMT" | "Etc/GMT" | "Z" | "Zulu" => Some(0),
        // In these names west is positive.
        _ => match zone.strip_prefix("Etc/GMT") {
            Some(west) => hours(west).map(|minutes| -minutes),
            None => clock(zone),
        },
    };
    let offset = minutes.and_then(Offset::minutes);
    if offset.is_none() {
        at.refuse(format!(
            "{zone:?} is no fixed offset from UTC, and periods here have one: write Etc/UTC, Etc/GMT-1 for an hour east of it, or +05:30"
        ));
    }
    offset
}

/// `+05:30` in minutes.
fn clock(text: &str) -> Option<i32> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    let part = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let (hours, minutes) = (part(hours)?, part(minutes)?);
    (minutes < 60).then(|| sign * (i32::from(hours) * 60 + i32::from(minutes)))
}

/// A stretch of minutes, hours, days or weeks.
pub(super) fn stretch(at: &At<'_>) -> Option<Duration> {
    match shorthand(at)? {
        (_, 'M' | 'Q' | 'Y') => {
            at.refuse("has no fixed length: write minutes, hours or days");
            None
        }
        (count, unit) => Some(Duration::from_secs(count.saturating_mul(seconds(unit)))),
    }
}

/// A slice; a plain number is one of minutes.
pub(super) fn slice(at: &At<'_>) -> Option<Duration> {
    let slice = match at.text()?.parse::<u32>() {
        Ok(minutes) => Duration::from_secs(u64::from(minutes) * 60),
        Err(_) => stretch(at)?,
    };
    if slice.is_zero() || slice.as_secs() > DAY {
        at.refuse("is no slice: write one of up to a day, such as 5m");
        return None;
    }
    Some(slice)
}

fn seconds(unit: char) -> u64 {
    match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => DAY,
        _ => 7 * DAY,
    }
}

/// A number and its unit.
fn shorthand(at: &At<'_>) -> Option<(u64, char)> {
    let text = at.text()?;
    let unit = text.chars().last().filter(|unit| "mhdwMQY".contains(*unit));
    let read = unit.and_then(|unit| {
        let count = &text[..text.len() - 1];
        let digits = count.bytes().all(|byte| byte.is_ascii_digit());
        Some((count.parse().ok().filter(|_| digits)?, unit))
    });
    if read.is_none() {
        at.refuse(format!(
            "{text:?} is no duration of OpenSLO: write a whole number and one of m, h, d, w, M, Q, Y, such as 28d"
        ));
    }
    read
}

/// The nearest whole number of minutes, at least one: 0 is no wait at all.
pub(super) fn whole_minutes(length: Duration) -> Duration {
    let minutes = (length.as_secs_f64() / 60.0).round().max(1.0);
    Duration::from_secs(minutes as u64 * 60)
}

/// A stretch as OpenSLO writes it; nothing for one that is no whole number of minutes.
pub(super) fn written(length: Duration) -> Option<String> {
    let seconds = length.as_secs();
    let units = [("d", DAY), ("h", 3_600), ("m", 60)];
    let fits = |unit: &&(&str, u64)| seconds.is_multiple_of(unit.1) && seconds > 0;
    let (unit, long) = units
        .iter()
        .find(fits)
        .filter(|_| length.subsec_nanos() == 0)?;
    Some(format!("{}{unit}", seconds / long))
}
