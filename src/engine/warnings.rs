//! What somebody should hear of once: a set-up that measures less than it seems to.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::promise::UNMATCHED_AFTER;
use crate::alert::Warning;
use crate::registry::{Domain, Registry, UNMATCHED};

/// Everything that was warned of.
#[derive(Debug, Default)]
pub(super) struct Warnings(Mutex<Warned>);

/// What the engine found at a tick.
pub(super) struct Troubles {
    /// Budgets that have matched nothing for too long.
    pub(super) unmatched: Vec<String>,
    /// Rules that had no value, and why.
    pub(super) failed: Vec<(String, String)>,
    /// What was remembered and does not fit any more, and why.
    pub(super) dropped: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Warned {
    all: Vec<Warning>,
    /// By kind and subject.
    known: HashSet<(&'static str, String)>,
}

impl Warnings {
    /// Says something that nobody else looks for; `None` if that was said before.
    #[cfg(feature = "state")]
    pub(super) fn add(&self, warning: Warning) -> Option<Warning> {
        let mut warned = self.0.lock();
        let Warning {
            kind,
            subject,
            what,
            mend,
        } = warning;
        let before = warned.all.len();
        warned.say(kind, || subject, || what, mend);
        warned.all.get(before).cloned()
    }

    /// Looks for what is new.
    pub(super) fn look(&self, registry: &Registry, troubles: Troubles) -> Vec<Warning> {
        let Troubles {
            unmatched,
            failed,
            dropped,
        } = troubles;
        let mut warned = self.0.lock();
        let before = warned.all.len();
        for budget in unmatched {
            let what =
                format!("matches no operation that was declared or seen in {UNMATCHED_AFTER:?}");
            let mend = "compare its labels with those of Plimsoll::stats; the route may be gone, or not measured";
            warned.say("budget_unmatched", || budget, || what, mend);
        }
        for (rule, why) in failed {
            let what = format!("had no value and left its alerts as they were: {why}");
            let mend = "mend its expression: Prometheus cannot evaluate it either";
            warned.say("rule_failed", || rule, || what, mend);
        }
        for (subject, what) in dropped {
            let mend = "nothing is to be done if that was meant: the declaration changed, or the process away for so long";
            warned.say("state_dropped", || subject, || what, mend);
        }
        for label in registry.set(Domain::Http).labels.all() {
            let name = || label.name.to_owned();
            if label.overflows() > 0 {
                let what = || {
                    "has values that are not told apart: they are too many, too long or not declared".into()
                };
                let mend = "declare them with Label::values, or raise Label::at_most; plimsoll_label_overflow_total counts them";
                warned.say("label_overflow", name, what, mend);
            }
            if label.panics() > 0 {
                let what = || {
                    "is read by code that panicked; its value is then as if there were too many"
                        .into()
                };
                let mend = "let the closure return None instead; plimsoll_label_panics_total counts the panics";
                warned.say("label_panic", name, what, mend);
            }
        }
        for oddity in registry.oddities.seen(|| any_matched(registry)) {
            let (subject, what) = (|| oddity.subject.to_owned(), || oddity.what.to_owned());
            warned.say(oddity.kind, subject, what, oddity.mend);
        }
        for (cycle, what) in registry.oddities.take_tight_cycles() {
            let mend = "shorten the timeout, retry less, ask for more registers at once, or poll less often";
            warned.say("cycle_tight", || cycle, || what, mend);
        }
        warned.all[before..].to_vec()
    }

    /// Shows how many there were of each kind.
    pub(super) fn each_count(&self, mut show: impl FnMut(&'static str, u64)) {
        let warned = self.0.lock();
        for kind in KINDS {
            let of_kind = warned.all.iter().filter(|warning| warning.kind == kind);
            show(kind, of_kind.count() as u64);
        }
    }

    /// Everything that was warned of, in that order.
    pub(super) fn all(&self) -> Vec<Warning> {
        self.0.lock().all.clone()
    }
}

/// Every kind of warning.
const KINDS: [&str; 10] = [
    "budget_unmatched",
    "classifier_panic",
    "cycle_tight",
    "label_overflow",
    "label_panic",
    "layer_outside_router",
    "layer_stacked",
    "rule_failed",
    "state_dropped",
    "state_file",
];

impl Warned {
    fn say(
        &mut self,
        kind: &'static str,
        subject: impl FnOnce() -> String,
        what: impl FnOnce() -> String,
        mend: &'static str,
    ) {
        debug_assert!(KINDS.contains(&kind));
        let subject = subject();
        if self.known.insert((kind, subject.clone())) {
            self.all.push(Warning {
                kind,
                subject,
                what: what(),
                mend,
            });
        }
    }
}

/// Whether a route has taken a request.
fn any_matched(registry: &Registry) -> bool {
    let reading = registry.reading();
    let operations = registry.set(Domain::Http).operations();
    let mut matched = operations
        .iter()
        .filter(|operation| &*operation.labels()[1] != UNMATCHED);
    matched.any(|operation| operation.started(&reading) > 0)
}
