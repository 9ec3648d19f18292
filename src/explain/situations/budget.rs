//! Of a budget.

use std::time::Duration;

use super::{Badly, RATE, Tried, at, learned, nothing, shares, sorted, tidy};
use crate::budget::{Budget, Sli};
use crate::explain::length;
use crate::explain::made_up::{Dial, longest_range, shared, while_it_holds};
use crate::explain::past::Past;
use crate::explain::play::Act;
use crate::explain::trial::{Situation, Trial};
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
        Some(when) => match apart(budget, when).and_then(|()| while_it_holds(declaration, when)) {
            Ok(settings) => vec![Act::Hold(settings)],
            Err(why) => return Ok(Err(why)),
        },
    };
    let span = Span::of(budget);
    let found = match (&budget.dynamic, &budget.sli) {
        (Some(dynamic), _) => {
            let before = learned::past(dynamic, &span, declaration.tick);
            learned::cast(declaration, budget, dynamic).map(|cast| (cast, before))
        }
        (None, sli) => {
            let cast = match sli {
                Sli::Value(value) => of_value(declaration, budget, value),
                Sli::Age(gauge) => Ok(of_age(budget, gauge)),
                _ => Ok(of_operations(budget)),
            };
            cast.map(|cast| (cast, Past::Well(span.history)))
        }
    };
    let (mut cast, past) = match found {
        Ok(found) => found,
        Err(why) => return Ok(Err(why)),
    };
    cast.situations.push(nothing(&[&budget.name], &cast.good));
    cast.good.extend(always.iter().cloned());
    for situation in &mut cast.situations {
        situation.acts.extend(always.iter().cloned());
    }
    let alerts = budget.levels().map(|level| level.as_str().to_owned());
    let trial = Trial {
        declaration,
        name: &budget.name,
        alerts: alerts.collect(),
        rate: cast.rate,
        good: cast.good,
        past,
        horizon: span.horizon,
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
        _ => enough(budget),
    };
    let name = &budget.name;
    let bad = |badly: Badly, shares: Vec<f64>| -> Vec<Situation> {
        let situation = |share| Situation {
            what: badly.words(share),
            acts: vec![badly.act(name, rate, share)],
        };
        shares.into_iter().map(situation).collect()
    };
    let usual = [1.0, 0.1, 0.01];
    let situations = match &budget.sli {
        Sli::Quantile(_, q) => bad(Badly::Slow, shares(1.0 - q, &usual)),
        Sli::Throughput(_) => rates(budget, &limits),
        Sli::Freshness(_) => bad(Badly::Fail, vec![1.0]),
        _ if budget.floor => bad(Badly::Fail, shares(1.0 - most, &usual)),
        _ => bad(Badly::Fail, shares(least, &usual)),
    };
    Cast {
        rate,
        good: Vec::new(),
        situations,
        intro: format!(
            "{} of {} good operations per second",
            length(Span::of(budget).history),
            tidy(rate)
        ),
    }
}

/// So many operations that windows hold what they must.
pub(super) fn enough(budget: &Budget) -> f64 {
    let windows = budget.levels().map(|level| budget.window(level));
    let shortest = windows.min().unwrap_or(budget.over).as_secs_f64();
    RATE.max((2.0 * budget.min_events as f64 / shortest).ceil())
}

/// On both sides of each limit.
fn rates(budget: &Budget, limits: &[f64]) -> Vec<Situation> {
    let beyond = if budget.floor { [0.9, 0.5] } else { [1.1, 2.0] };
    let rates = limits
        .iter()
        .flat_map(|limit| beyond.map(|times| limit * times));
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
    let tried = limits
        .iter()
        .flat_map(|&limit| [-0.1, 0.1, far].map(|part| by(limit, part)));
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
        situations: sorted(tried)
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
    let periods = limits(budget).into_iter();
    let periods = sorted(periods.flat_map(|limit| [0.9, 1.1].map(|times| limit * times)));
    for period in periods.into_iter().rev() {
        let Ok(period) = Duration::try_from_secs_f64(period.round()) else {
            continue;
        };
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
