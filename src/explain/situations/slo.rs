//! Of an SLO: it is bad in the whole, or in a part; of one that is made of others, each of them is, or all are.

use std::time::Duration;

use super::{Badly, RATE, Tried, enough, nothing, shares};
use crate::budget::Level;
use crate::explain::made_up::{Dial, Switch, can_count, longest_step};
use crate::explain::past::Past;
use crate::explain::play::Act;
use crate::explain::trial::{Awaited, Situation, Trial, each};
use crate::explain::{length, percent};
use crate::generate::Declaration;
use crate::slo::{BurnAlert, Sli, Slo};

/// Ticks and slices are tried out in so many steps, if that is often enough, and not in finer ones than this.
const STEPS: u32 = 5_000;
const FINEST: Duration = Duration::from_secs(15);

pub(in crate::explain) fn of_slo(declaration: &Declaration, slo: &Slo) -> Tried {
    let parts = parts(declaration, slo);
    let alerts = awaited(declaration, slo, &parts);
    if alerts.is_empty() {
        return Err("It has no alert that could fire.".to_owned());
    }
    let rate = rate(slo);
    let causes = parts.iter().map(|part| Cause::of(declaration, part, rate));
    let causes: Vec<Cause<'_>> = causes.collect::<Result<_, _>>()?;
    let good: Vec<Act> = causes.iter().map(|cause| cause.act(0.0)).collect();
    let mut situations = match slo.is_composite() {
        true => of_parts(&causes),
        false => alone(&causes, slo),
    };
    let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
    let badly = causes.iter().find_map(Cause::badly);
    let none = match badly {
        Some(Badly::Counted) => "no events",
        _ => "no operations",
    };
    situations.push(nothing(none, &names, &good));
    let history = each(&alerts, |alert| length(alert.past.length()));
    let intro = match badly {
        Some(badly) => format!("{history} of {}", badly.good(rate)),
        None => format!("{history} in which all is well"),
    };
    let trial = Trial {
        declaration,
        name: &slo.name,
        alerts,
        rate,
        good,
        intro,
    };
    trial.table(&situations)
}

/// So many operations per second that the shortest windows tell the limits of burn alerts apart.
fn rate(slo: &Slo) -> f64 {
    let burns = slo.burns();
    let limit = |burn: &BurnAlert| burn.limit(slo.period, slo.error_budget());
    let rates = burns.iter().map(|burn| {
        enough(burn.short(), limit(burn), 0).max(enough(burn.long, 1.0, slo.min_events))
    });
    rates.fold(RATE, f64::max)
}

/// Severities, and silence, each with the windows that are its own.
fn awaited(declaration: &Declaration, slo: &Slo, parts: &[&Slo]) -> Vec<Awaited> {
    let burns = slo.burns();
    let mut names: Vec<&str> = burns.iter().map(|burn| burn.severity.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut alerts = Vec::new();
    for name in names {
        let its: Vec<_> = burns
            .iter()
            .filter(|burn| burn.severity.as_str() == name)
            .collect();
        let longest = its.iter().map(|burn| burn.long).max().unwrap_or_default();
        let shortest = its
            .iter()
            .map(|burn| burn.short())
            .min()
            .unwrap_or_default();
        let events = its.iter().map(|burn| match slo.min_events {
            0 => burn.long,
            least => burn.long / u32::try_from(least).unwrap_or(u32::MAX) / 2,
        });
        let fine = events.fold(shortest / 20, Duration::min);
        alerts.push(Awaited {
            name: name.to_owned(),
            past: past(declaration, slo, parts, longest, [fine, shortest / 3]),
            horizon: longest.saturating_add(longest / 4),
        });
    }
    alerts.extend(slo.absent_after.map(|silence| Awaited {
        name: Level::Absent.as_str().to_owned(),
        past: past(
            declaration,
            slo,
            parts,
            silence,
            [silence / 40, silence / 6],
        ),
        horizon: silence.saturating_mul(2),
    }));
    alerts
}

/// Those that it is made of, however deep; itself if it is made of none.
fn parts<'a>(declaration: &'a Declaration, slo: &'a Slo) -> Vec<&'a Slo> {
    let mut parts = slo.with_parts(&declaration.slos);
    parts.retain(|part| !part.is_composite());
    parts
}

/// A little more than the longest window. Where ticks or slices are counted, each weighs as much as any other: time passes in even
/// steps then, fine ones, or coarse ones if there were too many.
fn past(
    declaration: &Declaration,
    slo: &Slo,
    parts: &[&Slo],
    longest: Duration,
    [fine, coarse]: [Duration; 2],
) -> Past {
    let history = longest.saturating_add(longest / 20);
    let all = || parts.iter().copied().chain([slo]);
    if all().all(|slo| matches!(slo.unit(), "events" | "")) {
        return Past::Well(history, coarse);
    }
    let slices = all().filter_map(|slo| match slo.sli {
        Sli::TimeSlice(_, slice) | Sli::RatioSlices(_, slice) => Some(slice),
        _ => None,
    });
    let slice = slices.min().unwrap_or(Duration::MAX);
    let read: Vec<_> = all()
        .map(Slo::read)
        .chain(all().filter_map(Slo::condition))
        .collect();
    let most = longest_step(&read);
    let few = history / STEPS + longest / STEPS * 5 / 2;
    let fine = fine.min(slice / 5).min(most);
    let coarse = fine.max(coarse.min(slice / 2).min(most));
    let step = match few > fine {
        true => few.min(coarse),
        false => few.max(FINEST).min(fine),
    };
    let whole = Duration::from_secs(step.as_secs());
    Past::Even(history, whole.max(declaration.tick))
}

/// What makes an SLO bad.
struct Cause<'a> {
    slo: &'a Slo,
    how: How,
    /// Operations per second.
    rate: f64,
}

enum How {
    Badly(Badly),
    /// A condition that does not hold, at ticks or in slices.
    Violated(Switch, Option<Duration>),
    /// An error ratio of its own.
    Ratio(Dial),
}

impl<'a> Cause<'a> {
    fn of(declaration: &Declaration, slo: &'a Slo, rate: f64) -> Result<Self, String> {
        let how = match &slo.sli {
            Sli::Latency(..) => How::Badly(Badly::Slow),
            Sli::Ratio { part, valid, .. } => {
                can_count(declaration, &slo.name, [part, valid], true)?;
                How::Badly(Badly::Counted)
            }
            Sli::Time(condition) => How::Violated(Switch::find(declaration, condition)?, None),
            Sli::TimeSlice(condition, slice) => {
                How::Violated(Switch::find(declaration, condition)?, Some(*slice))
            }
            Sli::RatioSlices(ratio, _) => How::Ratio(Dial::find(declaration, ratio)?),
            _ => How::Badly(Badly::Fail),
        };
        Ok(Self { slo, how, rate })
    }

    fn badly(&self) -> Option<Badly> {
        match self.how {
            How::Badly(badly) => Some(badly),
            _ => None,
        }
    }

    fn act(&self, share: f64) -> Act {
        match &self.how {
            How::Badly(badly) => badly.act(&self.slo.name, self.rate, share),
            How::Violated(switch, slice) => Act::Violate(switch.clone(), share, *slice),
            How::Ratio(dial) => Act::Hold(dial.to(dial.nearest(share))),
        }
    }

    fn words(&self, share: f64) -> String {
        match &self.how {
            How::Badly(badly) => badly.words(share),
            How::Violated(..) => format!("violated {} of the time", percent(share)),
            How::Ratio(_) => format!("{} bad", percent(share)),
        }
    }
}

fn alone(causes: &[Cause<'_>], slo: &Slo) -> Vec<Situation> {
    let budget = slo.error_budget();
    let limits = slo.burns().into_iter();
    let limits: Vec<f64> = limits.map(|burn| burn.limit(slo.period, budget)).collect();
    let situation = |cause: &Cause<'_>, share| Situation {
        what: cause.words(share),
        acts: vec![cause.act(share)],
    };
    let of_cause = |cause: &Cause<'_>| {
        let usual = match cause.how {
            How::Badly(_) => [1.0, 0.1, 0.01],
            _ => [1.0, 0.5, 0.1],
        };
        let tried = usual.into_iter().chain([2.0 * budget, budget / 2.0]);
        let shares = shares(&limits, tried).into_iter();
        let situations = shares.map(|share| situation(cause, share));
        situations.collect::<Vec<_>>()
    };
    causes.iter().flat_map(of_cause).collect()
}

/// One part bad and the others well; all of them bad.
fn of_parts(causes: &[Cause<'_>]) -> Vec<Situation> {
    let twice = |cause: &Cause<'_>| (2.0 * cause.slo.error_budget()).min(1.0);
    let mut situations = Vec::new();
    for (at, cause) in causes.iter().enumerate() {
        for share in [1.0, twice(cause)] {
            let others = causes.iter().enumerate();
            let acts = others.map(|(other, its)| its.act(if other == at { share } else { 0.0 }));
            situations.push(Situation {
                what: format!("{}: {}", cause.slo.name, cause.words(share)),
                acts: acts.collect(),
            });
        }
    }
    situations.push(Situation {
        what: "all of them: 100 %".to_owned(),
        acts: causes.iter().map(|cause| cause.act(1.0)).collect(),
    });
    situations.push(Situation {
        what: "all of them: twice their error budget".to_owned(),
        acts: causes.iter().map(|cause| cause.act(twice(cause))).collect(),
    });
    situations
}
