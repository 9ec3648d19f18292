//! Structured `tracing` events. Target `plimsoll::alert`: an event per edge, `WARN` for a breach, `INFO` for a recovery.
//! Target `plimsoll::slow`: a `WARN` per line of the slow log.

use std::sync::Arc;

use tracing::dispatcher::{self, Dispatch};
use tracing::field::display;
use tracing::subscriber::NoSubscriber;

use super::queue::Callback;
use super::{Event, EventKind};
use crate::registry::SlowOperation;

/// Writes edges.
pub(crate) fn subscriber() -> Callback {
    let written = under_the_builder(write);
    Box::new(written)
}

/// Writes lines of the slow log.
pub(crate) fn slow_log() -> Callback<Arc<SlowOperation>> {
    let written = under_the_builder(write_slow);
    Box::new(move |slow| written(slow))
}

/// Writes to the subscriber in force where the instance was built, or else to the global one.
fn under_the_builder<T>(write: fn(&T)) -> impl Fn(&T) + Send + Sync {
    let built_under = dispatcher::get_default(Dispatch::clone);
    move |what| {
        if built_under.is::<NoSubscriber>() {
            write(what);
        } else {
            dispatcher::with_default(&built_under, || write(what));
        }
    }
}

fn write(event: &Event) {
    let since = humantime::format_rfc3339_millis(event.since);
    let Event {
        budget,
        level,
        value,
        limit,
        unit,
        ..
    } = event;
    match event.kind {
        EventKind::Breach => {
            tracing::warn!(target: "plimsoll::alert", %budget, %level, value, limit, unit, %since, "breach");
        }
        EventKind::Recovery => {
            tracing::info!(target: "plimsoll::alert", %budget, %level, value, limit, unit, %since, "recovery");
        }
    }
}

/// The labels are route templates and names that the service chose: nothing that a client sent.
fn write_slow(slow: &SlowOperation) {
    let (duration, trace_id) = (slow.duration.as_secs_f64(), slow.trace_id.map(display));
    let SlowOperation { end, code, .. } = slow;
    if slow.kind == "http" {
        let (method, route) = (slow.label("method"), slow.label("route"));
        let queries = slow.anatomy.as_ref().map(|anatomy| anatomy.queries);
        let anatomy = slow.anatomy.as_ref().map(display);
        tracing::warn!(target: "plimsoll::slow", method, route, status = code, end, duration, trace_id, queries, anatomy, "slow request");
    } else {
        let (operation, model) = (slow.label("operation"), slow.label("model"));
        tracing::warn!(target: "plimsoll::slow", operation, model, end, duration, trace_id, "slow query");
    }
}
