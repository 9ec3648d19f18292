//! What a layer and its services know, with reference counts that threads seldom share.
//!
//! axum clones a service for each request, and a request keeps its operation until its body ends: on one count, which
//! all threads change, they would wait for each other's cache line. So there are several counts for the same thing; a
//! thread takes the one of its number when it applies the layer, which axum does once per connection and route.

use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Extensions, Method};

use super::record::Records;
use super::route::{self, UNMATCHED};
use crate::clock::SharedClock;
use crate::registry::{Domain, Handle, InFlight, Operation, Registry};
use crate::scope::Scope;

/// Reference counts of a layer.
const SHARES: usize = 16;

/// What a layer was told. Aligned, so that its count has a cache line without anybody else's in it.
#[derive(Clone)]
#[repr(align(64))]
pub(super) struct Share {
    /// Never replaced: [`Counted`] relies on it.
    registry: Arc<Registry>,
    /// Searched in order: a handful at most.
    excluded: Arc<[String]>,
    /// Whether the beginning of a response is timed too.
    first_byte: bool,
    records: Records,
}

impl Share {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            excluded: Arc::new([]),
            first_byte: false,
            records: Records::default(),
        }
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(super) fn with_first_byte(self) -> Self {
        Self {
            first_byte: true,
            ..self
        }
    }

    pub(super) fn keeping(self, change: impl FnOnce(Records) -> Records) -> Self {
        let records = change(self.records.clone());
        Self { records, ..self }
    }

    /// What is kept of each request beside its counts, if anything is.
    #[inline]
    pub(super) fn records(&self) -> Option<&Records> {
        self.records.any().then_some(&self.records)
    }

    pub(super) fn excluding(self, routes: impl Iterator<Item = String>) -> Self {
        let excluded = self.excluded.iter().cloned().chain(routes).collect();
        Self { excluded, ..self }
    }

    /// Counts a request as begun, unless its route is excluded.
    pub(super) fn start(
        self: &Arc<Self>,
        method: &Method,
        extensions: &Extensions,
    ) -> InFlight<Counted> {
        let set = self.registry.set(Domain::Http);
        let method = route::method(method);
        let operation = match route::route(extensions) {
            Some(route) if self.excluded.iter().any(|excluded| excluded == route) => {
                return InFlight::default();
            }
            Some(route) => set.get(&[method, route]),
            None => set.declare(&[method, UNMATCHED]),
        };
        InFlight::begin(Counted {
            operation: NonNull::from(&**operation),
            share: self.clone(),
            scope: None,
        })
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("excluded", &self.excluded)
            .finish_non_exhaustive()
    }
}

/// The same share several times over.
#[derive(Clone)]
pub(super) struct Shares(Arc<[Arc<Share>; SHARES]>);

impl Shares {
    pub(super) fn new(share: Share) -> Self {
        Self(Arc::new(std::array::from_fn(|_| Arc::new(share.clone()))))
    }

    /// One of them; always the same one for a thread.
    pub(super) fn own(&self) -> &Arc<Share> {
        &self.0[number() % SHARES]
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.own().fmt(f)
    }
}

/// The number of the calling thread: they take turns.
fn number() -> usize {
    /// Relaxed: only the value itself counts.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        /// One more than the number; 0 before there is one.
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
        }
        number.get()
    })
}

/// An operation of a share's registry, which is there as long as the share is.
#[derive(Debug)]
pub(super) struct Counted {
    operation: NonNull<Operation>,
    share: Arc<Share>,
    /// The record of the request, if one is kept.
    scope: Option<Box<Scope>>,
}

/// The request under way as [`scope::enter`](crate::scope::enter) needs it.
#[inline]
pub(super) fn request_of(in_flight: &mut InFlight<Counted>) -> Option<(&mut Scope, &SharedClock)> {
    let counted = in_flight.operation_mut()?;
    let scope = counted.scope.as_deref_mut()?;
    Some((scope, counted.share.registry.clock()))
}

impl Counted {
    /// The record of the request from now on.
    pub(super) fn keep(&mut self, scope: Option<Box<Scope>>) {
        self.scope = scope;
    }

    pub(super) fn times_first_byte(&self) -> bool {
        self.share.first_byte
    }
}

impl Deref for Counted {
    type Target = Operation;

    #[inline]
    fn deref(&self) -> &Operation {
        // SAFETY: `Share::start`, the only one to make this, took it from a set of the share's registry. A set never
        // drops an operation before itself, a registry never a set; the share keeps its registry, and `self` the share.
        unsafe { self.operation.as_ref() }
    }
}

impl Handle for Counted {
    #[inline]
    fn scope(&self) -> Option<&Scope> {
        self.scope.as_deref()
    }
}

// SAFETY: it is a shared reference to an operation, which is `Sync`, and what keeps that there.
unsafe impl Send for Counted
where
    Operation: Sync,
    Arc<Share>: Send,
    Option<Box<Scope>>: Send,
{
}
// SAFETY: as above.
unsafe impl Sync for Counted
where
    Operation: Sync,
    Arc<Share>: Sync,
    Option<Box<Scope>>: Sync,
{
}
