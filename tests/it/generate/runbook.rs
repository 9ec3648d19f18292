//! Every alert has a page, and its link ends in that page's folder.

#[cfg(feature = "cli")]
mod command;

use std::collections::BTreeSet;

use plimsoll::generate::{Declaration, Operations, RuleDialect, RuleOptions};
use plimsoll::rule::RuleKind;

use super::dashboards::{SHIPPED, shipped};
use super::declarations::{rich, small};

const BASE: &str = "https://example.org/runbooks";

/// All pages, one after the other, each under its path.
pub(super) fn in_one(declaration: &Declaration) -> String {
    let pages = declaration.runbook().into_iter();
    let pages = pages.map(|(path, page)| format!("<!-- {path} -->\n\n{page}"));
    pages.collect::<Vec<_>>().join("\n")
}

/// The folders that the links of these alerts end in.
fn linked(declaration: &Declaration, dialect: RuleDialect) -> BTreeSet<String> {
    let file = declaration.rules(RuleOptions::new().dialect(dialect));
    let rules = file.groups().iter().flat_map(|group| &group.rules);
    let alerts = rules.filter_map(|rule| match &rule.kind {
        RuleKind::Alert(alert) => Some(alert),
        _ => None,
    });
    let link = |alert: &plimsoll::rule::AlertRule| {
        let mut annotations = alert.annotations.iter();
        let (_, url) = annotations.find(|(key, _)| key == "runbook_url").unwrap();
        let folder = url.strip_prefix(BASE).unwrap().strip_prefix('/').unwrap();
        folder.to_owned()
    };
    alerts.map(link).collect()
}

#[test]
fn every_alert_links_to_its_page() {
    let mut declarations: Vec<Declaration> = SHIPPED.map(shipped).into();
    declarations.extend([rich(), small()]);
    for declaration in declarations {
        let operations = Operations::new().runbook_url(BASE);
        let declaration = declaration.operations(operations).unwrap();
        let pages = declaration.runbook();
        let folder =
            |(path, _): &(String, String)| Some(path.strip_suffix("/README.md")?.to_owned());
        let folders: BTreeSet<String> = pages.iter().filter_map(folder).collect();
        assert_eq!(folders.len() + 1, pages.len(), "a page stands twice");
        assert_eq!(linked(&declaration, RuleDialect::Plimsoll), folders);
        // sloth's have no alerts by instance, and no others.
        assert!(linked(&declaration, RuleDialect::Sloth).is_subset(&folders));
        let (path, index) = &pages[0];
        assert_eq!(path, "README.md");
        for folder in &folders {
            assert!(index.contains(&format!("({folder}/README.md)")), "{folder}");
            let safe = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
            assert!(
                folder.chars().all(safe) && !folder.starts_with('.'),
                "{folder}"
            );
        }
    }
}

#[test]
fn a_page_says_limits_times_and_who_is_told() {
    let pages = small().runbook();
    let page = |name: &str| {
        let path = format!("{name}/README.md");
        let found = pages.iter().find(|page| page.0 == path);
        found.unwrap().1.as_str()
    };
    let errors = page("CriticalErrorRate");
    for part in [
        "| fleet | critical | at most 0.01 | at most 0.005 | 1m | 2m | 0s | on-call |",
        "| fleet | critical | at most 0.01 | at most 0.005 | 1m | 17m | 0s | team-lead |",
        "```mermaid\nflowchart TD",
        "amtool silence add 'alertname=\"CriticalErrorRate\"' 'job=\"shop\"'",
        "http_server_request_duration_seconds_count{job=\"shop\"}",
    ] {
        assert!(errors.contains(part), "{part:?} is not in: {errors}");
    }
    let api = page("api");
    assert!(
        api.contains("| fleet | page | 1.44 % bad | the limit | 1h and 5m | 0s | 0s | on-call |")
    );
    let pages_of_slo = page("api-down");
    assert!(pages_of_slo.contains("absent(up{job=\"shop\"})"));
}
