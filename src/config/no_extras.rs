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
pub(super) fn read(root: &mut super::fields::Fields<'_>) -> Extras {
    root.table("generate");
    root.tables("dashboard");
    Extras
}

#[cfg(all(test, feature = "config"))]
mod tests {
    #[test]
    fn the_file_of_a_service_that_generates_nothing_may_say_how() {
        let text = "[generate]\njob = \"shop\"\n[[dashboard]]\nuid = \"shop\"\n";
        crate::Plimsoll::builder()
            .manual_tick()
            .toml(text)
            .build()
            .expect("taken unread");
    }
}
