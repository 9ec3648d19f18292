//! In a service that generates nothing its file may still say how that is done.

/// Nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras;

/// Takes the tables of these from `root`, unread.
#[cfg(feature = "config")]
pub(super) fn read(_root: &mut super::fields::Fields<'_>) -> Extras {
    Extras
}
