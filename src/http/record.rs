//! The record that a layer keeps of each request, and the code that runs as a part of the request.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use super::RequestHead;
use super::share::Counted;
use crate::histogram::TraceId;
use crate::registry::InFlight;
use crate::scope::{Here, QueryLimits, Scope};

/// What a layer keeps of each request beside its counts; nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Records {
    pub(super) anatomy: bool,
    /// Whether one is kept for the number of queries alone.
    pub(super) queries: bool,
    pub(super) trace: Option<Trace>,
}

type Find = dyn Fn(&RequestHead<'_>) -> Option<TraceId> + Send + Sync;

/// How a request's trace is found.
#[derive(Clone)]
pub(super) enum Trace {
    Traceparent,
    By(Arc<Find>),
}

impl Records {
    /// Whether there is anything to keep.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.anatomy || self.queries || self.trace.is_some()
    }

    /// Keeps a record of the request under way, if there is one and anything to be kept of it.
    #[inline(never)]
    pub(super) fn keep(&self, in_flight: &mut InFlight<Counted>, head: &RequestHead<'_>) {
        if let Some(counted) = in_flight.operation_mut() {
            let limits = counted.query_limits();
            counted.keep(self.begin(limits, head));
        }
    }

    fn begin(&self, limits: QueryLimits, head: &RequestHead<'_>) -> Option<Box<Scope>> {
        let trace_id = self.trace.as_ref().and_then(|trace| trace.find(head));
        let any = self.anatomy || self.queries || trace_id.is_some();
        any.then(|| Box::new(Scope::new(self.anatomy, trace_id, limits)))
    }
}

impl Trace {
    fn find(&self, head: &RequestHead<'_>) -> Option<TraceId> {
        match self {
            Self::Traceparent => {
                let header = head.headers().get("traceparent")?;
                TraceId::from_traceparent(header.to_str().ok()?)
            }
            Self::By(find) => find(head),
        }
    }
}

impl PartialEq for Trace {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Traceparent, Self::Traceparent) => true,
            (Self::By(own), Self::By(other)) => Arc::ptr_eq(own, other),
            _ => false,
        }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Traceparent => "Traceparent",
            Self::By(_) => "By(..)",
        })
    }
}

/// A future or body whose drop is a part of the request, too: what it waits for is cancelled then.
///
/// Whoever has it calls [`finish`](Self::finish) in its own drop; otherwise it leaks.
pub(super) struct Inner<T>(ManuallyDrop<T>);

impl<T> Inner<T> {
    #[inline]
    pub(super) fn new(inner: T) -> Self {
        Self(ManuallyDrop::new(inner))
    }

    #[inline]
    pub(super) fn pinned(self: Pin<&mut Self>) -> Pin<&mut T> {
        // SAFETY: it is pinned with the whole: nothing moves it out, and `finish` drops it in its place.
        unsafe { self.map_unchecked_mut(|inner| &mut *inner.0) }
    }

    /// Drops it, as a part of the request that the thread is then at.
    ///
    /// # Safety
    ///
    /// Nobody looks at it afterwards.
    #[inline]
    pub(super) unsafe fn finish(self: Pin<&mut Self>, here: Option<Here<'_>>) {
        // SAFETY: it is dropped where it is, once, as the caller promises.
        let drop = || unsafe { ManuallyDrop::drop(&mut self.get_unchecked_mut().0) };
        match here {
            None => drop(),
            Some(here) => {
                let _entered = here.enter();
                drop();
            }
        }
    }
}

impl<T> Deref for Inner<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Inner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}
