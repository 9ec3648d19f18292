//! What is wrong with a naming, each with its field and how to mend it.

use std::collections::{BTreeMap, BTreeSet};

use super::distance::distance;
use super::table::{INSTRUMENTS, OWN};
use super::{LabelRename, Naming, Profile, sample_names};
use crate::registry::{Domain, check_label, check_name};

/// Labels that counters and alerts of budgets have.
pub(crate) const OF_BUDGETS: [&str; 6] = [
    "alertname",
    "budget",
    "edge",
    "level",
    "schedule",
    "severity",
];

/// Labels that Prometheus adds, or that our other families, generated alerts and recordings, and what these read, have.
const OF_OTHERS: [&str; 14] = [
    "absent",
    "alertstate",
    "escalation",
    "instance",
    "job",
    "le",
    "long",
    "scope",
    "short",
    "slo",
    "sloth_id",
    "sloth_service",
    "sloth_slo",
    "sloth_window",
];

/// Whether a label is one of those, which nothing else may be called.
pub(crate) fn is_reserved(label: &str) -> bool {
    OF_BUDGETS.contains(&label) || OF_OTHERS.contains(&label)
}

impl Naming {
    /// Every mistake as (field, message); empty when there is none.
    pub(crate) fn problems(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        let mut report = |field: &str, message: String| {
            problems.push((format!("naming: {field}"), message));
        };
        if !self.prefix.is_empty() && check_name(&self.prefix).is_err() {
            let prefix = &self.prefix;
            report(
                "prefix",
                format!("{prefix:?} must match [a-zA-Z_][a-zA-Z0-9_]*"),
            );
        }
        if self.errors_family && self.profile != Profile::Classic {
            report(
                "errors_family",
                "belongs to the profile classic: leave it out or change the profile".into(),
            );
        }
        for (old, new) in &self.renames {
            if let Some(message) = self.rename_problem(old, new) {
                report(&format!("rename: {old}"), message);
            }
        }
        for rename in &self.label_renames {
            if let Some(message) = self.label_problem(rename) {
                let LabelRename { family, label, .. } = rename;
                report(&format!("rename_label: {family}.{label}"), message);
            }
        }
        for message in self.clashes() {
            report("rename", message);
        }
        let of_labels = self.label_clashes().into_iter();
        problems
            .extend(of_labels.map(|(label, message)| (format!("http_label {label:?}:"), message)));
        problems
    }

    fn rename_problem(&self, old: &str, new: &str) -> Option<String> {
        let mut known: Vec<_> = self.rows().map(|row| row.name).collect();
        known.extend(INSTRUMENTS);
        if !known.contains(&old) {
            return Some(format!(
                "is no family of this profile: did you mean {:?}?",
                nearest(old, &known)
            ));
        }
        let refused = check_name(new).is_err();
        refused
            .then(|| format!("has the new name {new:?}, which must match [a-zA-Z_][a-zA-Z0-9_]*"))
    }

    fn label_problem(&self, rename: &LabelRename) -> Option<String> {
        let LabelRename { family, label, new } = rename;
        let Some(row) = self.rows().find(|row| row.name == family) else {
            let known: Vec<_> = self.rows().map(|row| row.name).collect();
            return Some(format!(
                "is a label of no family of this profile: did you mean {:?}?",
                nearest(family, &known)
            ));
        };
        let keys: Vec<_> = self.labels(row).map(|(key, _)| key).collect();
        if !keys.contains(&label.as_str()) {
            return Some(format!(
                "{family} has no label {label:?}: its labels are {keys:?}"
            ));
        }
        if let Err(error) = check_label(family, new) {
            return Some(error.to_string());
        }
        if is_reserved(new) {
            return Some(format!(
                "would be called {new:?}, which Prometheus or our own families and rules have for themselves: choose another name"
            ));
        }
        let exported = self.spec(row).labels;
        let bearers = exported.iter().filter(|(key, _)| key == new).count();
        (bearers > 1).then(|| format!("two labels of {family} would be called {new:?}"))
    }

    /// Labels that the user adds and that a family of the profile has already, as (label, message).
    fn label_clashes(&self) -> Vec<(&'static str, String)> {
        let clash = |key: &'static str| {
            if Domain::Http.keys().contains(&key) {
                // Every profile has it, under whatever name: the label's own problem.
                return None;
            }
            let mut rows = self.rows().filter(|row| row.source == Domain::Http);
            let taken = rows.find(|row| row.labels.iter().any(|&(known, _)| known == key))?;
            let family = taken.name;
            Some((
                key,
                format!("is a label of {family} already: choose another name"),
            ))
        };
        self.added
            .iter()
            .filter_map(|&(key, _)| clash(key))
            .collect()
    }

    /// Names that two families would bear.
    fn clashes(&self) -> Vec<String> {
        let mut bearers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut bear = |family: &str, exported: &str, histogram| {
            for name in sample_names(exported, histogram) {
                bearers.entry(name).or_default().push(family.to_owned());
            }
        };
        for row in self.rows() {
            bear(row.name, &self.family(row.name), row.take.is_histogram());
        }
        for name in INSTRUMENTS {
            bear(name, &self.instrument(name), false);
        }
        for name in OWN {
            bear(name, name, false);
        }
        // Two histograms clash in four names: one message is enough.
        let mut told = BTreeSet::new();
        bearers
            .into_iter()
            .filter(|(_, families)| families.len() > 1 && told.insert(families.clone()))
            .map(|(name, families)| {
                let families = families.join(" and ");
                format!("{families} would both export {name}: choose another name for one of them")
            })
            .collect()
    }
}

/// The known name that takes the fewest edits.
fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    let by_distance = known.iter().min_by_key(|other| distance(name, other));
    by_distance.copied().unwrap_or_default()
}
