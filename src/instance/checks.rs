//! What cannot be meant as it is configured.

use std::time::Duration;

use super::NotReady;
use super::budgets::{self, taken};
use super::readable::Readable;
use super::{rules, slos};
use crate::budget::check::name_problem;
use crate::config::{Problem, Settings, Thresholds};
use crate::expr::is_family_name;
use crate::family::Foreign;
use crate::naming::Naming;
use crate::registry::{Label, keys};

/// Lines that the slow log may have for each kind of work.
const MAX_SLOW: usize = 1_000;

pub(super) fn find_problems(
    settings: &Settings,
    tick: Duration,
    naming: &Naming,
    readable: &Readable<'_>,
    thresholds: &Thresholds,
    labels: &[Label],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = settings.service.as_deref().and_then(name_problem);
    problems.extend(name.map(|message| Problem::new("service", message)));
    if tick < Duration::from_millis(1) {
        problems.push(Problem::new(
            "tick",
            format!("{tick:?} is too short: it takes at least 1ms"),
        ));
    }
    if settings.max_series == Some(0) {
        problems.push(Problem::new(
            "max_series",
            "0 leaves no room for any series: it takes at least 1",
        ));
    }
    for name in settings
        .expected
        .iter()
        .filter(|name| !is_family_name(name))
    {
        let message = format!(
            "{name:?} is no name of a family: write letters, digits, _ and :, and no digit first"
        );
        problems.push(Problem::new("expect_families", message));
    }
    for (field, threshold) in [
        ("slow_request", thresholds.slow_request),
        ("slow_query", thresholds.slow_query),
    ] {
        if threshold.is_zero() || threshold > Duration::from_secs(3600) {
            problems.push(Problem::new(
                field,
                format!("{threshold:?} is outside what is measured: at most an hour"),
            ));
        }
    }
    problems.extend(
        naming
            .problems()
            .into_iter()
            .map(|(field, message)| Problem::new(field, message)),
    );
    for file in &settings.rules {
        problems.extend(rules::problems(file, readable));
    }
    for (i, budget) in settings.budgets.iter().enumerate() {
        if settings.budgets[..i]
            .iter()
            .any(|earlier| earlier.name == budget.name)
        {
            problems.push(taken(&budget.name));
        }
        let keys = budget
            .select()
            .map_or(Vec::new(), |select| keys(select.domain, labels));
        problems.extend(budgets::problems(budget, tick, readable, &keys));
    }
    problems
}

/// What is wrong with the SLOs, and with what is expected of them.
pub(super) fn slo_problems(
    settings: &Settings,
    tick: Duration,
    readable: &Readable<'_>,
    labels: &[Label],
    not_ready: &[NotReady],
) -> Vec<Problem> {
    let (all, budgets) = (&settings.slos, &settings.budgets);
    let mut problems = Vec::new();
    for (i, slo) in all.iter().enumerate() {
        let is_named = |name: &str| name == slo.name;
        let earlier = all[..i].iter().any(|earlier| is_named(&earlier.name));
        if earlier || budgets.iter().any(|budget| is_named(&budget.name)) {
            problems.push(slos::taken(&slo.name));
        }
        let select = slo.select();
        let keys = select.map_or(Vec::new(), |select| keys(select.domain, labels));
        problems.extend(slos::problems(slo, tick, readable, &keys, all));
    }
    let known = |name: &str| {
        let mut names = budgets.iter().map(|budget| &budget.name);
        names.any(|known| known == name) || all.iter().any(|slo| slo.name == name)
    };
    let unknown = not_ready.iter().filter_map(NotReady::name);
    let unknown = unknown.filter(|name| !known(name));
    let message = "is no budget and no SLO: name one that is declared";
    problems.extend(unknown.map(|name| Problem::new(format!("not_ready_when {name:?}"), message)));
    problems
}

pub(super) fn slow_log_problem((count, period): (usize, Duration)) -> Option<Problem> {
    let message = if count > MAX_SLOW {
        format!("{count} at a time are too many: at most {MAX_SLOW}")
    } else if count > 0 && period.is_zero() {
        "has no period: give it a second or more".to_owned()
    } else {
        return None;
    };
    Some(Problem::new("slow_log", message))
}

/// What is wrong with how queries are watched.
pub(super) fn query_problems(settings: &Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    if settings.query_watchdog == Some(Duration::ZERO) {
        let message = "0ns is no limit: give it more than the queries should take";
        problems.push(Problem::new("query_watchdog", message));
    }
    if settings.n_plus_one == Some(1) {
        let message = "1 makes a finding of every query: it takes at least 2, or 0 for none";
        problems.push(Problem::new("n_plus_one", message));
    }
    problems
}

/// Bounds for the facade that no histogram could have.
pub(super) fn facade_problems(foreign: &Foreign) -> impl Iterator<Item = Problem> {
    let bounds = foreign.bounds.iter();
    let bounds =
        bounds.flat_map(|(suffix, bounds)| bounds.iter().map(move |bound| (suffix, bound)));
    let unsound = bounds.filter(|(_, bound)| !(bound.is_finite() && **bound >= 0.0));
    unsound.map(|(suffix, bound)| {
        let message = format!("bound {bound} is not a number from 0 up");
        Problem::new(format!("facade_bounds {suffix:?}"), message)
    })
}
