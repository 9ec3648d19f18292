//! What comes before something happens, and in which steps time passes.

use std::time::Duration;

/// Time passes in steps of the tick, or of so small a part of what has passed, or of what is left of the past.
pub(super) const PART: u32 = 500;

/// How long is lived through ahead of the beginning, where only hours of weeks are.
const AHEAD: Duration = Duration::from_secs(3_600);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What comes before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Past {
    /// All is well for so long; steps are small near the beginning, and what happens then is judged in steps that are no longer than
    /// this.
    Well(Duration, Duration),
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
            Self::Well(length, _) | Self::Even(length, _) => length,
            Self::Weeks(weeks, ..) => WEEK * weeks + AHEAD,
        }
    }

    /// In how many ticks it is lived through, and then twice so long; some more than `most` if there are more.
    pub(super) fn ticks(self, tick: Duration, horizon: Duration, most: u64) -> u64 {
        let in_steps =
            |length: Duration, step: Duration| (length.as_nanos() / step.as_nanos().max(1)) as u64;
        let lived = match self {
            Self::Well(length, _) => narrowing(length, tick).len() as u64,
            Self::Even(length, step) => in_steps(length, step),
            Self::Weeks(weeks, each, step) => in_steps(each.min(WEEK) * weeks + AHEAD, step),
        };
        let (mut ticks, mut passed) = (0, Duration::ZERO);
        while passed < horizon && ticks <= most {
            passed += self.step(tick, passed);
            ticks += 1;
        }
        lived.saturating_add(2 * ticks)
    }

    /// In which steps, where they are all alike.
    pub(super) fn even_step(self) -> Option<Duration> {
        match self {
            Self::Well(..) => None,
            Self::Even(_, step) | Self::Weeks(.., step) => Some(step),
        }
    }

    /// All of it, piece by piece.
    pub(super) fn stretches(self, tick: Duration) -> Vec<Stretch> {
        match self {
            Self::Well(length, _) => narrowing(length, tick),
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
            Self::Well(_, longest) => {
                let step = tick.max((passed / PART).min(longest));
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
