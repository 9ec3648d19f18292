//! Where in a file a mistake is, and what the field is called there.
//!
//! What checks a configuration names fields as Rust does and knows no places; so both are looked up afterwards, by these
//! names, and only if there is something wrong.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Problem, Reader};

/// Gives each problem the line of `text` that it is about, as far as that can be told.
pub(crate) fn locate(text: &str, problems: &mut [Problem]) {
    let Ok(root) = DeTable::parse(text) else {
        return;
    };
    for problem in problems.iter_mut().filter(|problem| problem.line.is_none()) {
        let place = |which| find(root.get_ref(), &problem.field, which);
        let (Some((first, _)), Some((last, field))) = (place(Which::First), place(Which::Last))
        else {
            continue;
        };
        // Of two tables with one name the second is one too many; which one else is meant cannot be told.
        let is_known = first == last || field.ends_with(": name");
        problem.line = is_known.then(|| 1 + text[..last].matches('\n').count());
        problem.field = field;
        *problem = problem.clone().said_to(Reader::Toml);
    }
}

/// Which one of several tables with one name.
#[derive(Clone, Copy)]
enum Which {
    First,
    Last,
}

/// Where in a table stands what `field` names, or the innermost table around it that is there; and its name there.
fn find(table: &DeTable<'_>, field: &str, which: Which) -> Option<(usize, String)> {
    let (first, rest) = segments(field);
    let (name, (at, value)) = named(table, first, which).or_else(|| called(table, first))?;
    let Some(rest) = rest else {
        return Some((at, name));
    };
    let rest = match rest {
        "critical" => bound(first, &name).unwrap_or(rest),
        _ => rest,
    };
    let inner = match value.get_ref() {
        DeValue::Table(inner) => find(inner, rest, which),
        _ => None,
    };
    let (at, rest) = inner.unwrap_or_else(|| (at, rest.to_owned()));
    Some((at, format!("{name}: {rest}")))
}

/// The first segment of a field, and the others; a name in quotes is in one of them, whatever it has in it.
fn segments(field: &str) -> (&str, Option<&str>) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in field.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            ':' if !is_quoted && field[at..].starts_with(": ") => {
                return (&field[..at], Some(&field[at + 2..]));
            }
            _ => {}
        }
    }
    (field, None)
}

/// What a field of Rust may be called in a file.
const KEYS: [(&str, &[&str]); 5] = [
    ("at_most", &["target"]),
    ("at_least", &["target"]),
    ("value", &["gauge", "condition"]),
    ("condition", &["state"]),
    (
        "limit",
        &[
            "at_most", "at_least", "target", "warning", "critical", "dynamic",
        ],
    ),
];

/// A key by the name of a field.
fn called<'a, 'i>(table: &'a DeTable<'i>, field: &str) -> Option<(String, Found<'a, 'i>)> {
    let others = KEYS.iter().filter(|(known, _)| *known == field);
    let keys = std::iter::once(field).chain(others.flat_map(|(_, keys)| keys.iter().copied()));
    let mut found = keys.filter_map(|key| Some((key.to_owned(), keyed(table, key)?)));
    found.next()
}

type Found<'a, 'i> = (usize, &'a Spanned<DeValue<'i>>);

fn keyed<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<Found<'a, 'i>> {
    let (key, value) = table.iter().find(|(known, _)| *known.get_ref() == key)?;
    Some((key.span().start, value))
}

/// `budget "api"`, `period 2`: that table of a list whose name or place it is, or that word of a list of words.
fn named<'a, 'i>(
    table: &'a DeTable<'i>,
    segment: &str,
    which: Which,
) -> Option<(String, Found<'a, 'i>)> {
    let (kind, name) = segment.split_once(' ')?;
    let of_kpi = || (kind == "budget").then(|| key_figure(table, name, which))?;
    let found = entry(table, kind, name, which).or_else(|| {
        let (at, list) = keyed(table, kind)?;
        // A single word needs no list.
        list.get_ref().as_str().map(|_| (at, list))
    });
    let found = found.map(|found| (segment.to_owned(), found));
    found.or_else(of_kpi)
}

/// The key figure that a budget of this name comes from, or that a bound of it does.
fn key_figure<'a, 'i>(
    table: &'a DeTable<'i>,
    name: &str,
    which: Which,
) -> Option<(String, Found<'a, 'i>)> {
    let whole = BOUNDS.iter().find_map(|(end, _)| name.strip_suffix(end));
    let names = [Some(name.to_owned()), whole.map(|name| format!("{name}\""))];
    let mut names = names.into_iter().flatten();
    names.find_map(|name| Some((format!("kpi {name}"), entry(table, "kpi", &name, which)?)))
}

/// How the names of budgets end that are bounds of key figures, and the keys of these.
const BOUNDS: [(&str, &str); 2] = [("-min\"", "min"), ("-max\"", "max")];

/// The key of a bound, which is its only limit.
fn bound(budget: &str, kpi: &str) -> Option<&'static str> {
    let name = kpi.strip_prefix("kpi ")?;
    let of = budget.strip_prefix("budget ").filter(|of| *of != name)?;
    let found = BOUNDS.iter().find(|(end, _)| of.ends_with(end));
    found.map(|(_, key)| *key)
}

/// The entry of a list by its place, from 1 up, or by its name as it is printed in quotes.
fn entry<'a, 'i>(
    table: &'a DeTable<'i>,
    kind: &str,
    name: &str,
    which: Which,
) -> Option<Found<'a, 'i>> {
    let (_, list) = keyed(table, kind)?;
    let entries = list.get_ref().as_array()?;
    if let Ok(place) = name.parse::<usize>() {
        let entry = entries.get(place.checked_sub(1)?)?;
        return Some((entry.span().start, entry));
    }
    let is_meant = |(place, entry): &(usize, &Spanned<DeValue<'_>>)| {
        let value = entry.get_ref();
        let known = match value.as_table() {
            Some(inner) => keyed(inner, "name").and_then(|(_, name)| name.get_ref().as_str()),
            None => value.as_str(),
        };
        match known.filter(|known| !known.is_empty()) {
            Some(known) => format!("{known:?}") == name,
            None => format!("{:?}", nameless(place + 1)) == name,
        }
    };
    let of_tables = entries
        .iter()
        .all(|entry| entry.get_ref().as_table().is_some());
    let mut entries = entries.iter().enumerate();
    let (_, entry) = match which {
        // Of two equal words the second is one too many, whatever is said of it.
        Which::First if of_tables => entries.find(is_meant)?,
        _ => entries.rfind(is_meant)?,
    };
    Some((entry.span().start, entry))
}

/// What a table without a name is called, by its place among those of its kind.
pub(super) fn nameless(place: usize) -> String {
    format!("#{place}")
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
per = \"route\"
[budget.labels]
route = \"/a\"
path = \"/b\"
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
gauge = \"wait_seconds\"
target = 2
max = 3

[[slo]]
objective = 0.9
[[budget]]
name = \"a: b\\\": c\"
at_most = 2
[[budget]]
name = \"twin\"
over = \"0s\"
[[budget]]
name = \"twin\"
over = \"0s\"
";

    fn line(field: &str) -> Option<usize> {
        let mut problems = [Problem::new(field, "is wrong")];
        locate(TEXT, &mut problems);
        problems[0].line
    }

    fn field(field: &str) -> String {
        let mut problems = [Problem::new(field, "is wrong")];
        locate(TEXT, &mut problems);
        let [problem] = problems;
        problem.field
    }

    #[test]
    fn a_field_has_the_line_that_it_stands_in() {
        assert_eq!(line("tick"), Some(1));
        assert_eq!(line("rules \"shop.yml\""), Some(3));
        assert_eq!(line("naming: profile"), Some(7));
        assert_eq!(line("budget \"api\": quantile"), Some(11));
        assert_eq!(line("budget \"api\": critical: clear"), Some(12));
        assert_eq!(line("budget \"api\": per \"route\""), Some(13));
        assert_eq!(line("budget \"api\": labels: path"), Some(16));
        assert_eq!(line("budget \"api\": schedule: offset"), Some(18));
        for period in ["\"noon\"", "1"] {
            let field = format!("budget \"api\": schedule: period {period}: hours");
            assert_eq!(line(&field), Some(21));
        }
        assert_eq!(line("budget \"\\\"quoted\\\"\": at_most"), Some(25));
        assert_eq!(line("slo \"#1\": objective"), Some(34));
    }

    #[test]
    fn what_is_missing_has_the_line_of_its_table() {
        assert_eq!(line("budget \"api\": on"), Some(9));
        assert_eq!(line("budget \"api\": schedule: period 2: hours"), Some(17));
        assert_eq!(line("budget \"\\\"quoted\\\"\": on"), Some(23));
        assert_eq!(line("naming: prefix"), Some(6));
    }

    #[test]
    fn a_name_may_have_a_colon() {
        let budget = format!("budget {:?}", "a: b\": c");
        assert_eq!(line(&format!("{budget}: at_most")), Some(37));
        assert_eq!(line(&format!("{budget}: over")), Some(35));
    }

    #[test]
    fn of_two_tables_with_one_name_only_the_second_name_has_a_line() {
        assert_eq!(line("budget \"twin\": over"), None);
        assert_eq!(line("budget \"twin\": name"), Some(42));
    }

    #[test]
    fn a_budget_of_a_key_figure_has_the_line_of_that() {
        assert_eq!(line("budget \"wait\": absent_after"), Some(27));
        assert_eq!(line("budget \"wait-max\": critical"), Some(31));
        assert_eq!(line("budget \"wait-mean\": max"), None);
        assert_eq!(line("slo \"wait\": max"), None);
    }

    #[test]
    fn a_field_is_called_what_it_is_called_there() {
        assert_eq!(field("budget \"wait\": at_most"), "kpi \"wait\": target");
        assert_eq!(field("budget \"wait-max\": critical"), "kpi \"wait\": max");
        assert_eq!(field("budget \"wait-max\": over"), "kpi \"wait\": over");
        assert_eq!(field("budget \"wait\": value"), "kpi \"wait\": gauge");
        assert_eq!(field("budget \"api\": limit"), "budget \"api\": critical");
        assert_eq!(field("budget \"api\": at_most"), "budget \"api\": at_most");
        assert_eq!(field("budget \"code\": value"), "budget \"code\": value");
    }

    #[test]
    fn what_is_not_in_the_file_has_no_line() {
        assert_eq!(line("PERF_ERROR_RATE"), None);
        assert_eq!(line("budget \"of the code\": at_most"), None);
        assert_eq!(line("toml"), None);
    }
}
