//! Settings from TOML.
//!
//! The table is walked by hand instead of deserialised, because a deserialiser stops at the first mistake.

use std::path::{Path, PathBuf};

use toml::Table;

use super::fields::{Fields, Numbered};
use super::{DatabaseSettings, Problem, Settings, budgets, extras, rules, slos};
use crate::naming::Naming;

/// The most statements of a database that may be told apart.
const MAX_STATEMENTS: u64 = 32_000;

/// The longest text that is read; a budget takes some hundred bytes.
const MAX_BYTES: usize = 1 << 20;

/// Reads one table of a kind of which there may be several.
type ReadTable = fn(Numbered, &mut Settings, &mut Vec<Problem>);

/// In the order in which their mistakes are reported.
const KINDS: [(&str, ReadTable); 5] = [
    ("database", database),
    ("budget", budgets::budget),
    ("kpi", budgets::kpi),
    ("budget_tree", budgets::tree),
    ("slo", slos::slo),
];

/// Reads a whole configuration; what is wrong goes to `problems`, the rest is returned. Files that it names are looked for
/// from `folder` on.
pub(crate) fn parse(text: &str, folder: &Path, problems: &mut Vec<Problem>) -> Settings {
    if text.len() > MAX_BYTES {
        let message = format!(
            "has {} bytes, more than the {MAX_BYTES} that are read: it is not a configuration, or divide it",
            text.len()
        );
        problems.push(Problem::new("toml", message));
        return Settings::default();
    }
    let table = match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            problems.push(Problem::new(
                "toml",
                format!("cannot be read: {}", error.to_string().trim_end()),
            ));
            return Settings::default();
        }
    };
    let mut root = Fields::new(String::new(), table, problems);
    let mut settings = Settings {
        service: root.string("service"),
        tick: root.duration("tick"),
        expected: root.words("expect_families"),
        max_series: root.integer("max_series").map(|number| number as usize),
        state: (
            root.string("state_file").map(PathBuf::from),
            root.duration("state_every"),
        ),
        ..Settings::default()
    };
    let naming = root.table("naming");
    let thresholds = root.table("thresholds");
    let slow_log = root.table("slow_log");
    let rule_files = root.words("rules");
    let tables = KINDS.map(|(kind, read)| (root.tables(kind), read));
    settings.extras = extras::read(&mut root);
    root.finish();
    rules::read(&rule_files, folder, &mut settings, problems);
    if let Some(table) = naming {
        settings.naming = self::naming(Fields::new("naming: ".into(), table, problems));
    }
    if let Some(table) = thresholds {
        let mut fields = Fields::new("thresholds: ".into(), table, problems);
        settings.slow_request = fields.duration("slow_request");
        settings.slow_query = fields.duration("slow_query");
        settings.query_watchdog = fields.duration("query_watchdog");
        settings.n_plus_one = fields.integer("n_plus_one");
        settings.max_queries = fields.integer("max_queries");
        fields.finish();
    }
    if let Some(table) = slow_log {
        let mut fields = Fields::new("slow_log: ".into(), table, problems);
        let count = fields.integer("count").map(|number| number as usize);
        settings.slow_log = (count, fields.duration("period"));
        fields.finish();
    }
    for (tables, read) in tables {
        (1..)
            .zip(tables)
            .for_each(|table| read(table, &mut settings, problems));
    }
    settings
}

fn naming(mut fields: Fields<'_>) -> Option<Naming> {
    let mut naming = match fields.string("profile").as_deref() {
        None | Some("otel") => Naming::otel(),
        Some("classic") => Naming::classic(),
        Some("millis") => Naming::millis(),
        Some("axum_prometheus") => Naming::axum_prometheus(),
        Some(other) => {
            fields.report(
                "profile",
                format!(
                    "{other:?} is not a profile: choose otel, classic, millis or axum_prometheus"
                ),
            );
            Naming::otel()
        }
    };
    if let Some(prefix) = fields.string("prefix") {
        naming = naming.prefix(prefix);
    }
    if fields.boolean("errors_family") == Some(true) {
        naming = naming.errors_family();
    }
    for (from, to) in fields.strings("rename") {
        naming = naming.rename(from, to);
    }
    for (label, to) in fields.strings("rename_label") {
        match label.split_once('.') {
            Some((family, label)) => naming = naming.rename_label(family, label, to),
            None => fields.report(
                &format!("rename_label: {label}"),
                "names no label: write \"family.label\"",
            ),
        }
    }
    fields.finish();
    Some(naming)
}

fn database(table: Numbered, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("database", table, problems);
    fields.refuse_twice(&name, settings.databases.iter().map(|known| &*known.name));
    let max_statements = fields.integer("max_statements");
    if let Some(statements) = max_statements.filter(|known| *known > MAX_STATEMENTS) {
        let message = format!("{statements} is more than there may be: at most {MAX_STATEMENTS}");
        fields.report("max_statements", message);
    }
    let quoted_literals = match fields.string("double_quotes").as_deref() {
        None => None,
        Some("names") => Some(false),
        Some("literals") => Some(true),
        Some(other) => {
            let message =
                format!("{other:?} is not what they stand around: choose names or literals");
            fields.report("double_quotes", message);
            None
        }
    };
    let queries = fields.words("queries");
    fields.finish();
    settings.databases.push(DatabaseSettings {
        name,
        max_statements: max_statements.map(|number| number as usize),
        quoted_literals,
        queries,
    });
}
