//! What a file says of the files that are generated from it.

mod dashboards;

use super::fields::Fields;
pub(crate) use crate::generate::Extras;

/// The tables of these, out of `root`.
pub(super) fn read(root: &mut Fields<'_>) -> Extras {
    Extras {
        dashboards: dashboards::read(root),
    }
}
