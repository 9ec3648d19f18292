//! What a layer and its services know. It is never freed, so that they are copied without a count: axum clones a layer for
//! every route of a connection, and a service for every request.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use http::{Extensions, Method};

use super::route::{self, UNMATCHED};
use crate::instance::Plimsoll;
use crate::registry::{Anchor, Domain, Handle, InFlight, Operation, WeakAnchors};

/// What a layer was told. An instance has one of each kind.
pub(super) struct Share {
    anchors: WeakAnchors,
    /// Searched in order: a handful at most.
    excluded: Vec<String>,
    /// Whether the beginning of a response is timed too.
    pub(super) first_byte: bool,
}

impl Share {
    pub(super) fn new(plimsoll: &Plimsoll) -> &'static Self {
        plimsoll.registry().keep(Self {
            anchors: plimsoll.inner().anchors.weak(),
            excluded: Vec::new(),
            first_byte: false,
        })
    }

    /// What keeps the registry there; `None` if the instance is gone.
    pub(super) fn hold(&self) -> Option<Arc<Anchor>> {
        self.anchors.hold()
    }

    pub(super) fn with_first_byte(&'static self) -> &'static Self {
        self.with(|changed| changed.first_byte = true)
    }

    pub(super) fn excluding(&'static self, routes: impl Iterator<Item = String>) -> &'static Self {
        self.with(|changed| changed.excluded.extend(routes))
    }

    fn with(&'static self, change: impl FnOnce(&mut Self)) -> &'static Self {
        // Without an instance nothing is counted, whatever it is told.
        let Some(anchor) = self.hold() else {
            return self;
        };
        let mut changed = Self {
            anchors: self.anchors.clone(),
            excluded: self.excluded.clone(),
            first_byte: self.first_byte,
        };
        change(&mut changed);
        anchor.registry().keep(changed)
    }

    /// Counts a request as begun, unless its route is excluded or the instance is gone.
    pub(super) fn start(&self, method: &Method, extensions: &Extensions) -> InFlight<Counted> {
        let Some(anchor) = self.hold() else {
            return InFlight::default();
        };
        let set = anchor.registry().set(Domain::Http);
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
            _anchor: anchor,
        })
    }
}

/// Of two of the same instance.
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        (&self.excluded, self.first_byte) == (&other.excluded, other.first_byte)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("excluded", &self.excluded)
            .field("first_byte", &self.first_byte)
            .finish_non_exhaustive()
    }
}

/// An operation, and what keeps its registry there.
#[derive(Debug)]
pub(super) struct Counted {
    operation: NonNull<Operation>,
    _anchor: Arc<Anchor>,
}

impl Deref for Counted {
    type Target = Operation;

    #[inline]
    fn deref(&self) -> &Operation {
        // SAFETY: `Share::start`, the only one to make this, took it from a set of the anchor's registry. A set never
        // drops an operation before itself, a registry never a set, and an anchor keeps one registry for its life.
        unsafe { self.operation.as_ref() }
    }
}

impl Handle for Counted {}

// SAFETY: it is a shared reference to an operation, which is `Sync`, and what keeps that there.
unsafe impl Send for Counted
where
    Operation: Sync,
    Arc<Anchor>: Send,
{
}
// SAFETY: as above.
unsafe impl Sync for Counted
where
    Operation: Sync,
    Arc<Anchor>: Sync,
{
}
