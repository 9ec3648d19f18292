//! What may happen to a promise.

use std::time::Duration;

use super::percent;
use super::table::Table;
use super::trial::Trial;
use crate::budget::{Budget, Level, Sli};
use crate::config::BuildError;
use crate::generate::Declaration;
use crate::simulate::Load;
use crate::slo::{self, Slo};

/// Operations per second, where the promise is not about them.
const RATE: f64 = 10.0;

pub(super) fn of_budget(
    declaration: &Declaration,
    budget: &Budget,
) -> Result<Option<Table>, BuildError> {
    if matches!(budget.sli, Sli::Age(_) | Sli::Value(_)) || budget.dynamic.is_some() {
        return Ok(None);
    }
    let limits = budget.levels().filter_map(|level| budget.limit(level));
    let limits: Vec<f64> = limits.collect();
    let least = limits.iter().copied().fold(f64::INFINITY, f64::min);
    let most = limits.iter().copied().fold(0.0, f64::max);
    let windows = budget.levels().map(|level| budget.window(level));
    let patience = budget.levels().map(|level| budget.patience(level).0);
    let (window, patience) = (
        windows.max().unwrap_or_default(),
        patience.max().unwrap_or_default(),
    );
    let aged = match budget.sli {
        Sli::Freshness(_) => Duration::from_secs_f64(most),
        _ => Duration::ZERO,
    };
    let situations = match &budget.sli {
        Sli::Quantile(_, q) => shares(1.0 - q, slow),
        Sli::Throughput(_) => rates(&limits, budget.floor),
        Sli::Freshness(_) => vec![failing(1.0)],
        _ if budget.floor => shares(1.0 - most, failing),
        _ => shares(least, failing),
    };
    let rate = match (&budget.sli, budget.floor) {
        (Sli::Throughput(_), true) => most * 1.5,
        (Sli::Throughput(_), false) => least / 2.0,
        _ => RATE,
    };
    let trial = Trial {
        declaration,
        name: &budget.name,
        alerts: budget
            .levels()
            .map(|level| level.as_str().to_owned())
            .collect(),
        rate,
        history: (window + window / 10).max(budget.warm_up),
        horizon: (window + patience + aged) * 3 / 2 + Duration::from_secs(60),
    };
    trial.table(situations).map(Some)
}

pub(super) fn of_slo(declaration: &Declaration, slo: &Slo) -> Result<Option<Table>, BuildError> {
    let (of, burns) = (slow as fn(f64) -> Situation, slo.burns());
    let of = match slo.sli {
        slo::Sli::Latency(..) => of,
        slo::Sli::Availability(_) | slo::Sli::Ratio { .. } => failing,
        _ => return Ok(None),
    };
    let longest = burns.iter().map(|burn| burn.long).max().unwrap_or_default();
    let silence = slo.absent_after.unwrap_or_default();
    let mut alerts: Vec<_> = burns
        .iter()
        .map(|burn| burn.severity.as_str().to_owned())
        .collect();
    alerts.sort();
    alerts.dedup();
    alerts.extend(slo.absent_after.map(|_| Level::Absent.as_str().to_owned()));
    let trial = Trial {
        declaration,
        name: &slo.name,
        alerts,
        rate: RATE,
        history: longest + longest / 20,
        horizon: longest * 5 / 4 + silence * 2,
    };
    trial.table(shares(slo.error_budget(), of)).map(Some)
}

/// In words, and what then comes.
pub(super) type Situation = (String, Load);

fn failing(share: f64) -> Situation {
    let load = Load {
        rate: RATE,
        errors: share,
        slow: 0.0,
    };
    (format!("{} fail", percent(share)), load)
}

fn slow(share: f64) -> Situation {
    let load = Load {
        rate: RATE,
        errors: 0.0,
        slow: share,
    };
    (format!("{} too slow", percent(share)), load)
}

pub(super) fn good(rate: f64) -> Load {
    Load {
        rate,
        errors: 0.0,
        slow: 0.0,
    }
}

/// The worst first, and on both sides of what is allowed.
fn shares(allowed: f64, of: fn(f64) -> Situation) -> Vec<Situation> {
    let mut shares = vec![1.0, 0.1, 0.01, 2.0 * allowed, allowed / 2.0];
    shares.retain(|share| (1e-6..=1.0).contains(share));
    shares.sort_by(|a, b| b.total_cmp(a));
    shares.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    shares.into_iter().map(of).collect()
}

/// On both sides of each limit.
fn rates(limits: &[f64], floor: bool) -> Vec<Situation> {
    let beyond = if floor { [0.9, 0.5] } else { [1.1, 2.0] };
    let mut rates: Vec<f64> = limits
        .iter()
        .flat_map(|limit| beyond.map(|times| limit * times))
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let words = |rate: f64| format!("{} per second", (rate * 1e6).round() / 1e6);
    let situations = rates.into_iter().map(|rate| (words(rate), good(rate)));
    situations.collect()
}
