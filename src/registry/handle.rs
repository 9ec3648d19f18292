//! What becomes of an operation beside its counts: a part of the request that waited for it, a line of the slow log.

use std::ops::Deref;
use std::sync::Arc;

use super::{Domain, End, Extra, OTHER, Operation};
use crate::scope::{self, Call, Scope, StatementId};

/// What keeps an operation there while it is under way.
pub(crate) trait Handle: Deref<Target = Operation> {
    /// Whether all of its kind are requests, which nobody waits for.
    const IS_REQUEST: bool = false;

    /// The record of the request that is under way, if one is kept.
    #[inline]
    fn scope(&self) -> Option<&Scope> {
        None
    }

    /// What tells its statement from others, of a query.
    #[inline]
    fn statement(&self) -> StatementId {
        StatementId::of::<Operation>(self)
    }

    /// The end was counted.
    #[inline]
    fn closed(&self, _: End, _elapsed_ns: u64) {}
}

impl Handle for Arc<Operation> {}

/// Somebody else keeps it there: no reference count, which threads would pass to and fro.
impl Handle for &Operation {}

impl Domain {
    /// What requests call it that wait for such work.
    #[inline]
    fn call(self, statement: StatementId) -> Option<Call> {
        match self {
            Self::Db => Some(Call::Query(statement)),
            Self::Modbus => Some(Call::Device),
            _ => None,
        }
    }
}

impl Operation {
    /// To be called after an end was recorded.
    ///
    /// Cost where nothing comes of it: two comparisons, and for queries and device calls a look at a thread-local pointer.
    #[inline]
    pub(crate) fn ended(
        &self,
        statement: StatementId,
        end: End,
        duration_ns: u64,
        scope: Option<&Scope>,
    ) {
        if let Some(call) = self.domain.call(statement)
            && scope::called(call, duration_ns)
        {
            self.repeated();
        }
        self.served(end, duration_ns, scope);
    }

    /// The request at hand has run this very statement as often as the limit.
    #[cold]
    #[inline(never)]
    fn repeated(&self) {
        // What came after a cap is no one statement.
        if let [_, model, query] = self.labels()
            && [model, query].map(|label| &**label) != [OTHER; 2]
        {
            scope::name_latest(query);
        }
    }

    /// The same of a request.
    #[inline]
    pub(super) fn served(&self, end: End, duration_ns: u64, scope: Option<&Scope>) {
        if let Some(scope) = scope {
            if scope.has_anatomy() {
                self.record_anatomy(scope, duration_ns);
            }
            if scope.queries() > 0 {
                self.look_for_findings(scope);
            }
        }
        if duration_ns > self.recording.slow_ns
            && let Some(slowest) = &self.recording.slowest
        {
            slowest.offer(self, end, duration_ns, scope);
        }
    }

    /// Records where the time of a request went.
    #[inline(never)]
    fn record_anatomy(&self, scope: &Scope, duration_ns: u64) {
        let per_ns = 1e9 / scope.whole_ns(duration_ns).max(1) as f64;
        for (name, tally) in scope.parts(duration_ns) {
            let stage = self.stages.get(name, &self.recording);
            stage.durations.record(tally.ns);
            stage
                .shares
                .record((tally.ns as f64 * per_ns).round() as u64);
        }
        self.extra(Extra::Queries).record(scope.queries());
    }
}
