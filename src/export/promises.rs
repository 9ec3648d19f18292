//! What was promised, how it stands, and who was told.

use crate::budget::{SLI_BAD, SLI_VALID};
use crate::engine::Engine;
use crate::family::{Family, Kind, Value};

/// The families of budgets, of the tick, and of subscribers.
pub(super) fn families(engine: &Engine) -> impl Iterator<Item = Family> {
    slis(engine)
        .into_iter()
        .chain(readings(engine))
        .chain(subscribers(engine))
        .chain([Family::new(
            "plimsoll_ticks_total",
            "How often budgets were judged.",
            Kind::Counter,
        )
        .with(&[], Value::Integer(engine.ticks()))])
}

fn slis(engine: &Engine) -> [Family; 2] {
    let mut valid = Family::new(
        SLI_VALID,
        "Operations that a budget speaks of.",
        Kind::Counter,
    );
    let mut bad = Family::new(
        SLI_BAD,
        "Those of them that were too slow or failed.",
        Kind::Counter,
    );
    for count in engine.sli_counts() {
        let labels = [
            ("budget", count.budget.as_str()),
            ("level", count.level.as_str()),
        ];
        valid.add(&labels, Value::Integer(count.valid));
        bad.add(&labels, Value::Integer(count.bad));
    }
    [valid, bad]
}

fn readings(engine: &Engine) -> [Family; 3] {
    let gauge = |name, help| Family::new(name, help, Kind::Gauge);
    let mut state = gauge(
        "plimsoll_budget_state",
        "0 kept, 1 exceeded but not for long enough, 2 breached.",
    );
    let mut value = gauge(
        "plimsoll_budget_value",
        "The measured value, in the unit of the limit.",
    );
    let mut limit = gauge(
        "plimsoll_budget_limit",
        "The limit: seconds, operations per second, or a plain number.",
    );
    for reading in engine.readings() {
        let labels = [
            ("budget", reading.budget.as_str()),
            ("level", reading.level.as_str()),
        ];
        state.add(&labels, Value::Integer(reading.state.as_number().into()));
        limit.add(&labels, Value::Float(reading.limit));
        if let Some(measured) = reading.value {
            value.add(&labels, Value::Float(measured));
        }
    }
    [state, value, limit]
}

fn subscribers(engine: &Engine) -> [Family; 4] {
    let counter = |name, help| Family::new(name, help, Kind::Counter);
    let mut families = [
        counter(
            "plimsoll_events_delivered_total",
            "Breaches and recoveries that a subscriber has dealt with.",
        ),
        counter(
            "plimsoll_events_dropped_total",
            "Stale ones that were dropped because its queue was full.",
        ),
        counter(
            "plimsoll_callback_panics_total",
            "Those that its callback panicked over.",
        ),
        counter(
            "plimsoll_callbacks_stuck_total",
            "Calls that took longer than ten seconds.",
        ),
    ];
    for stats in engine.hub().stats() {
        let counts = [stats.delivered, stats.dropped, stats.panics, stats.stuck];
        for (family, count) in families.iter_mut().zip(counts) {
            family.add(&[("subscriber", &stats.name)], Value::Integer(count));
        }
    }
    families
}
