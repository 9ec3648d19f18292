//! What a layer and its services know. It is never freed, so that they are copied without a count: axum clones a layer for
//! every route of a connection, and a service for every request.

use std::fmt;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::head::RequestHead;
use super::readers::labelled;
use super::record::Records;
use super::rename::Renames;
use super::route::{self, UNMATCHED};
use crate::clock::SharedClock;
use crate::instance::Plimsoll;
use crate::registry::{Anchor, Domain, Handle, InFlight, Operation, OperationSet, WeakAnchors};
use crate::scope::{Here, Scope, is_at};

/// What a layer was told, and where it counts. An instance has one of each kind.
pub(super) struct Share {
    anchors: WeakAnchors,
    pub(super) settings: Settings,
}

/// What a layer was told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    /// Searched in order: a handful at most.
    pub(super) excluded: Vec<String>,
    pub(super) renames: Renames,
    /// Whether the beginning of a response is timed too.
    pub(super) first_byte: bool,
    /// What is kept of each request beside its counts.
    pub(super) records: Records,
}

impl Share {
    pub(super) fn new(plimsoll: &Plimsoll) -> &'static Self {
        plimsoll.registry().keep(Self {
            anchors: plimsoll.inner().anchors.weak(),
            settings: Settings::default(),
        })
    }

    /// What keeps the registry there; `None` if the instance is gone.
    pub(super) fn hold(&self) -> Option<Arc<Anchor>> {
        self.anchors.hold()
    }

    /// The same, told something else.
    pub(super) fn with(&'static self, change: impl FnOnce(&mut Settings)) -> &'static Self {
        // Without an instance nothing is counted, whatever it is told.
        let Some(anchor) = self.hold() else {
            return self;
        };
        let mut settings = self.settings.clone();
        change(&mut settings);
        let anchors = self.anchors.clone();
        anchor.registry().keep(Self { anchors, settings })
    }

    /// Counts a request as begun, unless its route is excluded or the instance is gone.
    pub(super) fn start(&self, head: &RequestHead<'_>) -> InFlight<Counted> {
        let Some(anchor) = self.hold() else {
            return InFlight::default();
        };
        let set = anchor.registry().set(Domain::Http);
        let method = route::method(head.method());
        let excluded = &self.settings.excluded;
        let operation = match route::route(head.extensions()) {
            Some(route) if excluded.iter().any(|excluded| excluded == route) => {
                return InFlight::default();
            }
            Some(route) => {
                let own = [method, self.settings.renames.name(route)];
                labelled(set, own, head, OperationSet::get)
            }
            None => {
                anchor.registry().oddities.unmatched();
                labelled(set, [method, UNMATCHED], head, OperationSet::get_declared)
            }
        };
        let operation = NonNull::from(&**operation);
        if is_at(subject(operation)) {
            // A layer further out counts this very request.
            anchor.registry().oddities.stacked();
            return InFlight::default();
        }
        InFlight::begin(Counted {
            operation,
            anchor,
            scope: None,
        })
    }
}

/// Of two of the same instance.
impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings.fmt(f)
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

/// What a thread is at that polls the request.
#[inline]
pub(super) fn here(in_flight: &mut InFlight<Counted>) -> Here<'_> {
    let counted = in_flight.operation();
    let subject = counted.map_or(ptr::null(), |counted| subject(counted.operation));
    Here::new(subject, record_of(in_flight))
}

/// What tells requests apart that are counted differently.
#[inline]
fn subject(operation: NonNull<Operation>) -> *const () {
    operation.as_ptr().cast_const().cast()
}

/// The same for whoever calls no service: `None` if no record is kept.
#[inline]
pub(super) fn record_here(in_flight: &mut InFlight<Counted>) -> Option<Here<'_>> {
    record_of(in_flight).map(|record| Here::new(ptr::null(), Some(record)))
}

#[inline]
fn record_of(in_flight: &mut InFlight<Counted>) -> Option<(&mut Scope, &SharedClock)> {
    let counted = in_flight.operation_mut()?;
    let scope = counted.scope.as_deref_mut()?;
    Some((scope, counted.anchor.registry().clock()))
}

impl Counted {
    /// The record of the request from now on.
    pub(super) fn keep(&mut self, scope: Option<Box<Scope>>) {
        self.scope = scope;
    }

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
