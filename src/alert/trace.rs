//! A structured `tracing` event per edge, target `plimsoll::alert`: `WARN` for a breach, `INFO` for a recovery.

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;

use super::queue::Callback;
use super::{Event, EventKind};

/// Writes to the subscriber in force where it was made, or else to the global one.
#[derive(Debug)]
pub(crate) struct Voice(Dispatch);

impl Voice {
    pub(crate) fn new() -> Self {
        Self(dispatcher::get_default(Dispatch::clone))
    }

    pub(crate) fn say(&self, write: impl FnOnce()) {
        if self.0.is::<NoSubscriber>() {
            write();
        } else {
            dispatcher::with_default(&self.0, write);
        }
    }
}

/// Writes every event.
pub(crate) fn subscriber() -> Callback {
    let voice = Voice::new();
    Box::new(move |event| voice.say(|| write(event)))
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
