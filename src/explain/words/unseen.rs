//! What a promise does not see.

use super::kind;
use crate::budget::{Budget, Select};
use crate::explain::{length, percent};
use crate::generate::is_silent;
use crate::slo::Slo;

const SILENCE: &str = "silence: without events there is nothing to judge (absent_after would tell)";

fn chance(confidence: f64) -> String {
    format!(
        "what may be chance: it must be sure to {}",
        percent(confidence)
    )
}

pub(in crate::explain) fn unseen_of_budget(budget: &Budget) -> Vec<String> {
    let mut unseen = Vec::new();
    if budget.min_events > 1 {
        unseen.push(format!(
            "windows with fewer than {} events",
            budget.min_events
        ));
    }
    if budget.min_bad > 0 {
        unseen.push(format!(
            "windows with fewer than {} bad events, whatever their share",
            budget.min_bad
        ));
    }
    unseen.extend(budget.confidence.map(chance));
    if !budget.warm_up.is_zero() {
        unseen.push(format!("the first {} of a process", length(budget.warm_up)));
    }
    if let Some(when) = &budget.when {
        unseen.push(format!("times at which this does not hold: {when}"));
    }
    if is_silent(budget) {
        unseen.push(SILENCE.to_owned());
    }
    unseen.extend(of_operations(budget.select()));
    unseen
}

pub(in crate::explain) fn unseen_of_slo(slo: &Slo) -> Vec<String> {
    let mut unseen = Vec::new();
    if slo.min_events > 0 {
        unseen.push(format!(
            "long windows with fewer than {} events",
            slo.min_events
        ));
    }
    unseen.extend(slo.confidence.map(chance));
    if slo.absent_after.is_none() {
        unseen.push(SILENCE.to_owned());
    }
    unseen.extend(
        slo.maintenance
            .first()
            .map(|_| "events within announced maintenance".to_owned()),
    );
    unseen.extend(of_operations(slo.select()));
    unseen
}

fn of_operations(select: Option<&Select>) -> Vec<String> {
    let Some(select) = select else {
        return Vec::new();
    };
    let mut unseen: Vec<String> = select
        .except
        .iter()
        .map(|(key, value)| format!("{} whose {key} is {value}", kind(select.domain)))
        .collect();
    unseen.push("what a layer refused in place of the service (shed, broken)".to_owned());
    unseen
        .push("a process that is down: it counts nothing; Prometheus sees that by `up`".to_owned());
    unseen
}
