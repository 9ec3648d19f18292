//! Structured `tracing` events. Target `plimsoll::alert`: an event per edge, `WARN` for a breach, `INFO` for a recovery.
//! Target `plimsoll::rules`: an event per change of an alert of a group of rules, `WARN` when it fires.
//! Target `plimsoll::slow`: a `WARN` per line of the slow log. Target `plimsoll::watchdog`: a `WARN` per query that is still
//! running. Target `plimsoll::queries`: a `WARN` per request that queries too much. Target `plimsoll::setup`: a `WARN` per
//! warning.

use std::sync::Arc;

use tracing::dispatcher::{self, Dispatch};
use tracing::field::display;
use tracing::subscriber::NoSubscriber;

use super::queue::Callback;
use super::{AlertEvent, Event, EventKind, Warning};
use crate::registry::{QueryFinding, RunningQuery, SlowOperation};
use crate::rule::AlertState;

/// Writes edges.
pub(crate) fn subscriber() -> Callback {
    let written = under_the_builder(write);
    Box::new(written)
}

/// Writes alerts of groups of rules.
pub(crate) fn alerts() -> Callback<Arc<AlertEvent>> {
    let written = under_the_builder(write_alert);
    Box::new(move |alert| written(alert))
}

fn write_alert(alert: &AlertEvent) {
    let since = humantime::format_rfc3339_millis(alert.active_at);
    let (name, labels, state) = (&alert.name, &alert.labels, alert.to.as_str());
    let value = alert.value;
    match alert.to {
        AlertState::Firing => {
            tracing::warn!(target: "plimsoll::rules", alert = name, %labels, state, value, since = %since, "{alert}");
        }
        _ => {
            tracing::info!(target: "plimsoll::rules", alert = name, %labels, state, value, since = %since, "{alert}");
        }
    }
}

/// Writes lines of the slow log.
pub(crate) fn slow_log() -> Callback<Arc<SlowOperation>> {
    let written = under_the_builder(write_slow);
    Box::new(move |slow| written(slow))
}

/// Writes queries that are still running.
pub(crate) fn watchdog() -> Callback<Arc<RunningQuery>> {
    let written = under_the_builder(write_running);
    Box::new(move |query| written(query))
}

/// Writes requests that query too much.
pub(crate) fn findings() -> Callback<Arc<QueryFinding>> {
    let written = under_the_builder(write_finding);
    Box::new(move |finding| written(finding))
}

/// Writes warnings.
pub(crate) fn warnings() -> Callback<Warning> {
    Box::new(under_the_builder(write_warning))
}

fn write_warning(warning: &Warning) {
    let Warning {
        kind,
        subject,
        what,
        mend,
    } = warning;
    tracing::warn!(target: "plimsoll::setup", kind, %subject, mend, "{what}");
}

/// Writes what it is shown.
fn under_the_builder<T>(write: fn(&T)) -> impl Fn(&T) + Send + Sync {
    let voice = Voice::new();
    move |what| voice.say(|| write(what))
}

/// Writes to the subscriber in force where the instance was built, or else to the global one.
struct Voice(Dispatch);

impl Voice {
    fn new() -> Self {
        Self(dispatcher::get_default(Dispatch::clone))
    }

    fn say(&self, write: impl FnOnce()) {
        if self.0.is::<NoSubscriber>() {
            write();
        } else {
            dispatcher::with_default(&self.0, write);
        }
    }
}

fn write(event: &Event) {
    let since = humantime::format_rfc3339_millis(event.since);
    let labels = event.kept_by();
    let labels = labels.as_deref();
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
            tracing::warn!(target: "plimsoll::alert", %budget, labels, %level, value, limit, unit, %since, "breach");
        }
        EventKind::Recovery => {
            tracing::info!(target: "plimsoll::alert", %budget, labels, %level, value, limit, unit, %since, "recovery");
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
        let n_plus_one = slow.anatomy.as_ref().and_then(|it| it.n_plus_one.as_ref());
        let (anatomy, n_plus_one) = (slow.anatomy.as_ref().map(display), n_plus_one.map(display));
        tracing::warn!(target: "plimsoll::slow", method, route, status = code, end, duration, trace_id, queries, n_plus_one, anatomy, "slow request");
    } else {
        let (operation, model) = (slow.label("operation"), slow.label("model"));
        let query = slow.label("query");
        tracing::warn!(target: "plimsoll::slow", operation, model, query, end, duration, trace_id, "slow query");
    }
}

fn write_running(query: &RunningQuery) {
    let (name, age) = (query.name(), query.age.as_secs_f64());
    let trace_id = query.trace_id.map(display);
    tracing::warn!(target: "plimsoll::watchdog", query = name, age, trace_id, "query still running");
}

fn write_finding(finding: &QueryFinding) {
    let (method, route) = (finding.label("method"), finding.label("route"));
    let (duration, trace_id) = (
        finding.duration.as_secs_f64(),
        finding.trace_id.map(display),
    );
    let QueryFinding {
        kind,
        query,
        count,
        suppressed,
        ..
    } = finding;
    tracing::warn!(target: "plimsoll::queries", %kind, method, route, query, count, duration, trace_id, suppressed, "too many queries");
}
