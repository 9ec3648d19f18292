//! What a layer and its services know. It is never freed, so that they are copied without a count: axum clones a layer for
//! every route of a connection, and a service for every request.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use super::head::RequestHead;
use super::readers::labelled;
use super::rename::Renames;
use super::route::{self, UNMATCHED};
use crate::instance::Plimsoll;
use crate::registry::{Anchor, Domain, InFlight, Operation, OperationSet, WeakAnchors};

/// What a layer was told. An instance has one of each kind.
pub(super) struct Share {
    anchors: WeakAnchors,
    /// Searched in order: a handful at most.
    excluded: Vec<String>,
    pub(super) renames: Renames,
    /// Whether the beginning of a response is timed too.
    pub(super) first_byte: bool,
}

impl Share {
    pub(super) fn new(plimsoll: &Plimsoll) -> &'static Self {
        plimsoll.registry().keep(Self {
            anchors: plimsoll.inner().anchors.weak(),
            excluded: Vec::new(),
            renames: Renames::default(),
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

    pub(super) fn renaming(
        &'static self,
        routes: impl Iterator<Item = String>,
        name: Arc<str>,
    ) -> &'static Self {
        self.with(|changed| changed.renames.add(routes, name))
    }

    fn with(&'static self, change: impl FnOnce(&mut Self)) -> &'static Self {
        // Without an instance nothing is counted, whatever it is told.
        let Some(anchor) = self.hold() else {
            return self;
        };
        let mut changed = Self {
            anchors: self.anchors.clone(),
            excluded: self.excluded.clone(),
            renames: self.renames.clone(),
            first_byte: self.first_byte,
        };
        change(&mut changed);
        anchor.registry().keep(changed)
    }

    /// Counts a request as begun, unless its route is excluded or the instance is gone.
    pub(super) fn start(&self, head: &RequestHead<'_>) -> InFlight<Counted> {
        let Some(anchor) = self.hold() else {
            return InFlight::default();
        };
        let set = anchor.registry().set(Domain::Http);
        let method = route::method(head.method());
        let operation = match route::route(head.extensions()) {
            Some(route) if self.excluded.iter().any(|excluded| excluded == route) => {
                return InFlight::default();
            }
            Some(route) => {
                let own = [method, self.renames.name(route)];
                labelled(set, own, head, OperationSet::get)
            }
            None => labelled(set, [method, UNMATCHED], head, OperationSet::get_declared),
        };
        InFlight::begin(Counted {
            operation: NonNull::from(&**operation),
            anchor,
        })
    }
}

/// Of two of the same instance.
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        (&self.excluded, &self.renames, self.first_byte)
            == (&other.excluded, &other.renames, other.first_byte)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("excluded", &self.excluded)
            .field("renames", &self.renames)
            .field("first_byte", &self.first_byte)
            .finish_non_exhaustive()
    }
}

/// An operation, and what keeps its registry there.
#[derive(Debug)]
pub(super) struct Counted {
    operation: NonNull<Operation>,
    anchor: Arc<Anchor>,
}

impl Counted {
    /// The set that the operation is of.
    #[inline]
    pub(super) fn set(&self) -> &OperationSet {
        self.anchor.registry().set(Domain::Http)
    }
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
