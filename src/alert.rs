//! Why it exists: whoever must hear of a breach may be slow, may block and may panic, and nobody else must notice.
//!
//! Every subscriber has a bounded queue of its own and a worker thread that starts with the first event. A full queue
//! drops the oldest event that a newer one of the same rule makes stale, so the last edge of a rule is never lost;
//! what is dropped is counted. A callback that panics is caught and counted (under `panic = "abort"` the process
//! ends, as for any panic); one that has been running for [`STUCK_AFTER`] is counted as stuck.
//!
//! ```
//! use plimsoll::{Budget, EventKind, Plimsoll, Select};
//!
//! let plimsoll = Plimsoll::builder()
//!     .budget(Budget::error_ratio("errors", Select::http()).at_most(0.001))
//!     .on_breach(|breach| eprintln!("{breach}"))
//!     .on_recovery(|recovery| eprintln!("{recovery}"))
//!     .build()?;
//! let events = plimsoll.subscribe();
//! assert!(events.try_recv().is_none());
//! # Ok::<(), plimsoll::BuildError>(())
//! ```
//!
//! This room never looks at a histogram, and nothing waits for it.

mod queue;
#[cfg(feature = "tracing")]
mod trace;

pub(crate) use queue::{Callback, Hub, SubscriberStats};
#[cfg(feature = "tracing")]
pub(crate) use trace::{
    alerts as tracing_alerts, findings as tracing_findings, slow_log as tracing_slow_log,
    subscriber as tracing_subscriber, warnings as tracing_warnings, watchdog as tracing_watchdog,
};

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use crate::budget::Level;
use crate::expr::Labels;
use crate::rule::AlertState;

/// A callback that has been running for so long is counted as stuck.
pub const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Events that a subscriber's queue holds before it drops stale ones.
pub const QUEUE_CAPACITY: usize = 1024;

/// Which way a rule went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// It began to fire.
    Breach,
    /// It stopped.
    Recovery,
}

/// One edge of one budget's level.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Which way it went.
    pub kind: EventKind,
    /// The budget's name.
    pub budget: Arc<str>,
    /// The labels that it is kept by ([`Budget::per`](crate::Budget::per)), with their values; empty for one that is
    /// kept as one.
    pub labels: Arc<[(&'static str, String)]>,
    /// The level that was breached or recovered.
    pub level: Level,
    /// The measured value in `unit`; `None` if nothing was measured any more.
    pub value: Option<f64>,
    /// The limit in `unit`.
    pub limit: f64,
    /// `s`, `1/s`, or empty for ratios and plain values.
    pub unit: &'static str,
    /// When the condition began to hold.
    pub since: SystemTime,
    /// When the edge was found.
    pub at: SystemTime,
}

impl Event {
    /// `route=/devices/{id}`; `None` if the budget is kept as one.
    fn kept_by(&self) -> Option<String> {
        let labels = self.labels.iter();
        let labels = labels.map(|(key, value)| format!("{key}={value}"));
        labels.reduce(|all, label| format!("{all} {label}"))
    }
}

/// `BREACH request-p95 level=target value=0.3127 limit=0.2 unit=s since=2026-01-01T12:00:00.000Z`, with the labels that
/// the budget is kept by behind its name.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.kind {
            EventKind::Breach => "BREACH",
            EventKind::Recovery => "RECOVERED",
        };
        write!(f, "{word} {}", self.budget)?;
        if let Some(labels) = self.kept_by() {
            write!(f, " {labels}")?;
        }
        write!(f, " level={} value=", self.level)?;
        match self.value {
            Some(value) => write!(f, "{}", significant(value))?,
            None => f.write_str("none")?,
        }
        let unit = if self.unit.is_empty() { "1" } else { self.unit };
        let since = humantime::format_rfc3339_millis(self.since);
        write!(
            f,
            " limit={} unit={unit} since={since}",
            significant(self.limit)
        )
    }
}

/// Four significant digits are all that a person compares.
fn significant(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

/// An alert of a group of rules ([`Builder::rules`](crate::Builder::rules)) that went from one state to another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertEvent {
    /// The label `alertname`.
    pub name: String,
    /// All labels, `alertname` among them: which alert it is.
    pub labels: Labels,
    /// Names and texts, templates as they stand.
    pub annotations: Vec<(String, String)>,
    /// Where it stood.
    pub from: AlertState,
    /// Where it stands.
    pub to: AlertState,
    /// The latest value of the expression for it.
    pub value: f64,
    /// When its condition began to hold.
    pub active_at: SystemTime,
    /// The moment of the evaluation.
    pub at: SystemTime,
    /// Whether it fired and is over: what Alertmanager calls resolved.
    pub resolved: bool,
}

/// `QueueDeep firing {alertname="QueueDeep", queue="mail"} value=120 since=2026-01-01T12:00:00.000Z`
impl fmt::Display for AlertEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, labels, .. } = self;
        let word = match self.resolved {
            true => "resolved",
            false => self.to.as_str(),
        };
        let since = humantime::format_rfc3339_millis(self.active_at);
        let value = significant(self.value);
        write!(f, "{name} {word} {labels} value={value} since={since}")
    }
}

/// Something in how the measuring is set up that loses data or says less than it seems to; each is said once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Warning {
    /// What kind of trouble: `budget_unmatched`, `classifier_panic`, `cycle_tight`, `label_overflow`, `label_panic`,
    /// `layer_outside_router`, `layer_stacked`, `rule_failed`, `state_dropped`, `state_file`.
    pub kind: &'static str,
    /// The budget, label or layer that it is about.
    pub subject: String,
    /// What is wrong with it.
    pub what: String,
    /// What to do about it.
    pub mend: &'static str,
}

/// `layer_outside_router "http::MeasureLayer" has seen no request that a route took: ...; mend: ...`
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            subject,
            what,
            mend,
        } = self;
        write!(f, "{kind} {subject:?} {what}; mend: {mend}")
    }
}

/// A stream of events that the subscriber takes at its own pace; made by
/// [`Plimsoll::subscribe`](crate::Plimsoll::subscribe). Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    queue: Arc<queue::Queue>,
}

impl Subscription {
    pub(crate) fn new(queue: Arc<queue::Queue>) -> Self {
        Self { queue }
    }

    /// The next event, if one is waiting.
    pub fn try_recv(&self) -> Option<Event> {
        self.queue.take()
    }

    /// Waits for the next event; `None` after `timeout`, or when the instance is gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Option<Event> {
        self.queue.wait(timeout)
    }

    /// The next event, once there is one; `None` when the instance is gone. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.poll_recv(context)).await
    }

    /// [`recv`](Self::recv) for streams made by hand.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.queue.poll_take(context)
    }

    /// How many stale events were dropped because nobody took them.
    pub fn dropped(&self) -> u64 {
        self.queue.stats().dropped
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod tests;
