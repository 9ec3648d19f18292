//! Of an SLO: it is bad in the whole, or in a part; of one that is made of others, each of them is, or all are.

use std::time::Duration;

use super::{Badly, RATE, Tried, nothing, shares};
use crate::budget::Level;
use crate::explain::made_up::{Dial, Switch};
use crate::explain::past::Past;
use crate::explain::play::Act;
use crate::explain::trial::{Situation, Trial};
use crate::explain::{length, percent};
use crate::generate::Declaration;
use crate::slo::{Sli, Slo};

pub(in crate::explain) fn of_slo(declaration: &Declaration, slo: &Slo) -> Tried {
    let alerts = alerts(slo);
    if alerts.is_empty() {
        return Ok(Err("It has no alert that could fire.".to_owned()));
    }
    let parts = parts(declaration, slo);
    let found = parts.iter().map(|part| Cause::of(declaration, part));
    let causes: Vec<Cause<'_>> = match found.collect() {
        Ok(causes) => causes,
        Err(why) => return Ok(Err(why)),
    };
    let burns = slo.burns();
    let longest = burns.iter().map(|burn| burn.long).max().unwrap_or_default();
    let silence = slo.absent_after.unwrap_or_default();
    let history = longest + longest / 20;
    let step = step(declaration, slo, &parts);
    let good: Vec<Act> = causes.iter().map(|cause| cause.act(0.0)).collect();
    let mut situations = match slo.is_composite() {
        true => of_parts(&causes),
        false => alone(&causes, slo.error_budget()),
    };
    let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
    situations.push(nothing(&names, &good));
    let operations = causes
        .iter()
        .any(|cause| matches!(cause.how, How::Badly(_)));
    let intro = match operations {
        true => format!("{} of {RATE} good operations per second", length(history)),
        false => format!("{} in which all is well", length(history)),
    };
    let trial = Trial {
        declaration,
        name: &slo.name,
        alerts,
        rate: RATE,
        good,
        past: match step {
            Some(step) => Past::Even(history, step),
            None => Past::Well(history),
        },
        horizon: longest * 5 / 4 + silence * 2,
        intro,
    };
    trial.table(&situations)
}

/// Severities, and silence.
fn alerts(slo: &Slo) -> Vec<String> {
    let burns = slo.burns().into_iter();
    let mut alerts: Vec<_> = burns
        .map(|burn| burn.severity.as_str().to_owned())
        .collect();
    alerts.sort();
    alerts.dedup();
    alerts.extend(slo.absent_after.map(|_| Level::Absent.as_str().to_owned()));
    alerts
}

/// Those that it is made of, however deep; itself if it is made of none.
fn parts<'a>(declaration: &'a Declaration, slo: &'a Slo) -> Vec<&'a Slo> {
    let mut parts = slo.with_parts(&declaration.slos);
    parts.retain(|part| !part.is_composite());
    parts
}

/// Where ticks or slices are counted, each weighs as much as any other: in which even steps time passes then.
fn step(declaration: &Declaration, slo: &Slo, parts: &[&Slo]) -> Option<Duration> {
    let all = || parts.iter().copied().chain([slo]);
    let operations = all().all(|slo| matches!(slo.unit(), "events" | ""));
    if operations {
        return None;
    }
    let burns = slo.burns();
    let of_burns = burns.iter().map(|burn| {
        let events = match slo.min_events {
            0 => burn.long,
            least => burn.long / u32::try_from(least).unwrap_or(u32::MAX) / 2,
        };
        (burn.short() / 20).min(events)
    });
    let of_slices = all().filter_map(|slo| match slo.sli {
        Sli::TimeSlice(_, slice) | Sli::RatioSlices(_, slice) => Some(slice / 5),
        _ => None,
    });
    let shortest = of_burns.chain(of_slices).min()?;
    let whole = Duration::from_secs(shortest.as_secs());
    Some(whole.max(declaration.tick))
}

/// What makes an SLO bad.
struct Cause<'a> {
    slo: &'a Slo,
    how: How,
}

enum How {
    Badly(Badly),
    /// A condition that does not hold, at ticks or in slices.
    Violated(Switch, Option<Duration>),
    /// An error ratio of its own.
    Ratio(Dial),
}

impl<'a> Cause<'a> {
    fn of(declaration: &Declaration, slo: &'a Slo) -> Result<Self, String> {
        let how = match &slo.sli {
            Sli::Latency(..) => How::Badly(Badly::Slow),
            Sli::Time(condition) => How::Violated(Switch::find(declaration, condition)?, None),
            Sli::TimeSlice(condition, slice) => {
                How::Violated(Switch::find(declaration, condition)?, Some(*slice))
            }
            Sli::RatioSlices(ratio, _) => How::Ratio(Dial::find(declaration, ratio)?),
            _ => How::Badly(Badly::Fail),
        };
        Ok(Self { slo, how })
    }

    fn act(&self, share: f64) -> Act {
        match &self.how {
            How::Badly(badly) => badly.act(&self.slo.name, RATE, share),
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

fn alone(causes: &[Cause<'_>], budget: f64) -> Vec<Situation> {
    let situation = |cause: &Cause<'_>, share| Situation {
        what: cause.words(share),
        acts: vec![cause.act(share)],
    };
    let of_cause = |cause: &Cause<'_>| {
        let usual: &[f64] = match cause.how {
            How::Badly(_) => &[1.0, 0.1, 0.01],
            _ => &[1.0, 0.5, 0.1],
        };
        let shares = shares(budget, usual).into_iter();
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
