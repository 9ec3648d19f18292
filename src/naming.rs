//! Why it exists: what is exported is public API of the service that embeds us, so its names are the service's choice.

use crate::registry::Domain;

/// How exported families are named: a profile, a prefix and renames.
#[derive(Debug, Clone)]
pub struct Naming {
    profile: Profile,
    prefix: String,
    errors_family: bool,
}

/// The naming profiles of the metric catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Otel,
    Classic,
    Millis,
}

impl Naming {
    /// OpenTelemetry's names in Prometheus' spelling.
    pub fn otel() -> Self {
        Self {
            profile: Profile::Otel,
            prefix: String::new(),
            errors_family: false,
        }
    }

    /// The exported name of an instrument that was registered as `name`.
    pub(crate) fn instrument(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The bounds, in seconds, that the profile gives a domain's durations.
    pub(crate) fn bounds(&self, _domain: Domain) -> Vec<f64> {
        let _ = (self.profile, self.errors_family);
        vec![
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
        ]
    }

    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    pub(crate) fn exports(&self, _name: &str) -> bool {
        false
    }

    /// stub
    pub fn classic() -> Self {
        Self::otel()
    }

    /// stub
    pub fn millis() -> Self {
        Self::otel()
    }

    /// stub
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// stub
    pub fn errors_family(self) -> Self {
        self
    }

    /// stub
    pub fn rename(self, _: impl Into<String>, _: impl Into<String>) -> Self {
        self
    }

    /// stub
    pub fn rename_label(
        self,
        _: impl Into<String>,
        _: impl Into<String>,
        _: impl Into<String>,
    ) -> Self {
        self
    }
}
