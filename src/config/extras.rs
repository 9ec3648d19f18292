//! What a file says of the files that are generated from it.

use super::fields::Fields;
pub(crate) use crate::generate::Extras;

/// The tables of these, out of `root`.
pub(super) fn read(_root: &mut Fields<'_>) -> Extras {
    Extras::default()
}
