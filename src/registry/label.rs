//! Labels that the user adds to those of requests: how each is declared, and what is wrong with the declarations.

use std::any::Any;
use std::fmt;

use super::values::{MAX_BYTES, MAX_VALUES};
use super::{Domain, check_label};

/// Labels that may be added: each multiplies the series.
pub(crate) const MAX_LABELS: usize = 4;

/// Values that are kept apart unless the label says otherwise.
const DEFAULT_CAP: usize = 16;

/// A label of HTTP requests beyond method and route; [`Builder::http_label`](crate::Builder::http_label) takes it.
///
/// Its values are bounded by construction: those of a declared set ([`values`](Self::values)), or so many
/// ([`at_most`](Self::at_most)), 16 where nothing is said. Whatever else comes is counted under one value and in
/// `plimsoll_label_overflow_total`. Values longer than 128 bytes are never kept.
pub struct Label {
    pub(crate) name: &'static str,
    /// What OpenTelemetry calls it.
    pub(crate) otel: &'static str,
    pub(crate) side: Side,
    pub(super) allowed: Allowed,
    /// How the probe reads it, which is the probe's affair.
    pub(super) reader: Box<dyn Any + Send + Sync>,
}

/// What a label is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Request,
    Response,
}

/// Which values are told apart.
#[derive(Debug)]
pub(super) enum Allowed {
    These(Vec<String>),
    AtMost(usize),
}

impl Label {
    pub(crate) fn new(name: &'static str, side: Side, reader: Box<dyn Any + Send + Sync>) -> Self {
        Self {
            name,
            otel: name,
            side,
            allowed: Allowed::AtMost(DEFAULT_CAP),
            reader,
        }
    }

    /// The same under the name that OpenTelemetry has for it, in its profile.
    pub(crate) fn called(self, otel: &'static str) -> Self {
        Self { otel, ..self }
    }

    /// Only these values, 1 to 250 of them; whatever else comes is `_OTHER`. Takes the place of [`at_most`](Self::at_most).
    ///
    /// Cost: a comparison with each value in turn, so name the most frequent first.
    pub fn values<V: Into<String>>(self, values: impl IntoIterator<Item = V>) -> Self {
        let allowed = Allowed::These(values.into_iter().map(Into::into).collect());
        Self { allowed, ..self }
    }

    /// The first `count` values that come, 1 to 250; from then on new ones are `other`. Takes the place of
    /// [`values`](Self::values).
    ///
    /// Cost: a comparison with each value in turn, in the order in which they first came.
    pub fn at_most(self, count: usize) -> Self {
        let allowed = Allowed::AtMost(count);
        Self { allowed, ..self }
    }

    /// What is wrong with it alone.
    fn problem(&self) -> Option<String> {
        let name = self.name;
        if check_label("", name).is_err() {
            return Some(
                "must match [a-zA-Z_][a-zA-Z0-9_]*, must not start with __ and must not be le or quantile".into(),
            );
        }
        if Domain::Http.keys().contains(&name) {
            return Some("is what every request has already: choose another name".into());
        }
        match &self.allowed {
            Allowed::AtMost(count) if !(1..=MAX_VALUES).contains(count) => Some(format!(
                "at_most({count}) is no cap: it takes 1 to {MAX_VALUES}"
            )),
            Allowed::These(values) if !(1..=MAX_VALUES).contains(&values.len()) => Some(format!(
                "has {} values: it takes 1 to {MAX_VALUES}",
                values.len()
            )),
            Allowed::These(values) => {
                let refused = |value: &&String| value.is_empty() || value.len() > MAX_BYTES;
                let refused = values.iter().find(refused)?;
                let shown: String = refused.chars().take(20).collect();
                let bytes = refused.len();
                Some(format!(
                    "value {shown:?} has {bytes} bytes: it takes 1 to {MAX_BYTES}, and empty is what none is shown as"
                ))
            }
            Allowed::AtMost(_) => None,
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Label")
            .field("name", &self.name)
            .field("side", &self.side)
            .field("allowed", &self.allowed)
            .finish_non_exhaustive()
    }
}

/// The label keys of a domain's operations: its own, then those of its requests that the user added.
pub(crate) fn keys(domain: Domain, labels: &[Label]) -> Vec<&'static str> {
    let added = labels
        .iter()
        .filter(|label| domain == Domain::Http && label.side == Side::Request)
        .map(|label| label.name);
    domain.keys().iter().copied().chain(added).collect()
}

/// Every mistake in the declarations as (field, what is wrong and how to mend it).
pub(crate) fn label_problems(labels: &[Label]) -> Vec<(String, String)> {
    let mut problems = Vec::new();
    let mut report = |name: &str, message: String| {
        problems.push((format!("http_label {name:?}:"), message));
    };
    for (at, label) in labels.iter().enumerate() {
        if let Some(message) = label.problem() {
            report(label.name, message);
        }
        if labels[..at]
            .iter()
            .any(|earlier| earlier.name == label.name)
        {
            let message = "is declared twice: leave one out or choose another name";
            report(label.name, message.into());
        }
    }
    if let Some(beyond) = labels.get(MAX_LABELS) {
        let count = labels.len();
        let message = format!(
            "is one too many: {count} labels are declared, and at most {MAX_LABELS} may be, since each multiplies the series"
        );
        report(beyond.name, message);
    }
    problems
}

#[cfg(test)]
mod tests;
