//! Whether Prometheus was given the rules, and can evaluate them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Finding, Patient};
use crate::prometheus::{Error, Prometheus};

pub(super) fn examine(
    patient: &Patient<'_>,
    prometheus: &Prometheus,
) -> Result<Vec<Finding>, Error> {
    let groups = prometheus.list("rules", "/groups")?;
    let loaded: BTreeMap<&str, &Value> = groups
        .iter()
        .filter_map(|group| Some((group["name"].as_str()?, group)))
        .collect();
    let (there, lacking): (Vec<_>, Vec<_>) = patient
        .rules
        .iter()
        .map(|group| group.name.as_str())
        .partition(|name| loaded.contains_key(name));
    let mut findings = Vec::new();
    if let Some(first) = lacking.first() {
        let what = match there.is_empty() {
            true => "the rules are not loaded".to_owned(),
            false if lacking.len() == 1 => format!("the group of rules {first} is not loaded"),
            false => format!(
                "{} groups of rules are not loaded, {first} among them",
                lacking.len()
            ),
        };
        let mend = "write them with `plimsoll rules FILE -o rules.yml`, name that in `rule_files`, and reload Prometheus; if they are of one scope, say so with --scope";
        findings.push(Finding::new(what, mend));
    }
    findings.extend(there.iter().flat_map(|name| failing(name, loaded[name])));
    Ok(findings)
}

/// The rules of a group that cannot be evaluated.
fn failing(group: &str, loaded: &Value) -> Vec<Finding> {
    let rules = loaded["rules"].as_array().into_iter().flatten();
    let wrong = rules.filter(|rule| rule["health"] == "err");
    let finding = |rule: &Value| {
        let text = |key: &str| rule[key].as_str().unwrap_or_default();
        Finding::new(
            format!("{group}: {} fails: {}", text("name"), text("lastError")),
            "write the rules anew with `plimsoll rules`; two series of one meaning are often two jobs under one name",
        )
    };
    wrong.map(finding).collect()
}
