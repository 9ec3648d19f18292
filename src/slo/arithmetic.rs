//! From what was counted to what it means. Nothing here knows a clock.

use std::time::Duration;

/// `1 − objective` without the noise of the subtraction: 0.001 for 0.999, not 0.0010000000000000009.
pub(crate) fn error_budget(objective: f64) -> f64 {
    ((1.0 - objective) * 1e12).round() / 1e12
}

/// The share of the error budget that is left, in `-inf..=1.0`: negative once the objective is missed. Without events
/// nothing is spent.
pub(crate) fn remaining(error_ratio: Option<f64>, budget: f64) -> f64 {
    error_ratio.map_or(1.0, |ratio| 1.0 - ratio / budget)
}

/// How long the rest of the error budget lasts if it burns on at this rate; `None` for ever, or longer than can be said.
pub(crate) fn time_to_exhaustion(
    remaining: f64,
    period: Duration,
    burn_rate: Option<f64>,
) -> Option<Duration> {
    if remaining <= 0.0 {
        return Some(Duration::ZERO);
    }
    let seconds = remaining * period.as_secs_f64() / burn_rate?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// How much of the error budget is left, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Band {
    /// More than 75 %.
    Healthy,
    /// More than 50 %.
    Observe,
    /// More than 25 %.
    Attention,
    /// Something.
    Unhealthy,
    /// Nothing, or less.
    Exhausted,
}

impl Band {
    /// Of the share that is left.
    pub fn of(remaining: f64) -> Self {
        match remaining {
            left if left > 0.75 => Self::Healthy,
            left if left > 0.5 => Self::Observe,
            left if left > 0.25 => Self::Attention,
            left if left > 0.0 => Self::Unhealthy,
            _ => Self::Exhausted,
        }
    }

    /// `healthy`, `observe`, `attention`, `unhealthy` or `exhausted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Observe => "observe",
            Self::Attention => "attention",
            Self::Unhealthy => "unhealthy",
            Self::Exhausted => "exhausted",
        }
    }
}

/// Whether an objective is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "SCREAMING_SNAKE_CASE"))]
#[non_exhaustive]
pub enum SloState {
    /// It is.
    Ok,
    /// It is, but a burn alert fires, or a quarter of the error budget is left at most.
    Warning,
    /// More than the error budget is spent: the period's objective is missed.
    Breached,
    /// The period holds no event.
    InsufficientData,
}

impl SloState {
    /// Of the period's error ratio, the share of the error budget that is left, and whether a burn alert fires.
    pub(crate) fn of(error_ratio: Option<f64>, remaining: f64, burning: bool) -> Self {
        match (error_ratio, Band::of(remaining)) {
            (None, _) => Self::InsufficientData,
            _ if remaining < 0.0 => Self::Breached,
            (_, Band::Unhealthy | Band::Exhausted) => Self::Warning,
            _ if burning => Self::Warning,
            _ => Self::Ok,
        }
    }

    /// `OK`, `WARNING`, `BREACHED` or `INSUFFICIENT_DATA`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Breached => "BREACHED",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_budget_has_no_noise() {
        let pairs = [(0.999, 0.001), (0.9999, 0.0001), (0.95, 0.05), (0.9, 0.1)];
        for (objective, budget) in pairs {
            assert_eq!(error_budget(objective), budget);
        }
    }

    #[test]
    fn what_is_left_is_never_clamped_below() {
        assert_eq!(remaining(Some(0.0), 0.001), 1.0);
        assert_eq!(remaining(Some(0.001), 0.001), 0.0);
        assert_eq!(remaining(Some(0.5), 0.001), -499.0);
        assert_eq!(remaining(None, 0.001), 1.0, "untouched without events");
    }

    #[test]
    fn exhaustion_is_what_is_left_by_the_rate() {
        let period = Duration::from_secs(30 * 86_400);
        let hours = |left, rate| {
            let time = time_to_exhaustion(left, period, rate)?;
            Some((time.as_secs_f64() / 3600.0 * 1e6).round() / 1e6)
        };
        assert_eq!(hours(1.0, Some(1.0)), Some(720.0));
        assert_eq!(hours(0.5, Some(14.4)), Some(25.0));
        assert_eq!(hours(0.5, Some(0.0)), None, "never");
        assert_eq!(hours(0.5, None), None);
        assert_eq!(hours(-3.0, Some(0.0)), Some(0.0));
        assert_eq!(hours(0.0, None), Some(0.0));
    }

    #[test]
    fn bands_have_open_lower_edges() {
        use Band::{Attention, Exhausted, Healthy, Observe, Unhealthy};
        let above = |edge: f64| edge.next_up();
        for (left, band) in [
            (1.0, Healthy),
            (above(0.75), Healthy),
            (0.75, Observe),
            (above(0.5), Observe),
            (0.5, Attention),
            (above(0.25), Attention),
            (0.25, Unhealthy),
            (above(0.0), Unhealthy),
            (0.0, Exhausted),
            (-7.0, Exhausted),
        ] {
            assert_eq!(Band::of(left), band, "{left}");
        }
    }

    #[test]
    fn an_objective_that_is_just_kept_is_not_breached() {
        assert_eq!(SloState::of(Some(0.001), 0.0, false), SloState::Warning);
        assert_eq!(SloState::of(Some(0.002), -1.0, false), SloState::Breached);
        assert_eq!(SloState::of(Some(0.0), 1.0, true), SloState::Warning);
        assert_eq!(SloState::of(Some(0.0), 1.0, false), SloState::Ok);
        assert_eq!(SloState::of(None, 1.0, true), SloState::InsufficientData);
    }
}
