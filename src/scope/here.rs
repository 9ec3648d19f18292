//! Which request the calling thread is at.
//!
//! A frame on its stack, which a thread-local pointer leads to while the request is polled: plain loads and stores.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::record::{Call, Scope};
use crate::clock::SharedClock;
use crate::histogram::TraceId;

thread_local! {
    /// The innermost frame, or null. Without a destructor: it owns nothing.
    static HERE: Cell<*const Here<'static>> = const { Cell::new(ptr::null()) };
}

/// What a thread knows of the request that it is at.
///
/// Entered in a step of its own and not by a function that takes a closure, since what that captures and returns would
/// be copied.
pub(crate) struct Here<'a> {
    /// What the request is counted as, to be compared; null where it is not counted.
    subject: *const (),
    /// The record of the request, if one is kept.
    record: Option<Record>,
    /// The frame around this one.
    outer: Cell<*const Here<'static>>,
    lent: PhantomData<(&'a mut Scope, &'a SharedClock)>,
}

/// Lent for as long as the frame is there.
#[derive(Clone, Copy)]
pub(super) struct Record {
    scope: NonNull<Scope>,
    clock: NonNull<SharedClock>,
}

impl<'a> Here<'a> {
    #[inline]
    pub(crate) fn new(
        subject: *const (),
        record: Option<(&'a mut Scope, &'a SharedClock)>,
    ) -> Self {
        let record = record.map(|(scope, clock)| Record {
            scope: NonNull::from(scope),
            clock: NonNull::from(clock),
        });
        Self {
            subject,
            record,
            outer: Cell::new(ptr::null()),
            lent: PhantomData,
        }
    }

    /// What the thread does from now on is a part of this request, until the guard is dropped, which nobody may forget.
    ///
    /// Requests may be nested: the inner one counts for itself, the outer one goes on afterwards, also after a panic. A
    /// frame without a record leaves that to the one around it.
    #[inline]
    pub(crate) fn enter(&self) -> Entered<'_> {
        let own = ptr::from_ref(self).cast();
        self.outer.set(HERE.replace(own));
        Entered(&self.outer)
    }
}

/// Puts the outer frame back.
#[must_use = "dropped at once, nothing is a part of the request"]
pub(crate) struct Entered<'a>(&'a Cell<*const Here<'static>>);

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        HERE.set(self.0.get());
    }
}

/// The frames, the innermost one first.
#[inline]
fn frames<'a>() -> impl Iterator<Item = &'a Here<'static>> {
    // SAFETY: only `Here::enter` sets the pointer, to a frame that stays where it is until the guard, which borrows it and
    // is never forgotten, puts the outer one back. So a pointer that is not null leads to a frame further down the
    // stack of this very thread, as does that frame's own; nobody keeps what it leads to.
    let next = |at: *const Here<'static>| unsafe { at.as_ref() };
    std::iter::successors(next(HERE.get()), move |here| next(here.outer.get()))
}

/// Whether the thread is at a request that is counted as this.
#[inline]
pub(crate) fn is_at(subject: *const ()) -> bool {
    frames().any(|here| here.subject == subject)
}

/// Shows the innermost record, if there is one.
#[inline]
pub(super) fn with<R>(look: impl FnOnce(&Record) -> R) -> Option<R> {
    frames().find_map(|here| here.record.as_ref()).map(look)
}

/// A query or a device call took so long, and ended; `true` if somebody should [name](name_latest) its statement.
#[inline]
pub(crate) fn called(call: Call, elapsed_ns: u64) -> bool {
    with(|record| record.change(|scope| scope.called(call, elapsed_ns))).unwrap_or(false)
}

/// What the statement of the latest query is called.
pub(crate) fn name_latest(name: &str) {
    // Before the record is borrowed: an allocator may be the user's.
    let name = name.into();
    with(|record| record.change(|scope| scope.name_latest(name)));
}

/// The trace that the request at hand belongs to.
pub(crate) fn trace_id() -> Option<TraceId> {
    with(|record| record.change(|scope| scope.trace_id()))?
}

impl Record {
    #[inline]
    pub(super) fn clock(&self) -> &SharedClock {
        // SAFETY: the clock is lent for as long as the frame is there, and nobody keeps a record longer.
        unsafe { self.clock.as_ref() }
    }

    /// `change` must not come back to this record: it calls nothing of the user's, the clock included.
    #[inline]
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut Scope) -> R) -> R {
        // SAFETY: it is lent exclusively for as long as the frame is there and the lender leaves it alone; `change` is
        // given it by nobody but this, one at a time.
        change(unsafe { &mut *self.scope.as_ptr() })
    }
}
