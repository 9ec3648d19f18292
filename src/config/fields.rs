//! The fields of one table of a configuration.

use std::time::Duration;

use toml::{Table, Value};

use super::Problem;
use super::lines::nameless;
use crate::budget::{Amount, Limit, Multiple, Share};

/// No longer is a duration of Prometheus' rules, with some to spare.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The fields of one table: each is taken once, and what is left over is unknown.
pub(super) struct Fields<'a> {
    at: String,
    table: Table,
    known: Vec<&'static str>,
    /// Those that are there and have no value.
    wrong: Vec<&'static str>,
    problems: &'a mut Vec<Problem>,
}

/// A table and its place among those of its kind, from 1 up.
pub(super) type Numbered = (usize, Table);

impl<'a> Fields<'a> {
    pub(super) fn new(at: String, table: Table, problems: &'a mut Vec<Problem>) -> Self {
        Self {
            at,
            table,
            known: Vec::new(),
            wrong: Vec::new(),
            problems,
        }
    }

    /// The fields of one of several tables of a kind, which its name tells from the others.
    pub(super) fn named(
        kind: &str,
        (place, table): Numbered,
        problems: &'a mut Vec<Problem>,
    ) -> (String, Self) {
        let name = table.get("name").and_then(Value::as_str);
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        let is_missing = name.is_none();
        let name = name.unwrap_or_else(|| nameless(place));
        let mut fields = Self::new(format!("{kind} {name:?}: "), table, problems);
        fields.string("name");
        if is_missing {
            fields.report("name", format!("is missing: every {kind} needs one"));
            fields.wrong.push("name");
        }
        (name, fields)
    }

    /// Reports a second table of one name.
    pub(super) fn refuse_twice<'n>(
        &mut self,
        name: &str,
        mut known: impl Iterator<Item = &'n str>,
    ) {
        if known.any(|known| known == name) {
            self.report("name", "stands twice: keep one of the two tables");
        }
    }

    /// Reports what is wrong with a field, unless that follows from its having no value.
    pub(super) fn report(&mut self, field: &str, message: impl Into<String>) {
        if !self.is_wrong(field) {
            self.problems
                .push(Problem::new(format!("{}{field}", self.at), message));
        }
    }

    /// Whether a field is there and has no value of its kind.
    pub(super) fn is_wrong(&self, field: &str) -> bool {
        self.wrong.contains(&field)
    }

    /// A field that must be there; `mend` says what to write.
    pub(super) fn needed<T>(&mut self, field: &str, value: Option<T>, mend: &str) -> Option<T> {
        if value.is_none() {
            self.report(field, format!("is missing: {mend}"));
        }
        value
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
            self.wrong.push(field);
        }
        read
    }

    pub(super) fn string(&mut self, field: &'static str) -> Option<String> {
        self.take(field, "a string", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn boolean(&mut self, field: &'static str) -> Option<bool> {
        self.take(field, "true or false", Value::as_bool)
    }

    pub(super) fn integer(&mut self, field: &'static str) -> Option<u64> {
        self.take(field, "a whole number from 0 up", |value| {
            value.as_integer()?.try_into().ok()
        })
    }

    pub(super) fn days(&mut self, field: &'static str) -> Option<u64> {
        self.take(field, "a number of days: write 30 for 30 days", |value| {
            value.as_integer()?.try_into().ok()
        })
    }

    pub(super) fn number(&mut self, field: &'static str) -> Option<f64> {
        self.take(field, "a number", as_number)
    }

    pub(super) fn duration(&mut self, field: &'static str) -> Option<Duration> {
        let wanted = "a duration: write \"250ms\", \"5s\" or \"1m 30s\"";
        let read = self.take(field, wanted, as_duration)?;
        if read <= LONGEST {
            return Some(read);
        }
        self.report(field, "is longer than 100 years");
        self.wrong.push(field);
        None
    }

    /// A number or a duration.
    pub(super) fn amount(&mut self, field: &'static str) -> Option<Amount> {
        let wanted = "a limit: write a number such as 0.001, or a duration such as \"200ms\"";
        self.take(field, wanted, as_amount)
    }

    /// A duration, or a part of what is shared out.
    pub(super) fn share(&mut self, field: &'static str) -> Option<Share> {
        let wanted = "a share: write a duration such as \"30ms\", or 0.5 for half";
        self.take(field, wanted, |value| {
            let part = as_number(value).map(Share::Part);
            part.or_else(|| as_duration(value).map(Share::Of))
        })
    }

    /// A number, a duration, or a table of a limit with what is otherwise on its level.
    pub(super) fn limit(&mut self, field: &'static str) -> Option<Limit> {
        if !self.table.get(field).is_some_and(Value::is_table) {
            return self.amount(field).map(Limit::new);
        }
        let mut fields = self.inner(field)?;
        let limit = match (fields.amount("limit"), fields.number("multiple")) {
            (Some(limit), None) => Some(Limit::new(limit)),
            (None, Some(times)) => Some(Limit::from(Multiple(times))),
            (limit, _) => {
                let message = match limit {
                    Some(_) => "stands beside limit: keep one of the two",
                    None if fields.is_wrong("limit") => return None,
                    None => {
                        "is missing, and so is limit: write limit = 0.01, or multiple = 2 for twice the target"
                    }
                };
                fields.report("multiple", message);
                None
            }
        };
        let (clear, over) = (fields.amount("clear"), fields.duration("over"));
        let (sustained, keep) = (fields.duration("for"), fields.duration("keep_firing_for"));
        fields.finish();
        let mut limit = limit?;
        limit.clear = clear;
        (limit.over, limit.sustained, limit.keep_firing) = (over, sustained, keep);
        Some(limit)
    }

    /// The fields of a table within this one.
    pub(super) fn inner(&mut self, field: &'static str) -> Option<Fields<'_>> {
        let table = self.table(field)?;
        Some(self.beside(&format!("{field}: "), table))
    }

    /// The fields of a table that was found in this one.
    pub(super) fn beside(&mut self, at: &str, table: Table) -> Fields<'_> {
        Fields::new(format!("{}{at}", self.at), table, self.problems)
    }

    pub(super) fn table(&mut self, field: &'static str) -> Option<Table> {
        self.take(field, "a table", |value| value.as_table().cloned())
    }

    pub(super) fn tables(&mut self, field: &'static str) -> Vec<Table> {
        let wanted = &format!("a list of tables: write [[{field}]]");
        let read = |value: &Value| {
            value
                .as_array()?
                .iter()
                .map(|entry| entry.as_table().cloned())
                .collect()
        };
        self.take(field, wanted, read).unwrap_or_default()
    }

    /// Reads each of several tables within this one, which have no names.
    pub(super) fn each<T>(
        &mut self,
        field: &'static str,
        mut read: impl FnMut(Fields<'_>) -> T,
    ) -> Vec<T> {
        let tables = (1..).zip(self.tables(field));
        tables
            .map(|(place, table)| read(self.beside(&format!("{field} {place}: "), table)))
            .collect()
    }

    /// A string, or a list of strings.
    pub(super) fn words(&mut self, field: &'static str) -> Vec<String> {
        let word = |value: &Value| value.as_str().map(str::to_owned);
        let read = |value: &Value| match value {
            Value::Array(words) => words.iter().map(word).collect(),
            one => Some(vec![word(one)?]),
        };
        self.take(field, "a string or a list of strings", read)
            .unwrap_or_default()
    }

    /// A number, or a list of numbers.
    pub(super) fn numbers(&mut self, field: &'static str) -> Option<Vec<f64>> {
        let read = |value: &Value| match value {
            Value::Array(numbers) => numbers.iter().map(as_number).collect(),
            one => Some(vec![as_number(one)?]),
        };
        self.take(field, "a number or a list of numbers", read)
    }

    /// A table of strings.
    pub(super) fn strings(&mut self, field: &'static str) -> Vec<(String, String)> {
        let read = |value: &Value| value.as_str().map(str::to_owned);
        self.entries(field, "a string: write it in quotes", read)
    }

    /// A table of such values.
    pub(super) fn entries<T>(
        &mut self,
        field: &'static str,
        wanted: &str,
        read: fn(&Value) -> Option<T>,
    ) -> Vec<(String, T)> {
        let mut entries = Vec::new();
        for (key, value) in self.table(field).unwrap_or_default() {
            match read(&value) {
                Some(read) => entries.push((key, read)),
                None => {
                    self.report(
                        &format!("{field}: {key}"),
                        format!("{value} is not {wanted}"),
                    );
                    self.wrong.push(field);
                }
            }
        }
        entries
    }

    /// Reports every field that nobody took.
    pub(super) fn finish(mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for field in unknown {
            let known = self.known.join(", ");
            self.report(&field, format!("is not a known key: choose one of {known}"));
        }
    }
}

pub(super) fn as_number(value: &Value) -> Option<f64> {
    value
        .as_float()
        .or_else(|| value.as_integer().map(|number| number as f64))
}

fn as_amount(value: &Value) -> Option<Amount> {
    let number = as_number(value).map(Amount::Number);
    number.or_else(|| Some(Amount::Seconds(as_duration(value)?.as_secs_f64())))
}

fn as_duration(value: &Value) -> Option<Duration> {
    humantime::parse_duration(value.as_str()?).ok()
}
