//! The catalogue as it is written, family by family.

/// What is said of a family.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry<'a> {
    pub(super) section: &'a str,
    pub(super) name: &'a str,
    /// Kind, unit, labels, and when it is there.
    pub(super) kind: String,
    pub(super) definition: String,
    pub(super) interpretation: String,
    pub(super) example: String,
    /// What comes after all that.
    pub(super) note: String,
}

/// All of them, in their order.
pub(super) fn entries(page: &str) -> Vec<Entry<'_>> {
    let sections = page.split("\n## ").skip(1);
    let of_section = |section| {
        let (title, rest): (&str, &str) = str::split_once(section, '\n').unwrap_or_default();
        // Without the profile: `HTTP, short names (..)`.
        let title = title.split([',', '(']).next().unwrap_or(title).trim_end();
        let entries = rest.split("\n### ").skip(1);
        entries.filter_map(move |entry| parsed(title, entry))
    };
    sections.flat_map(of_section).collect()
}

fn parsed<'a>(section: &'a str, entry: &'a str) -> Option<Entry<'a>> {
    let (heading, rest) = entry.split_once('\n')?;
    let mut paragraphs = rest.trim().split("\n\n");
    let (kind, bullets) = (paragraphs.next()?, paragraphs.next()?);
    let bullets: Vec<&str> = bullets.strip_prefix("* ")?.split("\n* ").collect();
    let bullet = |title: &str| {
        let mut bullets = bullets.iter();
        let text = bullets.find_map(|bullet| bullet.strip_prefix(title))?;
        Some(on_one_line(text))
    };
    let notes: Vec<String> = paragraphs.map(on_one_line).collect();
    Some(Entry {
        section,
        name: heading.trim_matches('`'),
        kind: without_profiles(&on_one_line(kind)),
        definition: bullet("Definition: ")?,
        interpretation: bullet("Interpretation: ")?,
        example: bullet("Example: ")?,
        note: notes.join("\n\n"),
    })
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Which profiles have a family need not be said to who has it.
fn without_profiles(kind: &str) -> String {
    let sentences = kind.trim_end_matches('.').split(". ");
    let sentences: Vec<&str> = sentences
        .filter(|sentence| !sentence.contains("`Naming::"))
        .collect();
    sentences.join(". ") + "."
}

impl Entry<'_> {
    /// With what another entry says in the place of `as <that one>`.
    pub(super) fn resolved(&self, all: &[Self]) -> Self {
        let mut resolved = self.clone();
        let Some((other, but)) = self.refers_to() else {
            return resolved;
        };
        let Some(other) = all.iter().find(|entry| entry.name == other) else {
            return resolved;
        };
        let other = other.resolved(all);
        resolved.definition = match but.trim_matches([',', ' ', '.']) {
            "" => other.definition,
            but => format!("{} {}.", other.definition, capitalised(but)),
        };
        if self.interpretation.starts_with("the same") {
            resolved.interpretation = other.interpretation;
        }
        resolved
    }

    /// The family whose definition is its own, and what is different.
    pub(super) fn refers_to(&self) -> Option<(&str, &str)> {
        self.definition.strip_prefix("as `")?.split_once('`')
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest).collect()
}

/// The text with other names where code names families and labels.
pub(super) fn renamed(text: &str, name: &impl Fn(&str) -> Option<String>) -> String {
    let spans = text.split('`').enumerate();
    let spans = spans.map(|(at, span)| match at % 2 {
        0 => span.to_owned(),
        _ => in_code(span, name),
    });
    spans.collect::<Vec<_>>().join("`")
}

fn in_code(code: &str, name: &impl Fn(&str) -> Option<String>) -> String {
    let part_of_name = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == ':';
    let (mut written, mut rest) = (String::new(), code);
    while let Some(first) = rest.chars().next() {
        let length = match part_of_name(first) {
            true => rest.find(|char| !part_of_name(char)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, behind) = rest.split_at(length);
        written += &name(word).unwrap_or_else(|| word.to_owned());
        rest = behind;
    }
    written
}
