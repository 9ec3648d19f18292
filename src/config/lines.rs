//! Where in a file a mistake is.
//!
//! What reads a configuration names fields and knows no places, which is all that most of its mistakes need; so lines
//! are looked up afterwards, by these names, and only if there is something wrong.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Problem;

/// Gives each problem the line of `text` that it is about, as far as that can be told.
pub(crate) fn locate(text: &str, problems: &mut [Problem]) {
    let Ok(root) = DeTable::parse(text) else {
        return;
    };
    for problem in problems.iter_mut().filter(|problem| problem.line.is_none()) {
        let at = find(root.get_ref(), &problem.field);
        problem.line = at.map(|at| 1 + text[..at].matches('\n').count());
    }
}

/// Where in a table stands what `field` names, or the innermost table around it that is there.
fn find(table: &DeTable<'_>, field: &str) -> Option<usize> {
    let (first, rest) = match field.split_once(": ") {
        Some((first, rest)) => (first, Some(rest)),
        None => (field, None),
    };
    let (at, value) = named(table, first).or_else(|| keyed(table, first))?;
    let inner = match value.get_ref() {
        DeValue::Table(inner) => rest.and_then(|rest| find(inner, rest)),
        _ => None,
    };
    inner.or(Some(at))
}

type Found<'a, 'i> = (usize, &'a Spanned<DeValue<'i>>);

fn keyed<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<Found<'a, 'i>> {
    let (key, value) = table.iter().find(|(known, _)| *known.get_ref() == key)?;
    Some((key.span().start, value))
}

/// `budget "api"`: that table of a list whose name it is, or that word of a list of words.
fn named<'a, 'i>(table: &'a DeTable<'i>, segment: &str) -> Option<Found<'a, 'i>> {
    let (kind, name) = segment.split_once(' ')?;
    let of_kpi = || (kind == "budget").then(|| key_figure(table, name))?;
    entry(table, kind, name).or_else(of_kpi)
}

/// The key figure that a budget of this name comes from, or that a bound of it does.
fn key_figure<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<Found<'a, 'i>> {
    let bounds = ["-min\"", "-max\""].iter();
    let bounded = bounds.filter_map(|end| name.strip_suffix(end)).next();
    let whole = bounded.map(|name| format!("{name}\""));
    entry(table, "kpi", name).or_else(|| entry(table, "kpi", &whole?))
}

/// The entry of a list by its name as it is printed in quotes.
fn entry<'a, 'i>(table: &'a DeTable<'i>, kind: &str, name: &str) -> Option<Found<'a, 'i>> {
    let (_, list) = keyed(table, kind)?;
    let entries = list.get_ref().as_array()?;
    let is_meant = |entry: &&Spanned<DeValue<'_>>| {
        let value = entry.get_ref();
        let known = match value.as_table() {
            Some(inner) => keyed(inner, "name").and_then(|(_, name)| name.get_ref().as_str()),
            None => value.as_str(),
        };
        format!("{:?}", known.unwrap_or_default()) == name
    };
    // Of two with one name the second is one too many.
    let entry = entries.iter().rfind(is_meant)?;
    Some((entry.span().start, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
tick = \"0s\"
rules = [
  \"shop.yml\",
]

[naming]
profile = \"nobody's\"

[[budget]]
name = \"api\"
quantile = 0.95
critical = { limit = 0.01, clear = 0.02 }
[budget.schedule]
offset = \"late\"
[[budget.schedule.period]]
name = \"noon\"
hours = \"12..\"

[[budget]]
name = \"\\\"quoted\\\"\"
at_most = 1

[[kpi]]
name = \"wait\"
max = 3
";

    fn line(field: &str) -> Option<usize> {
        let mut problems = [Problem::new(field, "is wrong")];
        locate(TEXT, &mut problems);
        problems[0].line
    }

    #[test]
    fn a_field_has_the_line_that_it_stands_in() {
        assert_eq!(line("tick"), Some(1));
        assert_eq!(line("rules \"shop.yml\""), Some(3));
        assert_eq!(line("naming: profile"), Some(7));
        assert_eq!(line("budget \"api\": quantile"), Some(11));
        assert_eq!(line("budget \"api\": critical: clear"), Some(12));
        assert_eq!(line("budget \"api\": schedule: offset"), Some(14));
        assert_eq!(
            line("budget \"api\": schedule: period \"noon\": hours"),
            Some(17)
        );
        assert_eq!(line("budget \"\\\"quoted\\\"\": at_most"), Some(21));
    }

    #[test]
    fn what_is_missing_has_the_line_of_its_table() {
        assert_eq!(line("budget \"api\": on"), Some(9));
        assert_eq!(line("budget \"\\\"quoted\\\"\": on"), Some(19));
        assert_eq!(line("naming: prefix"), Some(6));
    }

    #[test]
    fn a_budget_of_a_key_figure_has_the_line_of_that() {
        assert_eq!(line("budget \"wait\": absent_after"), Some(23));
        assert_eq!(line("budget \"wait-max\": max"), Some(25));
        assert_eq!(line("budget \"wait-mean\": max"), None);
        assert_eq!(line("slo \"wait\": max"), None);
    }

    #[test]
    fn what_is_not_in_the_file_has_no_line() {
        assert_eq!(line("PERF_ERROR_RATE"), None);
        assert_eq!(line("budget \"of the code\": at_most"), None);
        assert_eq!(line("toml"), None);
    }
}
