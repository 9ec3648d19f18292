//! Of SLOs.

use std::time::Duration;

use super::budgets::{fixed, seldom, silence};
use crate::config::Problem;
use crate::slo::{BurnAlert, Severity, Slo};

pub(super) fn of(slo: &Slo, scrape: Duration) -> Vec<Problem> {
    let mut warnings = Vec::new();
    let mut warn = |field: &str, message: String| {
        warnings.push(Problem::new(
            format!("slo {:?}: {field}", slo.name),
            message,
        ));
    };
    // The parts of a composite say when there is nothing.
    if slo.absent_after.is_none() && !slo.is_composite() {
        warn("absent_after", silence("1h"));
    }
    if let Some((field, message)) = unheard(slo) {
        warn(field, message);
    }
    let shortest = slo.burns().iter().map(BurnAlert::short).min();
    if let Some(message) = shortest.and_then(|shortest| seldom(shortest, scrape)) {
        warn("burn_alert", message);
    }
    for (field, message) in slo.select().into_iter().flat_map(|of| fixed(of, &slo.per)) {
        warn(field, message);
    }
    warnings
}

/// Burn alerts that there are none of.
fn unheard(slo: &Slo) -> Option<(&'static str, String)> {
    let burns = slo.burns();
    if burns.is_empty() {
        let message = "leaves none: nobody is told how fast the error budget goes";
        return Some(("burn_alerts", message.to_owned()));
    }
    let is_page = |burn: &BurnAlert| burn.severity == Severity::Page;
    let pages = BurnAlert::usual(slo.period).iter().any(is_page);
    let dropped = slo.reachable_only && pages && !burns.iter().any(is_page);
    let message =
        "leaves no page: with this objective none could fire, so that only tickets are left";
    dropped.then(|| ("reachable_burn_alerts", message.to_owned()))
}
