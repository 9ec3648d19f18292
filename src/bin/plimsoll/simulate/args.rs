//! What is said of a simulation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plimsoll::{Expr, Selector};

/// A gauge that takes a value.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) gauge: Selector,
    pub(crate) value: f64,
    pub(crate) at: Duration,
}

/// Longer ones are mistyped.
const LONGEST: Duration = Duration::from_secs(92 * 86_400);

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match history(text)? {
        Duration::ZERO => Err("is no time at all: write 2h".to_owned()),
        duration => Ok(duration),
    }
}

pub(super) fn history(text: &str) -> Result<Duration, String> {
    // A length is a course of one phase, apart from none at all.
    let none = ["0", "0s", "0m", "0h"].contains(&text);
    let of_phase = || {
        text.parse::<plimsoll::simulate::Course>()
            .ok()
            .map(|course| course.length())
    };
    let parsed = if none {
        Some(Duration::ZERO)
    } else {
        of_phase()
    };
    parsed
        .filter(|parsed| *parsed <= LONGEST && !text.contains([',', ' ']))
        .ok_or_else(|| "is no duration of at most 92d: write 90s, 10m or 2h".to_owned())
}

/// `2026-03-06T16:00:00Z`, or a day that begins.
pub(super) fn moment(text: &str) -> Result<SystemTime, String> {
    let midnight = format!("{text}T00:00:00Z");
    let parsed = humantime::parse_rfc3339_weak(text);
    let parsed = parsed.or_else(|_| humantime::parse_rfc3339_weak(&midnight));
    let possible = UNIX_EPOCH..=UNIX_EPOCH + plimsoll::simulate::LATEST;
    let parsed = parsed.ok().filter(|moment| possible.contains(moment));
    parsed.ok_or_else(|| {
        "is no moment in UTC from 1970 to 2400: write 2026-03-06T16:00:00Z or 2026-03-06".to_owned()
    })
}

/// How long it is from one moment to another.
pub(super) fn between(from: SystemTime, until: SystemTime) -> Result<Duration, String> {
    let said = |moment| humantime::format_rfc3339_seconds(moment);
    match until.duration_since(from) {
        Ok(length) if length > LONGEST => Err(format!(
            "--until {} is more than 92d after --from {}: name an earlier moment",
            said(until),
            said(from)
        )),
        Ok(length) if !length.is_zero() => Ok(length),
        _ => Err(format!(
            "--until {} is not after --from {}: name a later moment",
            said(until),
            said(from)
        )),
    }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let parsed = match text.strip_suffix('%') {
        Some(percent) => percent.parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let parsed = parsed.ok().filter(|share| (0.0..=1.0).contains(share));
    parsed.ok_or_else(|| "is no share: write 0.1% or 0.001".to_owned())
}

pub(super) fn traffic(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|rate| (0.0..=1e6).contains(rate));
    parsed.ok_or_else(|| {
        "is no number of operations per second from 0 to 1000000: write 100".to_owned()
    })
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    let parsed = text.parse().ok();
    parsed.ok_or_else(|| format!("is no whole number from 0 to {}: write 7", u64::MAX))
}

pub(super) fn setting(text: &str) -> Result<Setting, String> {
    let (rest, at) = match text.rsplit_once('@') {
        Some((rest, at)) => (rest, history(at)?),
        None => (text, Duration::ZERO),
    };
    let usage = || "is no setting: write queue_depth=500@10m or level{tank=\"a\"}=3".to_owned();
    let (gauge, value) = rest.rsplit_once('=').ok_or_else(usage)?;
    match (Expr::parse(gauge), value.parse()) {
        (Ok(Expr::Select(gauge)), Ok(value)) => Ok(Setting { gauge, value, at }),
        _ => Err(usage()),
    }
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn moments_are_those_that_clocks_hold() {
        assert!(moment("2026-03-06").is_ok());
        assert!(moment("2400-01-01T00:00:00Z").is_ok());
        for far in ["2400-01-01T00:00:01Z", "9999-12-31T23:00:00Z"] {
            let why = moment(far).expect_err(far);
            assert!(why.contains("from 1970 to 2400"), "{why}");
        }
    }
}
