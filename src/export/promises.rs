//! What was promised, how it stands, and who was told.

use super::sheet::{Number, Sheet};
use crate::alert::{Hub, SubscriberStats};
use crate::budget::{SLI_BAD, SLI_VALID};
use crate::engine::{BudgetReading, Engine, Judge, SliCount};
use crate::family::Kind;

/// Shows the families of budgets, of the tick, and of subscribers.
pub(super) fn show(engine: &Engine, sheet: &mut impl Sheet) {
    engine.look(|judge| {
        slis(judge, sheet);
        readings(judge, sheet);
        sheet.family(
            "plimsoll_ticks_total",
            "How often budgets were judged.",
            Kind::Counter,
        );
        sheet.sample([].into_iter(), Number::Integer(judge.ticks()));
    });
    subscribers(engine.hub(), sheet);
}

/// One family, with a sample for each of `all` that has a number.
fn family<'a, T: 'a, const N: usize>(
    sheet: &mut impl Sheet,
    (name, help, kind): (&str, &str, Kind),
    all: impl Iterator<Item = &'a T>,
    labels: impl Fn(&'a T) -> [(&'a str, &'a str); N],
    number: impl Fn(&T) -> Option<Number<'static>>,
) {
    sheet.family(name, help, kind);
    for one in all {
        if let Some(number) = number(one) {
            sheet.sample(labels(one).into_iter(), number);
        }
    }
}

fn slis(judge: &Judge, sheet: &mut impl Sheet) {
    fn labels(count: &SliCount) -> [(&str, &str); 2] {
        [("budget", &count.budget), ("level", count.level.as_str())]
    }
    let valid = (
        SLI_VALID,
        "Operations that a budget speaks of.",
        Kind::Counter,
    );
    let bad = (
        SLI_BAD,
        "Those of them that were too slow or failed.",
        Kind::Counter,
    );
    family(sheet, valid, judge.sli_counts(), labels, |count| {
        Some(Number::Integer(count.valid))
    });
    family(sheet, bad, judge.sli_counts(), labels, |count| {
        Some(Number::Integer(count.bad))
    });
}

fn readings(judge: &Judge, sheet: &mut impl Sheet) {
    fn labels(reading: &BudgetReading) -> [(&str, &str); 2] {
        [
            ("budget", &reading.budget),
            ("level", reading.level.as_str()),
        ]
    }
    let state = (
        "plimsoll_budget_state",
        "0 kept, 1 exceeded but not for long enough, 2 breached.",
        Kind::Gauge,
    );
    let value = (
        "plimsoll_budget_value",
        "The measured value, in the unit of the limit.",
        Kind::Gauge,
    );
    let limit = (
        "plimsoll_budget_limit",
        "The limit: seconds, operations per second, or a plain number.",
        Kind::Gauge,
    );
    family(sheet, state, judge.readings(), labels, |reading| {
        Some(Number::Integer(reading.state.as_number().into()))
    });
    family(sheet, value, judge.readings(), labels, |reading| {
        reading.value.map(Number::Float)
    });
    family(sheet, limit, judge.readings(), labels, |reading| {
        Some(Number::Float(reading.limit))
    });
}

fn subscribers(hub: &Hub, sheet: &mut impl Sheet) {
    let mut counter = |name, help, count: fn(&SubscriberStats) -> u64| {
        sheet.family(name, help, Kind::Counter);
        hub.each_stats(|stats| {
            let labels = [("subscriber", &*stats.name)];
            sheet.sample(labels.into_iter(), Number::Integer(count(&stats)));
        });
    };
    counter(
        "plimsoll_events_delivered_total",
        "Breaches, recoveries and lines of the slow log that a subscriber has dealt with.",
        |stats| stats.delivered,
    );
    counter(
        "plimsoll_events_dropped_total",
        "Stale ones that were dropped because its queue was full.",
        |stats| stats.dropped,
    );
    counter(
        "plimsoll_callback_panics_total",
        "Those that its callback panicked over.",
        |stats| stats.panics,
    );
    counter(
        "plimsoll_callbacks_stuck_total",
        "Calls that took longer than ten seconds.",
        |stats| stats.stuck,
    );
}
