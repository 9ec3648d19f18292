//! What operators should hear of once: labels that lose values, as `tracing` events with the target `plimsoll::label`.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::Mutex;

use crate::alert::Voice;
use crate::registry::{Domain, LabelValues, Registry};

/// Who was warned of.
#[derive(Debug)]
pub(super) struct Warnings {
    voice: Voice,
    told: Mutex<HashSet<(&'static str, Loss)>>,
}

/// Why a value is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Loss {
    Overflow,
    Panic,
}

impl Warnings {
    pub(super) fn new() -> Self {
        Self {
            voice: Voice::new(),
            told: Mutex::default(),
        }
    }

    /// Warns of what is new.
    pub(super) fn tell(&self, registry: &Registry) {
        for label in registry.set(Domain::Http).labels.all() {
            let losses = [
                (Loss::Overflow, label.overflows()),
                (Loss::Panic, label.panics()),
            ];
            for (loss, count) in losses {
                if count > 0 && self.told.lock().insert((label.name, loss)) {
                    let say = || self.voice.say(|| warn(label, loss, count));
                    // Judging goes on, whatever the subscriber does.
                    let _ = catch_unwind(AssertUnwindSafe(say));
                }
            }
        }
    }
}

fn warn(label: &LabelValues, loss: Loss, count: u64) {
    let label = label.name;
    match loss {
        Loss::Overflow => tracing::warn!(
            target: "plimsoll::label", label, count,
            "values of a label are not told apart: they are too many, too long or not declared; see plimsoll_label_overflow_total"
        ),
        Loss::Panic => tracing::warn!(
            target: "plimsoll::label", label, count,
            "the code that reads a label panicked; see plimsoll_label_panics_total"
        ),
    }
}
