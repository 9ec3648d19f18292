//! What is said of a simulation.

use std::time::Duration;

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
