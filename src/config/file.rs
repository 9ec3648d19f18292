//! Settings from TOML.
//!
//! The table is walked by hand instead of deserialised, because a deserialiser stops at the first mistake.

use toml::Table;

use super::fields::Fields;
use super::{Adjustment, DatabaseSettings, Problem, Settings};
use crate::budget::{Budget, Level, Select};
use crate::naming::Naming;

/// The most statements of a database that may be told apart.
const MAX_STATEMENTS: u64 = 32_000;

/// Reads a whole configuration; what is wrong goes to `problems`, the rest is returned.
pub(crate) fn parse(text: &str, problems: &mut Vec<Problem>) -> Settings {
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
        max_series: root.integer("max_series").map(|number| number as usize),
        ..Settings::default()
    };
    let naming = root.table("naming");
    let thresholds = root.table("thresholds");
    let slow_log = root.table("slow_log");
    let databases = root.tables("database");
    let budgets = root.tables("budget");
    let slos = root.tables("slo");
    root.finish();
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
    for table in databases {
        database(table, &mut settings, problems);
    }
    for table in budgets {
        budget(table, &mut settings, problems);
    }
    for table in slos {
        super::slos::slo(table, &mut settings.slos, problems);
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
                "rename_label",
                format!("{label:?} names no label: write \"family.label\""),
            ),
        }
    }
    fields.finish();
    Some(naming)
}

fn database(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("database", table, problems);
    if settings.databases.iter().any(|known| known.name == name) {
        fields.report("name", "stands twice: keep one of the two tables");
    }
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

fn budget(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("budget", table, problems);
    let on = fields.string("on");
    let labels = fields.strings("labels");
    let sli = fields.string("sli");
    let quantile = fields.number("quantile");
    let per = fields.words("per");
    let at_most = fields.limit("at_most");
    let at_least = fields.limit("at_least");
    let mut limits: Vec<(Level, f64)> = [at_most, at_least]
        .into_iter()
        .flatten()
        .map(|l| (Level::Target, l))
        .collect();
    limits.extend(fields.limit("warning").map(|limit| (Level::Warning, limit)));
    limits.extend(
        fields
            .limit("critical")
            .map(|limit| (Level::Critical, limit)),
    );
    let adjustment = Adjustment {
        limits,
        over: fields.duration("over"),
        sustained: fields.duration("for"),
        keep_firing: fields.duration("keep_firing_for"),
        min_events: fields.integer("min_events"),
        warm_up: fields.duration("warm_up"),
        budget: name.clone(),
    };
    let declared = match &on {
        None => {
            for (field, given) in [
                ("sli", sli.is_some()),
                ("quantile", quantile.is_some()),
                ("per", !per.is_empty()),
            ] {
                if given {
                    fields.report(
                        field,
                        "needs on = \"...\" beside it: it declares a new budget",
                    );
                }
            }
            None
        }
        Some(on) => declare(&mut fields, &name, on, labels, sli.as_deref(), quantile),
    };
    fields.finish();
    match declared {
        Some(mut budget) => {
            budget.floor = at_least.is_some();
            budget.per = per;
            adjustment.apply(&mut budget);
            settings.budgets.push(budget);
        }
        None if on.is_none() && !name.is_empty() => settings.adjustments.push(adjustment),
        None => {}
    }
}

/// A new budget, still without its limits.
fn declare(
    fields: &mut Fields<'_>,
    name: &str,
    on: &str,
    labels: Vec<(String, String)>,
    sli: Option<&str>,
    quantile: Option<f64>,
) -> Option<Budget> {
    let Some(mut select) = Select::named(on) else {
        let message = "is not a kind of work: choose http, service, db, modbus, connect, acquire, create, cycle, check, point or operation";
        fields.report("on", format!("{on:?} {message}"));
        return None;
    };
    for (key, value) in labels {
        select = select.label(key, value);
    }
    match (sli, quantile) {
        (None | Some("quantile"), Some(q)) => Some(Budget::quantile(name, select, q)),
        (Some("error_ratio"), None) => Some(Budget::error_ratio(name, select)),
        (Some("success_ratio"), None) => Some(Budget::success_ratio(name, select)),
        (Some("throughput"), None) => Some(Budget::throughput(name, select)),
        (None | Some("quantile"), None) => {
            fields.report("sli", "is missing: write quantile = 0.95, or sli = \"error_ratio\", \"success_ratio\" or \"throughput\"");
            None
        }
        (Some("error_ratio" | "success_ratio" | "throughput"), Some(_)) => {
            fields.report("quantile", "stands beside another sli: keep one of the two");
            None
        }
        (Some(other), _) => {
            fields.report("sli", format!("{other:?} is not one: choose quantile, error_ratio, success_ratio or throughput"));
            None
        }
    }
}
