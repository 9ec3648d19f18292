//! In a service that generates nothing its file may still say how that is done.

/// Nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extras;

impl Extras {
    /// None: what is not read has no mistakes.
    pub(crate) fn problems(
        self,
        _service: &str,
        _budgets: &[crate::Budget],
        _slos: &[crate::Slo],
    ) -> Vec<super::Problem> {
        Vec::new()
    }
}

/// Takes the tables of these from `root`, unread.
#[cfg(feature = "config")]
pub(super) fn read(_root: &mut super::fields::Fields<'_>) -> Extras {
    Extras
}
