//! What was done about breaches.

use super::sheet::{Number, Sheet};
use crate::family::Kind;
use crate::registry::{ActCount, Acts};

/// Shows it, budget by budget.
pub(super) fn show(acts: &Acts, sheet: &mut impl Sheet) {
    let mut family = |name, help, kind, count| {
        sheet.family(name, help, kind);
        acts.each(count, |budget, number| {
            let labels = [("budget", budget)];
            sheet.sample(labels.into_iter(), Number::Integer(number));
        });
    };
    family(
        "plimsoll_shed_total",
        "Requests that were shed because of a budget's breach.",
        Kind::Counter,
        ActCount::Shed,
    );
    family(
        "plimsoll_broken_total",
        "Calls that a breaker refused because of a budget's breach.",
        Kind::Counter,
        ActCount::Broken,
    );
    family(
        "plimsoll_breaker_state",
        "0 closed, 1 half-open, 2 open.",
        Kind::Gauge,
        ActCount::BreakerState,
    );
}
