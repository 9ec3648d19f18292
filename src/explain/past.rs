//! What comes before something happens, and in which steps time passes.

use std::time::Duration;

/// Time passes in steps of the tick, or of so small a part of what has passed, or of what is left of the past.
const PART: u32 = 500;

/// How long is lived through ahead of the beginning, where only hours of weeks are.
const AHEAD: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What comes before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Past {
    /// All is well for so long; steps are small near the beginning.
    Well(Duration),
    /// The same, in steps that are all alike, because each counts as much as any other.
    Even(Duration, Duration),
    /// The same hours of so many weeks, each for so long, in such steps.
    Weeks(u32, Duration, Duration),
}

/// A piece of the past, which is one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stretch {
    Lived(Duration),
    /// Nothing happens in it.
    Skipped(Duration),
}

impl Past {
    pub(super) fn length(self) -> Duration {
        match self {
            Self::Well(length) | Self::Even(length, _) => length,
            Self::Weeks(weeks, ..) => WEEK * weeks + AHEAD,
        }
    }

    /// How much of it is lived through.
    pub(super) fn lived(self) -> Duration {
        match self {
            Self::Well(length) | Self::Even(length, _) => length,
            Self::Weeks(weeks, each, _) => each.min(WEEK) * weeks + AHEAD,
        }
    }

    /// In which steps, where they are not those of the service.
    pub(super) fn words(self) -> String {
        match self {
            Self::Well(_) => String::new(),
            Self::Even(_, step) | Self::Weeks(.., step) => {
                format!(", judged every {}", super::length(step))
            }
        }
    }

    /// All of it, piece by piece.
    pub(super) fn stretches(self, tick: Duration) -> Vec<Stretch> {
        match self {
            Self::Well(length) => narrowing(length, tick),
            Self::Even(length, step) => even(length, step),
            Self::Weeks(weeks, each, step) => {
                let each = each.min(WEEK);
                let mut stretches = Vec::new();
                for _ in 0..weeks {
                    stretches.extend(even(each, step));
                    stretches.push(Stretch::Skipped(WEEK - each));
                }
                stretches.extend(even(AHEAD, step));
                stretches
            }
        }
    }

    /// How long the next step is, when so much has passed since something else happens.
    pub(super) fn step(self, tick: Duration, passed: Duration) -> Duration {
        match self {
            Self::Well(_) => {
                let step = tick.max(passed / PART);
                Duration::from_millis(step.as_millis() as u64)
            }
            Self::Even(_, step) | Self::Weeks(.., step) => step,
        }
    }
}

/// In steps that become shorter.
fn narrowing(length: Duration, tick: Duration) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut left = length;
    while !left.is_zero() {
        let step = tick.max(left / PART).min(left);
        stretches.push(Stretch::Lived(step));
        left -= step;
    }
    stretches
}

fn even(length: Duration, step: Duration) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut left = length;
    while !left.is_zero() {
        let next = step.min(left);
        stretches.push(Stretch::Lived(next));
        left -= next;
    }
    stretches
}
