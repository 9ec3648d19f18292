//! Documents as YAML.

use std::fmt::{self, Display, Formatter};

use crate::rule::Text;

/// A value of a document.
#[derive(Debug, Clone)]
pub(super) enum Yaml {
    Text(String),
    /// A number, true or false.
    Plain(String),
    List(Vec<Self>),
    Map(Vec<(&'static str, Self)>),
}

impl Yaml {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn plain(value: impl Display) -> Self {
        Self::Plain(value.to_string())
    }

    fn block(&self, f: &mut Formatter<'_>, indent: usize) -> fmt::Result {
        let entries = match self {
            Self::Map(entries) => entries,
            other => return writeln!(f, "{other}"),
        };
        for (at, (key, value)) in entries.iter().enumerate() {
            // The first key of an item stands behind its dash.
            let margin = if at == 0 { 0 } else { indent };
            write!(f, "{:margin$}{key}:", "")?;
            value.behind(f, indent)?;
        }
        Ok(())
    }

    /// What stands behind a key.
    fn behind(&self, f: &mut Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                write!(f, "\n{:width$}", "", width = indent + 2)?;
                self.block(f, indent + 2)
            }
            Self::List(list) if !list.is_empty() => {
                f.write_str("\n")?;
                list.iter().try_for_each(|item| {
                    write!(f, "{:width$}- ", "", width = indent + 2)?;
                    item.block(f, indent + 4)
                })
            }
            scalar => writeln!(f, " {scalar}"),
        }
    }
}

/// A document, without what divides it from others; an empty list or map as `[]` or `{}`.
impl Display for Yaml {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => Text(text).fmt(f),
            Self::Plain(value) => f.write_str(value),
            Self::List(_) => f.write_str("[]"),
            Self::Map(entries) if entries.is_empty() => f.write_str("{}"),
            Self::Map(_) => self.block(f, 0),
        }
    }
}

/// Lower-case letters and digits with dashes between, at most 40: what every reader takes for a name.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for char in text.chars() {
        match char.to_ascii_lowercase() {
            char if char.is_ascii_alphanumeric() => slug.push(char),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    slug.truncate(40);
    match slug.trim_end_matches('-') {
        "" => "slo".to_owned(),
        slug => slug.to_owned(),
    }
}

/// Names that are given once each.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// This name, or with a number behind it.
    pub(super) fn take(&mut self, name: String) -> String {
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut free = std::iter::once(name.clone()).chain(numbered);
        let free = free.find(|name| !self.0.contains(name)).unwrap_or(name);
        self.0.push(free.clone());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_readers_take_and_unique() {
        for (text, expected) in [
            ("checkout", "checkout"),
            ("Foo Total / Errors!", "foo-total-errors"),
            ("Ünï", "n"),
            ("--", "slo"),
        ] {
            assert_eq!(slug(text), expected);
        }
        let mut names = Names::default();
        let taken = ["a", "a", "b", "a"].map(|name| names.take(name.to_owned()));
        assert_eq!(taken, ["a", "a-2", "b", "a-3"]);
    }

    #[test]
    fn items_and_maps_are_blocks() {
        let item = Yaml::Map(vec![
            ("name", Yaml::text("it's \"on\"")),
            ("of", Yaml::List(vec![Yaml::plain(0.5), Yaml::text("on")])),
        ]);
        let none = Yaml::List(Vec::new());
        let root = Yaml::Map(vec![("items", Yaml::List(vec![item])), ("none", none)]);
        assert_eq!(
            root.to_string(),
            "items:\n  - name: 'it''s \"on\"'\n    of:\n      - 0.5\n      - 'on'\nnone: []\n"
        );
    }
}
