//! What was remembered and is of no use any more: one warning for each way to lose something, with the names of what lost it.

use std::collections::{BTreeMap, BTreeSet};

/// Names that a warning lists before it counts the others.
const LISTED: usize = 10;

/// Why something that was remembered is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Loss {
    /// The counters of a budget or SLO count something else.
    Windows,
    /// What an SLO counted in its period is something else.
    ErrorBudget,
    /// An alert has another condition.
    Alert,
    /// An alert was pending or firing before an outage that is too long for it.
    Outage,
    /// A family is recorded by another expression.
    Recorded,
    /// A band would learn something else, or in another way.
    Limits,
    /// The bytes of a band are none.
    DamagedLimits,
    /// Nobody has declared this budget.
    Budget,
    /// Nobody has declared this SLO.
    Slo,
    /// Nobody has given this rule.
    Rule,
    /// Nobody reads this family.
    Family,
}

impl Loss {
    /// What the names are of, and what became of it.
    fn says(self) -> (&'static str, &'static str) {
        const ANEW: &str = "counted something else before: they begin anew";
        const GONE: &str =
            "are not declared any more: what is remembered of them is kept until it is too old";
        match self {
            Self::Windows => ("windows of", ANEW),
            Self::ErrorBudget => (
                "error budgets of",
                "counted something else before, or over another period: they begin anew",
            ),
            Self::Alert => (
                "alerts of",
                "had another condition before: they begin inactive",
            ),
            Self::Outage => (
                "earlier alerts of",
                "were pending or firing more than an hour ago: they begin inactive",
            ),
            Self::Recorded => (
                "records of",
                "came from another expression before: they begin anew",
            ),
            Self::Limits => (
                "learned limits of",
                "do not fit what is declared now: they begin anew",
            ),
            Self::DamagedLimits => (
                "saved limits of",
                "are damaged, or those of another version: they begin anew",
            ),
            Self::Budget => ("budgets", GONE),
            Self::Slo => ("SLOs", GONE),
            Self::Rule => ("rules", GONE),
            Self::Family => (
                "series of",
                "are read by no rule any more: they are kept until they are too old",
            ),
        }
    }
}

/// What was lost, by the reason.
#[derive(Debug, Default)]
pub(in crate::engine) struct Losses(BTreeMap<Loss, BTreeSet<String>>);

impl Losses {
    pub(super) fn add(&mut self, loss: Loss, name: impl Into<String>) {
        self.0.entry(loss).or_default().insert(name.into());
    }

    /// Takes over what another one holds.
    pub(super) fn take(&mut self, other: &mut Self) {
        for (loss, names) in std::mem::take(&mut other.0) {
            self.0.entry(loss).or_default().extend(names);
        }
    }

    /// In words: what it is about, and what became of it.
    pub(super) fn told(self) -> Vec<(String, String)> {
        let told = self.0.into_iter().map(|(loss, names)| {
            let (of, what) = loss.says();
            (format!("{of} {}", listed(&names)), what.to_owned())
        });
        told.collect()
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().take(LISTED).map(|name| &**name).collect();
    match names.len().saturating_sub(LISTED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_warning_for_each_reason_names_them_all() {
        let mut losses = Losses::default();
        losses.add(Loss::Budget, "b");
        losses.add(Loss::Windows, "w");
        let mut more = Losses::default();
        more.add(Loss::Budget, "a");
        more.add(Loss::Budget, "b");
        losses.take(&mut more);
        let told = losses.told();
        let subjects: Vec<&str> = told.iter().map(|told| &*told.0).collect();
        assert_eq!(subjects, ["windows of w", "budgets a, b"]);
        assert!(more.told().is_empty());
    }

    #[test]
    fn a_thousand_names_are_no_text_of_a_thousand_names() {
        let mut losses = Losses::default();
        (0..1_000).for_each(|nth| losses.add(Loss::Rule, format!("{nth:03}")));
        let told = losses.told().remove(0).0;
        assert!(told.starts_with("rules 000, 001,"), "{told}");
        assert!(told.ends_with("009 and 990 more"), "{told}");
    }
}
