//! The catalogue and what is exported are the same.

use std::collections::BTreeSet;

use promql_parser::parser::parse;

use super::{Entry, PAGE, entries};
use crate::Plimsoll;
use crate::budget::BREACH_DURATIONS;
use crate::generate::Declaration;
use crate::generate::runbook::tests::{declarations, families};
use crate::naming::Naming;

fn of(naming: Naming) -> Declaration {
    let builder = Plimsoll::builder().naming(naming);
    builder.declaration().expect("sound")
}

fn all() -> Vec<Declaration> {
    let mut all = declarations();
    all.extend([
        of(Naming::otel()),
        of(Naming::classic().prefix("shop_")),
        of(Naming::classic().errors_family()),
        of(Naming::millis()),
        of(Naming::axum_prometheus().prefix("shop_")),
    ]);
    all
}

fn headings(catalogue: &str) -> Vec<String> {
    let headings = catalogue
        .lines()
        .filter_map(|line| line.strip_prefix("### `"));
    headings
        .map(|name| name.trim_end_matches('`').to_owned())
        .collect()
}

#[test]
fn every_family_that_is_shown_stands_in_it_once() {
    for declaration in all() {
        let catalogue = declaration.catalogue();
        let headings = headings(&catalogue);
        let once: BTreeSet<String> = headings.iter().cloned().collect();
        assert_eq!(once.len(), headings.len());
        let shown = declaration.naming.catalogued().into_iter();
        let shown: BTreeSet<String> = shown.map(|family| family.shown).collect();
        let missing: Vec<_> = shown.difference(&once).collect();
        assert!(missing.is_empty(), "{missing:?} are not in docs/metrics.md");
    }
}

#[test]
fn what_is_written_has_all_labels_and_refers_to_nothing() {
    let entries = entries(PAGE);
    for declaration in all() {
        for family in declaration.naming.catalogued() {
            let entry = entries.iter().find(|entry| entry.name == family.name);
            let entry = entry.unwrap_or_else(|| panic!("no entry of {}", family.name));
            let unlabelled = family
                .labels
                .iter()
                .find(|(label, _)| !entry.kind.contains(&format!("`{label}`")));
            assert_eq!(unlabelled, None, "{}", family.name);
            let resolved = entry.resolved(&entries);
            assert_eq!(resolved.refers_to(), None, "{}", family.name);
            for text in [
                &resolved.kind,
                &resolved.definition,
                &resolved.interpretation,
            ] {
                assert!(!text.contains("as above"), "{}: {text}", family.name);
            }
        }
    }
}

#[test]
fn examples_ask_for_what_is_shown() {
    for declaration in all() {
        let mut shown = declaration.naming.readable();
        shown.extend(["_bucket", "_sum", "_count"].map(|end| format!("{BREACH_DURATIONS}{end}")));
        for line in declaration.catalogue().lines() {
            let Some(example) = line.strip_prefix("* Example: `") else {
                continue;
            };
            let example = example.trim_end_matches('`');
            let tree = parse(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let mut named = Vec::new();
            families(&tree, &mut named);
            let unknown = named.iter().find(|family| !shown.contains(*family));
            assert_eq!(unknown, None, "{example}");
        }
    }
}

#[test]
fn names_are_those_of_the_service() {
    let naming = Naming::classic()
        .prefix("shop_")
        .rename("requests_total", "calls_total")
        .rename_label("requests_total", "status", "code");
    let catalogue = of(naming).catalogue();
    let entry = catalogue
        .split("\n### ")
        .find(|entry| entry.starts_with("`shop_calls_total`"));
    let entry = entry.expect("an entry");
    assert!(entry.contains("`method`, `route`, `code`"), "{entry}");
    assert!(entry.contains("rate(shop_calls_total[5m])"), "{entry}");
}

#[test]
fn another_definition_is_taken_with_what_is_different() {
    let page = "\n## A (x)\n\n### `a`\n\nCounter; `l`.\n\n* Definition: all\n  of them.\n* Interpretation: many.\n* Example: `a * 2`\n\n\
                ### `b`\n\nCounter. `Naming::x()` too.\n\n* Definition: as `a`, times 2.\n* Interpretation: the same.\n* Example: `b`\n";
    let all = entries(page);
    assert_eq!(
        all[1].resolved(&all),
        Entry {
            section: "A",
            name: "b",
            kind: "Counter.".to_owned(),
            definition: "all of them. Times 2.".to_owned(),
            interpretation: "many.".to_owned(),
            example: "`b`".to_owned(),
            note: String::new(),
        }
    );
    assert_eq!(all[0].example, "`a * 2`");
}
