//! Which request the calling thread is at.
//!
//! A frame on the stack of [`enter`], which a thread-local pointer leads to while the work runs: plain loads and stores.

use std::cell::Cell;
use std::ptr::{self, NonNull};

use super::record::{Call, Scope};
use crate::clock::SharedClock;
use crate::histogram::TraceId;

thread_local! {
    /// The innermost frame, or null. Without a destructor: it owns nothing.
    static HERE: Cell<*const Here> = const { Cell::new(ptr::null()) };
}

/// What the thread knows of the request that it is at.
pub(super) struct Here {
    scope: NonNull<Scope>,
    clock: NonNull<SharedClock>,
}

/// Runs `work` as a part of the request with this record; without one as a part of whatever the thread is at already.
///
/// Requests may be nested: the inner one counts for itself, the outer one goes on afterwards, also after a panic.
#[inline]
pub(crate) fn enter<R>(request: Option<(&mut Scope, &SharedClock)>, work: impl FnOnce() -> R) -> R {
    match request {
        None => work(),
        Some((scope, clock)) => within(scope, clock, work),
    }
}

/// Apart, so that requests without a record carry nothing of it.
#[inline(never)]
fn within<R>(scope: &mut Scope, clock: &SharedClock, work: impl FnOnce() -> R) -> R {
    let here = Here {
        scope: NonNull::from(scope),
        clock: NonNull::from(clock),
    };
    let _outer = Outer(HERE.replace(&raw const here));
    work()
}

/// Puts the outer frame back.
struct Outer(*const Here);

impl Drop for Outer {
    #[inline]
    fn drop(&mut self) {
        HERE.set(self.0);
    }
}

/// Shows the innermost frame, if there is one.
#[inline]
pub(super) fn with<R>(look: impl FnOnce(&Here) -> R) -> Option<R> {
    // SAFETY: only `within` sets it, to a local of its own, and puts the outer one back before it returns or unwinds. So a
    // pointer that is not null leads to a frame further down the stack of this very thread.
    unsafe { HERE.get().as_ref() }.map(look)
}

/// A query or a device call took so long, and ended.
#[inline]
pub(crate) fn called(call: Call, elapsed_ns: u64) {
    with(|here| here.change(|scope| scope.called(call, elapsed_ns)));
}

/// The trace that the request at hand belongs to.
pub(crate) fn trace_id() -> Option<TraceId> {
    with(|here| here.change(|scope| scope.trace_id()))?
}

impl Here {
    #[inline]
    pub(super) fn clock(&self) -> &SharedClock {
        // SAFETY: `within` borrows the clock for as long as this frame is there.
        unsafe { self.clock.as_ref() }
    }

    /// `change` must not come back to this frame: it calls nothing of the user's, the clock included.
    #[inline]
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Scope) -> R) -> R {
        // SAFETY: `within` borrows the record exclusively for as long as this frame is there and leaves it alone, and
        // `change` is given it by nobody but this, one at a time.
        change(unsafe { &mut *self.scope.as_ptr() })
    }
}
