//! What a layer and its services know. It is never freed, so that they are copied without a count: axum clones a layer for
//! every route of a connection, and a service for every request.

use std::fmt;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::head::RequestHead;
use super::known;
use super::readers::labelled;
use super::record::Records;
use super::rename::Renames;
use super::route::{self, Matched, UNMATCHED};
use crate::clock::SharedClock;
use crate::instance::Plimsoll;
use crate::registry::{Anchor, Domain, Handle, InFlight, Operation, OperationSet, WeakAnchors};
use crate::scope::{Here, QueryLimits, Scope, is_at};

/// What a layer was told, and where it counts. An instance has one of each kind.
pub(super) struct Share {
    anchors: WeakAnchors,
    /// Whether requests are told apart by method and route alone.
    by_route: bool,
    pub(super) settings: Settings,
}

/// What a layer was told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    /// Searched in order: a handful at most.
    pub(super) excluded: Vec<String>,
    pub(super) renames: Renames,
    /// Paths that are routes of their own, sorted.
    pub(super) paths: Vec<String>,
    /// Whether the beginning of a response is timed too.
    pub(super) first_byte: bool,
    /// What is kept of each request beside its counts.
    pub(super) records: Records,
}

impl Share {
    pub(super) fn new(plimsoll: &Plimsoll) -> &'static Self {
        let registry = plimsoll.registry();
        registry.keep(Self {
            anchors: plimsoll.inner().anchors.weak(),
            by_route: registry.set(Domain::Http).labels.request.is_empty(),
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
        anchor.registry().keep(Self {
            anchors: self.anchors.clone(),
            by_route: self.by_route && settings.paths.is_empty(),
            settings,
        })
    }

    /// Counts a request as begun, unless its route is excluded, another layer counts it, or the instance is gone.
    pub(super) fn start(&'static self, head: &RequestHead<'_>) -> InFlight<Counted> {
        let mut in_flight = InFlight::default();
        let Some(anchor) = self.hold() else {
            return in_flight;
        };
        let Some(operation) = self.operation(&anchor, head) else {
            return in_flight;
        };
        if is_at(subject(operation)) {
            // A layer further out counts this very request.
            anchor.registry().oddities.stacked();
            return in_flight;
        }
        in_flight.begin_with(Counted::new(operation, anchor));
        let records = &self.settings.records;
        if records.any() {
            records.keep(&mut in_flight, head);
        }
        in_flight
    }

    /// What a request is counted as; `None` if its route is excluded or the instance is gone.
    pub(super) fn find(&'static self, head: &RequestHead<'_>) -> Option<Counted> {
        let anchor = self.hold()?;
        let operation = self.operation(&anchor, head)?;
        Some(Counted::new(operation, anchor))
    }

    /// The operation, of the anchor's registry.
    #[inline(always)]
    fn operation(
        &'static self,
        anchor: &Anchor,
        head: &RequestHead<'_>,
    ) -> Option<NonNull<Operation>> {
        let method = route::method(head.method());
        if self.by_route
            && let Some(matched) = route::matched(head.extensions())
        {
            let known = known::operation(self, method, matched);
            return known.or_else(|| self.search(anchor, method, Some(matched), head));
        }
        self.search(anchor, method, None, head)
    }

    /// The same, whatever was counted before.
    #[inline(never)]
    fn search(
        &'static self,
        anchor: &Anchor,
        method: &'static str,
        matched: Option<&Matched>,
        head: &RequestHead<'_>,
    ) -> Option<NonNull<Operation>> {
        let set = anchor.registry().set(Domain::Http);
        let settings = &self.settings;
        let route = settings
            .path(head)
            .or_else(|| route::route(head.extensions()));
        let operation = match route {
            Some(route) if settings.excluded.iter().any(|excluded| excluded == route) => {
                anchor.registry().oddities.routed();
                return None;
            }
            Some(route) => {
                let own = [method, settings.renames.name(route)];
                let operation = labelled(set, own, head, OperationSet::get);
                // What came after the cap is counted each time.
                if let Some(matched) = matched.filter(|_| operation.has(&own)) {
                    known::keep(self, method, matched, operation);
                }
                operation
            }
            None => {
                anchor.registry().oddities.unmatched();
                labelled(set, [method, UNMATCHED], head, OperationSet::get_declared)
            }
        };
        Some(NonNull::from(&**operation))
    }
}

impl Settings {
    /// The path of a request, if it is one of those that were declared.
    #[inline]
    fn path(&self, head: &RequestHead<'_>) -> Option<&str> {
        if self.paths.is_empty() {
            return None;
        }
        let asked = head.uri().path();
        let at = self.paths.binary_search_by(|path| path.as_str().cmp(asked));
        Some(&self.paths[at.ok()?])
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
    /// The operation is one of the anchor's registry.
    #[inline]
    fn new(operation: NonNull<Operation>, anchor: Arc<Anchor>) -> Self {
        Self {
            operation,
            anchor,
            scope: None,
        }
    }

    /// The record of the request from now on.
    pub(super) fn keep(&mut self, scope: Option<Box<Scope>>) {
        self.scope = scope;
    }

    /// How often its requests may query.
    pub(super) fn query_limits(&self) -> QueryLimits {
        self.anchor.registry().findings.limits
    }

    /// A classifier of the user's panicked.
    #[cold]
    pub(super) fn classifier_panicked(&self) {
        self.anchor.registry().oddities.classifier_panicked();
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
        // SAFETY: `Share::operation`, the only one to say what this is made of, took it from a set of the anchor's registry, or from what the
        // thread kept of it for the very same share, whose anchors are all of one registry. A set never drops
        // an operation before itself, a registry never a set, and an anchor keeps one registry for its life.
        unsafe { self.operation.as_ref() }
    }
}

impl Handle for Counted {
    const IS_REQUEST: bool = true;

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
