//! A structured `tracing` event per edge, target `plimsoll::alert`: `WARN` for a breach, `INFO` for a recovery.

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;

use super::queue::Callback;
use super::{Event, EventKind};

/// Writes to the subscriber in force where the instance was built, or else to the global one.
pub(crate) fn subscriber() -> Callback {
    let built_under = dispatcher::get_default(Dispatch::clone);
    Box::new(move |event| {
        if built_under.is::<NoSubscriber>() {
            write(event);
        } else {
            dispatcher::with_default(&built_under, || write(event));
        }
    })
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
