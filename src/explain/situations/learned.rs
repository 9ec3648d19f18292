//! Of a budget whose limits are learned: what is usual is made up, learned by the engine, and exceeded.

use std::time::Duration;

use super::budget::{Cast, Span, badly, often_enough};
use super::{RATE, tidy};
use crate::band::{Dynamic, Method};
use crate::budget::{Budget, Level, Sli};
use crate::explain::made_up::Dial;
use crate::explain::past::Past;
use crate::explain::play::Act;
use crate::explain::trial::Situation;
use crate::explain::{length, percent};
use crate::generate::Declaration;
use crate::simulate::Load;

/// What `Classic` finds usual must vary, or nothing is: this share more and less, by turns.
const VARIES: f64 = 0.15;

/// Weeks that a baseline of hours of the week needs.
const WEEKS: u32 = 2;

/// What was lived through before, in steps of which several are in a window.
pub(super) fn past(dynamic: &Dynamic, span: &Span, tick: Duration) -> Past {
    let step = (span.window / 4).min(dynamic.every / 2).max(tick);
    match dynamic.method {
        Method::Classic => Past::Even(dynamic.window.saturating_add(span.history), step),
        Method::HourOfWeek => {
            // Ahead of noon, and as long as it may take to fire and to clear.
            let lived = span.horizon.saturating_mul(5) / 2;
            let lived = lived.saturating_add(Duration::from_secs(2 * 3_600));
            Past::Weeks(WEEKS, lived, step)
        }
    }
}

pub(super) fn cast(
    declaration: &Declaration,
    budget: &Budget,
    dynamic: &Dynamic,
) -> Result<Cast, String> {
    let values = Values::of(declaration, budget)?;
    let usual = values.usual(budget, dynamic);
    let rate = values.rate(budget, usual);
    let act = |value: f64| values.act(budget, rate, value);
    let (good, varying) = match dynamic.method {
        Method::HourOfWeek => (act(usual), String::new()),
        Method::Classic => {
            let both = [1.0 - VARIES, 1.0 + VARIES].map(|times| act(usual * times));
            let varying = format!(" give or take {} of it by turns,", percent(VARIES));
            (Act::ByTurns(Box::new(both), dynamic.window / 8), varying)
        }
    };
    let times = if budget.floor {
        [0.8, 0.5, 0.2]
    } else {
        [1.2, 2.0, 5.0]
    };
    let situation = |times: f64| Situation {
        what: format!("{times} times: {}", values.words(usual * times)),
        acts: vec![act(usual * times)],
    };
    let times = times.into_iter();
    let possible = times.filter(|times| values.are_possible(usual * times));
    let lived = match dynamic.method {
        Method::HourOfWeek => format!("the same hours of {WEEKS} weeks"),
        Method::Classic => length(dynamic.window),
    };
    Ok(Cast {
        rate,
        good: vec![good],
        situations: possible.map(situation).collect(),
        intro: format!(
            "{lived} at {}{varying} from which limits are learned",
            values.words(usual)
        ),
    })
}

/// The share of bad ones that is this value.
fn bad(budget: &Budget, value: f64) -> f64 {
    match budget.floor {
        true => (1.0 - value).max(0.0),
        false => value,
    }
}

/// What takes values.
enum Values {
    Durations,
    Shares,
    Rates,
    Plain(Dial),
}

impl Values {
    fn of(declaration: &Declaration, budget: &Budget) -> Result<Self, String> {
        match &budget.sli {
            Sli::Quantile(..) => Ok(Self::Durations),
            Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..) => Ok(Self::Shares),
            Sli::Throughput(_) => Ok(Self::Rates),
            Sli::Value(value) => Dial::find(declaration, value).map(Self::Plain),
            Sli::Freshness(_) | Sli::Age(_) => Err(
                "How old something usually is grows and falls between two of it, so a limit that is learned of that depends on when the two come: it cannot be made up here."
                    .to_owned(),
            ),
        }
    }

    /// What is usual: on the right side of a static limit, where there is one.
    fn usual(&self, budget: &Budget, dynamic: &Dynamic) -> f64 {
        let limits = [dynamic.floor, budget.limit(Level::Target)];
        let limits = limits.into_iter().flatten();
        let limit = match budget.floor {
            true => limits.reduce(f64::max),
            false => limits.reduce(f64::min),
        };
        let usual = match (self, limit, budget.floor) {
            (Self::Durations, None, _) => 0.1,
            (Self::Shares, None, false) => 0.1,
            (Self::Shares, None, true) => 0.9,
            (Self::Rates, None, _) => RATE,
            (Self::Plain(_), None, _) => 100.0,
            (Self::Shares, Some(limit), true) => 1.0 - (1.0 - limit) / 1.5,
            (_, Some(limit), true) => limit * 1.5,
            (_, Some(limit), false) => limit / 1.5,
        };
        tidy(usual)
    }

    /// So many operations that windows hold what they must and that a bad one more or less is no other share.
    fn rate(&self, budget: &Budget, usual: f64) -> f64 {
        match self {
            // A band is narrower than what lies between two limits.
            Self::Shares => often_enough(budget, &[bad(budget, usual) / 5.0]),
            _ => often_enough(budget, &[]),
        }
    }

    fn act(&self, budget: &Budget, rate: f64, value: f64) -> Act {
        let name = budget.name.clone();
        match self {
            Self::Durations => {
                let lasting = Duration::try_from_secs_f64(value).ok();
                Act::Load(
                    name,
                    Load {
                        lasting,
                        ..Load::good(rate)
                    },
                )
            }
            Self::Shares => badly(budget).act(&name, rate, bad(budget, value)),
            Self::Rates => Act::Load(name, Load::good(value)),
            Self::Plain(dial) => Act::Hold(dial.to(dial.nearest(value))),
        }
    }

    fn are_possible(&self, value: f64) -> bool {
        match self {
            Self::Shares => value <= 1.0,
            Self::Plain(dial) => dial.reaches(value),
            _ => true,
        }
    }

    fn words(&self, value: f64) -> String {
        match self {
            Self::Durations => {
                let millis = (value * 1e3).round().max(1.0) as u64;
                length(Duration::from_millis(millis))
            }
            Self::Shares => percent(value),
            Self::Rates => format!("{} per second", tidy(value)),
            Self::Plain(_) => tidy(value).to_string(),
        }
    }
}
