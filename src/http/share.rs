//! What a layer and its services know. It is never freed, so that they are copied without a count: axum clones a layer for
//! every route of a connection, and a service for every request.

use std::fmt;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use http::{Extensions, Method};

use super::record::Records;
use super::route::{self, UNMATCHED};
use crate::clock::SharedClock;
use crate::instance::Plimsoll;
use crate::registry::{Anchor, Domain, Handle, InFlight, Operation, WeakAnchors};
use crate::scope::Scope;

/// What a layer was told. An instance has one of each kind.
pub(super) struct Share {
    anchors: WeakAnchors,
    /// Searched in order: a handful at most.
    excluded: Vec<String>,
    /// Whether the beginning of a response is timed too.
    pub(super) first_byte: bool,
    records: Records,
}

impl Share {
    pub(super) fn new(plimsoll: &Plimsoll) -> &'static Self {
        plimsoll.registry().keep(Self {
            anchors: plimsoll.inner().anchors.weak(),
            excluded: Vec::new(),
            first_byte: false,
            records: Records::default(),
        })
    }

    /// What keeps the registry there; `None` if the instance is gone.
    pub(super) fn hold(&self) -> Option<Arc<Anchor>> {
        self.anchors.hold()
    }

    pub(super) fn with_first_byte(&'static self) -> &'static Self {
        self.with(|changed| changed.first_byte = true)
    }

    pub(super) fn keeping(&'static self, change: impl FnOnce(&mut Records)) -> &'static Self {
        self.with(|changed| change(&mut changed.records))
    }

    /// What is kept of each request beside its counts, if anything is.
    #[inline]
    pub(super) fn records(&self) -> Option<&Records> {
        self.records.any().then_some(&self.records)
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
            records: self.records.clone(),
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
            anchor,
            scope: None,
        })
    }
}

/// Of two of the same instance.
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        (&self.excluded, self.first_byte, &self.records)
            == (&other.excluded, other.first_byte, &other.records)
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
    anchor: Arc<Anchor>,
    /// The record of the request, if one is kept.
    scope: Option<Box<Scope>>,
}

/// The request under way as [`scope::enter`](crate::scope::enter) needs it.
#[inline]
pub(super) fn request_of(in_flight: &mut InFlight<Counted>) -> Option<(&mut Scope, &SharedClock)> {
    let counted = in_flight.operation_mut()?;
    let scope = counted.scope.as_deref_mut()?;
    Some((scope, counted.anchor.registry().clock()))
}

impl Counted {
    /// The record of the request from now on.
    pub(super) fn keep(&mut self, scope: Option<Box<Scope>>) {
        self.scope = scope;
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
    Arc<Anchor>: Send,
    Option<Box<Scope>>: Send,
{
}
// SAFETY: as above.
unsafe impl Sync for Counted
where
    Operation: Sync,
    Arc<Anchor>: Sync,
    Option<Box<Scope>>: Sync,
{
}
