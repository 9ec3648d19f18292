//! Settings from TOML.
//!
//! The table is walked by hand instead of deserialised, because a deserialiser stops at the first mistake.

use std::time::Duration;

use toml::{Table, Value};

use super::{Adjustment, Problem, Settings};
use crate::budget::{Budget, Level, Select};
use crate::naming::Naming;

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
    let budgets = root.tables("budget");
    root.finish();
    if let Some(table) = naming {
        settings.naming = self::naming(Fields::new("naming: ".into(), table, problems));
    }
    if let Some(table) = thresholds {
        let mut fields = Fields::new("thresholds: ".into(), table, problems);
        settings.slow_request = fields.duration("slow_request");
        settings.slow_query = fields.duration("slow_query");
        fields.finish();
    }
    for table in budgets {
        budget(table, &mut settings, problems);
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

fn budget(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let name = table
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut fields = Fields::new(format!("budget {name:?}: "), table, problems);
    fields.string("name");
    if name.is_empty() {
        fields.report("name", "is missing: every budget needs one");
    }
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
        let message = "is not a kind of work: choose http, service, db, modbus, connect, acquire, cycle, check, point or operation";
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

/// The fields of one table: each is taken once, and what is left over is unknown.
struct Fields<'a> {
    at: String,
    table: Table,
    known: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    fn new(at: String, table: Table, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            at,
            table,
            known: Vec::new(),
            problems,
        }
    }

    fn report(&mut self, field: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::new(format!("{}{field}", self.at), message));
    }

    /// Takes a field and reads it, or reports what was wanted.
    fn take<T>(
        &mut self,
        field: &'static str,
        wanted: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        self.known.push(field);
        let value = self.table.remove(field)?;
        let read = read(&value);
        if read.is_none() {
            self.report(field, format!("{value} is not {wanted}"));
        }
        read
    }

    fn string(&mut self, field: &'static str) -> Option<String> {
        self.take(field, "a string", |value| value.as_str().map(str::to_owned))
    }

    fn boolean(&mut self, field: &'static str) -> Option<bool> {
        self.take(field, "true or false", Value::as_bool)
    }

    fn integer(&mut self, field: &'static str) -> Option<u64> {
        self.take(field, "a whole number from 0 up", |value| {
            value.as_integer()?.try_into().ok()
        })
    }

    fn number(&mut self, field: &'static str) -> Option<f64> {
        self.take(field, "a number", as_number)
    }

    fn duration(&mut self, field: &'static str) -> Option<Duration> {
        self.take(
            field,
            "a duration: write \"250ms\", \"5s\" or \"1m 30s\"",
            as_duration,
        )
    }

    /// A number, or a duration as seconds.
    fn limit(&mut self, field: &'static str) -> Option<f64> {
        let wanted = "a limit: write a number such as 0.001, or a duration such as \"200ms\"";
        self.take(field, wanted, |value| {
            as_number(value).or_else(|| Some(as_duration(value)?.as_secs_f64()))
        })
    }

    fn table(&mut self, field: &'static str) -> Option<Table> {
        self.take(field, "a table", |value| value.as_table().cloned())
    }

    fn tables(&mut self, field: &'static str) -> Vec<Table> {
        let read = |value: &Value| {
            value
                .as_array()?
                .iter()
                .map(|entry| entry.as_table().cloned())
                .collect()
        };
        self.take(field, "a list of tables: write [[budget]]", read)
            .unwrap_or_default()
    }

    /// A string, or a list of strings.
    fn words(&mut self, field: &'static str) -> Vec<String> {
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let read = |value: &Value| match value {
            Value::Array(words) => words.iter().map(word).collect(),
            one => Some(vec![word(one)?]),
        };
        self.take(field, "a string or a list of strings", read)
            .unwrap_or_default()
    }

    /// A table of strings.
    fn strings(&mut self, field: &'static str) -> Vec<(String, String)> {
        let read = |value: &Value| {
            let entry =
                |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
            value.as_table()?.iter().map(entry).collect()
        };
        self.take(field, "a table of strings", read)
            .unwrap_or_default()
    }

    /// Reports every field that nobody took.
    fn finish(mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for field in unknown {
            let known = self.known.join(", ");
            self.report(&field, format!("is not a known key: choose one of {known}"));
        }
    }
}

fn as_number(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|number| number as f64))
}

fn as_duration(value: &Value) -> Option<Duration> {
    humantime::parse_duration(value.as_str()?).ok()
}
