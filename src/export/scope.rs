//! Which families a picture shows: those of a page, or only those that somebody named.

use std::sync::Arc;

use crate::engine::Wanted;
use crate::family::Kind;
use crate::naming::sample_names;

/// Families whose value is made of everything else that is counted.
const OF_ALL: [&str; 2] = [
    "plimsoll_values_saturated_total",
    "plimsoll_series_overflow_total",
];

/// Which families are shown.
#[derive(Debug)]
pub(super) enum Scope {
    Page,
    Named(Arc<Wanted>),
}

impl Scope {
    /// What these names ask for.
    pub(super) fn named(wanted: Arc<Wanted>) -> Self {
        if OF_ALL.iter().any(|name| wanted.has(name)) {
            Self::Page
        } else {
            Self::Named(wanted)
        }
    }

    /// Whether a family is shown.
    pub(super) fn shows(&self, name: &str, kind: Kind) -> bool {
        match self {
            Self::Page => true,
            Self::Named(wanted) => wanted.any(sample_names(name, kind == Kind::Histogram)),
        }
    }

    /// Whether families are shown that report on this crate itself.
    pub(super) fn shows_ours(&self) -> bool {
        match self {
            Self::Page => true,
            Self::Named(wanted) => wanted.names().any(|name| name.starts_with("plimsoll_")),
        }
    }

    /// Whether a name is asked for that is none of these.
    pub(super) fn shows_others(&self, known: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Page => true,
            Self::Named(wanted) => wanted.names().any(|name| !known(name)),
        }
    }
}
