//! A query under way.

use std::ops::Deref;
use std::sync::Arc;

use super::database::Kept;
use super::error::{ClassifyError, ErrorClass, Status, Unclassified};
use crate::registry::{End, Extra, Handle, InFlight, Operation, Outcome, Watched};
use crate::scope::StatementId;

/// A query under way. Dropped without an end it counts as cancelled, or as an error if a panic dropped it.
#[derive(Debug)]
#[must_use = "dropped at once, it counts as cancelled"]
pub struct Guard(InFlight<Query>);

impl Guard {
    /// Counts a query as begun.
    #[inline]
    pub(super) fn begin(counted: Counted) -> Self {
        let watched = counted.operation().watch();
        Self(InFlight::begin(Query {
            counted,
            rows: UNTOLD,
            _watched: watched,
        }))
    }

    /// So many rows came, or were changed. What is told in several steps is added up, and recorded with the end.
    pub fn rows(&mut self, rows: u64) {
        if let Some(query) = self.0.operation_mut() {
            query.rows = match query.rows {
                UNTOLD => rows,
                known => known.saturating_add(rows),
            }
            .min(UNTOLD - 1);
        }
    }

    /// Ends as the result says: `ok` or `error`.
    #[inline]
    pub fn finish<T, E>(self, result: &Result<T, E>) {
        self.finish_as(Unclassified.status(result));
    }

    /// Ends as the caller says: an [`Outcome`], an [`ErrorClass`] or a [`Status`].
    #[inline]
    pub fn finish_as(self, status: impl Into<Status>) {
        self.0.finish(status.into().0);
    }

    /// Ends with an error of this class.
    pub fn fail(self, class: ErrorClass) {
        self.finish_as(class);
    }

    /// Ends as `timeout`: it took too long for whoever waited.
    pub fn timed_out(self) {
        self.finish_as(Status::timeout());
    }

    /// Ends as `partial`: a stream of rows that was left early, on purpose. Not an error.
    pub fn partial(self) {
        self.finish_as(Status::partial());
    }
}

/// No number of rows.
const UNTOLD: u64 = u64::MAX;

/// What a query is counted as.
#[derive(Debug)]
pub(super) enum Counted {
    Operation(Arc<Operation>),
    Statement(Arc<Kept>),
}

impl Counted {
    #[inline]
    fn operation(&self) -> &Operation {
        match self {
            Self::Operation(operation) => operation,
            Self::Statement(kept) => kept.operation(),
        }
    }
}

/// What is known of a query under way.
#[derive(Debug)]
pub(super) struct Query {
    counted: Counted,
    /// [`UNTOLD`] while nobody has told: half the size of an option, and guards are moved about.
    rows: u64,
    /// Until the query ends.
    _watched: Option<Watched>,
}

impl Deref for Query {
    type Target = Operation;

    #[inline]
    fn deref(&self) -> &Operation {
        self.counted.operation()
    }
}

impl Handle for Query {
    #[inline]
    fn statement(&self) -> StatementId {
        match &self.counted {
            Counted::Operation(operation) => StatementId::of(&**operation),
            Counted::Statement(kept) => StatementId::of(&**kept),
        }
    }

    #[inline]
    fn closed(&self, end: End, elapsed_ns: u64) {
        if self.rows != UNTOLD {
            self.extra(Extra::Rows).record(self.rows);
        }
        if let Counted::Statement(kept) = &self.counted {
            kept.count(elapsed_ns, end.outcome == Outcome::Error);
        }
    }
}
