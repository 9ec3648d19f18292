//! A structured `tracing` event per edge, target `plimsoll::alert`: `WARN` for a breach, `INFO` for a recovery; and a
//! `WARN`, target `plimsoll::budget`, for each budget that matches nothing.

use tracing::dispatcher::{self, Dispatch};
use tracing::subscriber::NoSubscriber;

use super::queue::Callback;
use super::{Event, EventKind};

/// Writes to the subscriber in force where the instance was built, or else to the global one.
pub(crate) fn subscriber() -> Callback {
    let under = UnderBuilder::new();
    Box::new(move |event| under.write(|| write(event)))
}

/// Warns of budgets that match nothing, in the same place.
pub(crate) fn unmatched() -> impl Fn(&[String]) {
    let under = UnderBuilder::new();
    move |budgets| {
        under.write(|| {
            for budget in budgets {
                tracing::warn!(target: "plimsoll::budget", %budget, "matches no operation that was declared or seen");
            }
        });
    }
}

/// The subscriber in force where the instance was built.
struct UnderBuilder(Dispatch);

impl UnderBuilder {
    fn new() -> Self {
        Self(dispatcher::get_default(Dispatch::clone))
    }

    fn write(&self, write: impl FnOnce()) {
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
