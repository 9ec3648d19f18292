//! Of a budget.

use std::time::Duration;

use super::{Badly, RATE, Tried, around, at, between, enough, learned, nothing, shares, sorted};
use crate::budget::{Budget, Level, Sli, Whole};
use crate::explain::length;
use crate::explain::made_up::{
    Dial, can_count, longest_range, longest_step, shared, while_it_holds,
};
use crate::explain::past::Past;
use crate::explain::play::Act;
use crate::explain::trial::{Awaited, Situation, Trial};
use crate::expr::{Expr, Selector};
use crate::generate::Declaration;
use crate::simulate::Load;

/// What all is well with, what may happen, and what comes before.
pub(super) struct Cast {
    pub(super) rate: f64,
    pub(super) good: Vec<Act>,
    pub(super) situations: Vec<Situation>,
    pub(super) intro: String,
}

pub(in crate::explain) fn of_budget(declaration: &Declaration, budget: &Budget) -> Tried {
    let always = match budget.when.as_ref() {
        None => Vec::new(),
        Some(when) => {
            apart(budget, when)?;
            vec![Act::Hold(while_it_holds(declaration, when)?)]
        }
    };
    let span = Span::of(budget);
    if let Sli::Ratio(part, whole) = &budget.sli {
        let (rest, rest_is_all) = match whole {
            Whole::Of(all) => (all, true),
            Whole::With(others) => (others, false),
        };
        can_count(declaration, &budget.name, [part, rest], rest_is_all)?;
    }
    let (mut cast, past) = match (&budget.dynamic, &budget.sli) {
        (Some(dynamic), _) => (
            learned::cast(declaration, budget, dynamic)?,
            learned::past(dynamic, &span, declaration.tick),
        ),
        (None, sli) => {
            let cast = match sli {
                Sli::Value(value) => of_value(declaration, budget, value)?,
                Sli::Age(gauge) => of_age(budget, gauge),
                _ => of_operations(budget),
            };
            (cast, Past::Well(span.history, span.step))
        }
    };
    let none = match badly(budget) {
        Badly::Counted => "no events",
        _ => "no operations",
    };
    let nothing = nothing(none, &[&budget.name], &cast.good);
    cast.situations.push(nothing);
    cast.good.extend(always.iter().cloned());
    for situation in &mut cast.situations {
        situation.acts.extend(always.iter().cloned());
    }
    let awaited = |level: Level| Awaited {
        name: level.as_str().to_owned(),
        past,
        horizon: span.horizon,
    };
    let trial = Trial {
        declaration,
        name: &budget.name,
        alerts: budget.levels().map(awaited).collect(),
        rate: cast.rate,
        good: cast.good,
        intro: cast.intro,
    };
    trial.table(&cast.situations)
}

/// Refuses where one series would have to be at two values: what lets it be judged, and what is judged.
fn apart(budget: &Budget, when: &Expr) -> Result<(), String> {
    let shared = match &budget.sli {
        Sli::Value(value) => shared(when, value),
        Sli::Age(gauge) => shared(when, &Expr::select(gauge.clone())),
        _ => None,
    };
    match shared {
        None => Ok(()),
        Some(name) => Err(format!(
            "It is judged only while {when}, which reads {name} as what is judged does: no table sets it for both. Try values with `plimsoll simulate --set`."
        )),
    }
}

/// How far back a budget looks, and how long it may take.
pub(super) struct Span {
    pub(super) window: Duration,
    pub(super) history: Duration,
    pub(super) horizon: Duration,
    /// How seldom it may be judged.
    step: Duration,
}

impl Span {
    fn of(budget: &Budget) -> Self {
        let windows = budget.levels().map(|level| budget.window(level));
        let patience = budget.levels().map(|level| {
            let (sustained, keep_firing) = budget.patience(level);
            sustained.max(keep_firing)
        });
        let (window, patience) = (
            windows.max().unwrap_or_default(),
            patience.max().unwrap_or_default(),
        );
        // An expression may look further back than the window.
        let seen = match &budget.sli {
            Sli::Value(value) => window.max(longest_range(value)),
            _ => window,
        };
        let aged = match budget.sli {
            Sli::Freshness(_) | Sli::Age(_) => limits(budget).into_iter().fold(0.0, f64::max),
            _ => 0.0,
        };
        let aged = Duration::try_from_secs_f64(aged).unwrap_or_default();
        Self {
            window,
            history: seen.saturating_add(seen / 10).max(budget.warm_up),
            horizon: [patience, aged, seen / 2, patience / 2, aged / 2]
                .into_iter()
                .fold(seen, Duration::saturating_add)
                .saturating_add(Duration::from_secs(60)),
            step: longest_step(budget.rule_group().rules.iter().map(|rule| &rule.expr)),
        }
    }
}

fn limits(budget: &Budget) -> Vec<f64> {
    let limits = budget.levels().filter_map(|level| budget.limit(level));
    limits.collect()
}

fn of_operations(budget: &Budget) -> Cast {
    let limits = limits(budget);
    let least = limits.iter().copied().fold(f64::INFINITY, f64::min);
    let most = limits.iter().copied().fold(0.0, f64::max);
    let rate = match (&budget.sli, budget.floor) {
        (Sli::Throughput(_), true) => most * 1.5,
        (Sli::Throughput(_), false) => least / 2.0,
        (Sli::Freshness(_), _) => RATE,
        _ => often_enough(budget, &allowed(budget)),
    };
    let badly = badly(budget);
    let situation = |share| Situation {
        what: badly.words(share),
        acts: vec![badly.act(&budget.name, rate, share)],
    };
    let situations = match &budget.sli {
        Sli::Throughput(_) => rates(budget, &limits),
        Sli::Freshness(_) => vec![situation(1.0)],
        _ => {
            let allowed = allowed(budget);
            let usual = [1.0, 0.1, 0.01].into_iter();
            let shares = shares(&allowed, usual.chain(around(&allowed)));
            shares.into_iter().map(situation).collect()
        }
    };
    Cast {
        rate,
        good: Vec::new(),
        situations,
        intro: format!(
            "{} of {}",
            length(Span::of(budget).history),
            badly.good(rate)
        ),
    }
}

/// How what it is about is bad.
pub(super) fn badly(budget: &Budget) -> Badly {
    match budget.sli {
        Sli::Quantile(..) => Badly::Slow,
        Sli::Ratio(..) => Badly::Counted,
        _ => Badly::Fail,
    }
}

/// The share that may be bad, of each level.
fn allowed(budget: &Budget) -> Vec<f64> {
    let limits = limits(budget).into_iter();
    match budget.sli {
        Sli::Quantile(_, q) => vec![1.0 - q],
        _ if budget.floor => limits.map(|limit| 1.0 - limit).collect(),
        _ => limits.collect(),
    }
}

/// So many of each second that windows hold what they must, and tell shares like the least of these apart.
pub(super) fn often_enough(budget: &Budget, shares: &[f64]) -> f64 {
    let windows = budget.levels().map(|level| budget.window(level));
    let shortest = windows.min().unwrap_or(budget.over);
    let least = shares.iter().copied().fold(1.0, f64::min);
    enough(shortest, least, budget.min_events.max(budget.min_bad))
}

/// Beyond the mildest limit and the gravest, and between each two.
fn rates(budget: &Budget, limits: &[f64]) -> Vec<Situation> {
    let limits = sorted(limits.iter().copied());
    let (least, most) = (limits.first(), limits.last());
    let beyond = match budget.floor {
        true => least.map(|least| [0.9, 0.5].map(|times| least * times)),
        false => most.map(|most| [1.1, 2.0].map(|times| most * times)),
    };
    let rates = beyond.into_iter().flatten().chain(between(&limits));
    let situation = |rate| Situation {
        what: format!("{rate} per second"),
        acts: vec![Act::Load(budget.name.clone(), Load::good(rate))],
    };
    sorted(rates).into_iter().map(situation).collect()
}

fn of_value(declaration: &Declaration, budget: &Budget, value: &Expr) -> Result<Cast, String> {
    let dial = Dial::find(declaration, value)?;
    let limits = limits(budget);
    // A tenth of the limit to either side, and as much again as it is.
    let by = |limit: f64, part: f64| {
        let size = if limit == 0.0 { 1.0 } else { limit.abs() };
        match budget.floor {
            true => limit - part * size,
            false => limit + part * size,
        }
    };
    let far = if budget.floor { 0.5 } else { 1.0 };
    let limits = sorted(limits.into_iter());
    let mut tried: Vec<f64> = between(&limits).collect();
    if let (Some(&least), Some(&most)) = (limits.first(), limits.last()) {
        let (mild, grave) = if budget.floor {
            (most, least)
        } else {
            (least, most)
        };
        tried.extend([by(mild, -0.1), by(grave, 0.1), by(grave, far)]);
    }
    let clears = budget
        .levels()
        .filter_map(|level| budget.clear_limit(level));
    let mildest = limits.iter().copied().chain(clears);
    let mildest = match budget.floor {
        true => mildest.fold(f64::NEG_INFINITY, f64::max),
        false => mildest.fold(f64::INFINITY, f64::min),
    };
    let good = at(&dial, dial.nearest(by(mildest, -0.5)));
    Ok(Cast {
        rate: RATE,
        situations: sorted(tried.into_iter())
            .into_iter()
            .filter(|value| dial.reaches(*value))
            .map(|value| at(&dial, value))
            .collect(),
        intro: format!(
            "{} of {value} {}",
            length(Span::of(budget).history),
            good.what
        ),
        good: good.acts,
    })
}

fn of_age(budget: &Budget, gauge: &Selector) -> Cast {
    let every = |every| vec![Act::Stamp(gauge.clone(), every)];
    let mut situations = vec![Situation {
        what: "nothing new".to_owned(),
        acts: every(None),
    }];
    let limits = limits(budget).into_iter();
    let periods = limits.flat_map(|limit| [0.9, 1.1].map(|times| limit * times));
    for period in in_whole(periods) {
        situations.push(Situation {
            what: format!("new every {}", length(period)),
            acts: every(Some(period)),
        });
    }
    Cast {
        rate: RATE,
        good: every(Some(Duration::ZERO)),
        situations,
        intro: format!(
            "{} of {} that is the time at hand",
            length(Span::of(budget).history),
            gauge.name()
        ),
    }
}

/// The longest first, each once: in whole seconds, those of a few in milliseconds.
fn in_whole(seconds: impl Iterator<Item = f64>) -> Vec<Duration> {
    let whole = |seconds: f64| match seconds {
        ..10.0 => (seconds * 1e3).round() / 1e3,
        _ => seconds.round(),
    };
    let periods = sorted(seconds.map(whole)).into_iter().rev();
    let periods = periods.filter_map(|period| Duration::try_from_secs_f64(period).ok());
    periods.filter(|period| !period.is_zero()).collect()
}
