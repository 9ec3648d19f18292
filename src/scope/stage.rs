//! Stages: parts of a request that the service names.

use std::future::Future;

use super::here::{self, Record};
use super::record::ScopeId;
use crate::clock::Mark;

/// Begins a stage of the request at hand, which ends when the guard is dropped.
///
/// The name becomes a label value: 16 are told apart for each route, the rest is `other`. Cost: two readings of the clock;
/// without a scope, a look at a thread-local pointer.
#[inline]
pub fn stage(name: &'static str) -> Stage {
    let open = here::with(|record| Open::new(record, name)).flatten();
    Stage { open }
}

/// Runs `future` as a stage, from its first poll, and returns its output, unchanged. Dropped before its end, it counts
/// what it took.
pub async fn time<F: Future>(name: &'static str, future: F) -> F::Output {
    let _stage = stage(name);
    future.await
}

/// A stage under way; made by [`stage`].
#[derive(Debug)]
#[must_use = "dropped at once, it took no time"]
pub struct Stage {
    /// `None` without a scope.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    scope: ScopeId,
    name: &'static str,
    started: Mark,
    /// What all parts had taken when it began.
    before_ns: u64,
}

impl Stage {
    /// Ends it, as a drop does.
    pub fn end(self) {
        drop(self);
    }
}

impl Open {
    fn new(record: &Record, name: &'static str) -> Option<Self> {
        let told_apart = record.change(|scope| {
            let known = (scope.id(), scope.parts_ns());
            scope.has_anatomy().then_some(known)
        });
        told_apart.map(|(scope, before_ns)| Self {
            scope,
            name,
            started: record.clock().mark(),
            before_ns,
        })
    }

    /// Counts it, if the request at hand is the one that it began in.
    fn end(&self, record: &Record) {
        if record.change(|scope| scope.id()) != self.scope {
            return;
        }
        let elapsed_ns = record.clock().ns_since(self.started);
        record.change(|scope| {
            let inner_ns = scope.parts_ns() - self.before_ns;
            scope.stage_ended(self.name, elapsed_ns.saturating_sub(inner_ns));
        });
    }
}

impl Drop for Stage {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            here::with(|record| open.end(record));
        }
    }
}
