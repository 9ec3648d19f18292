//! Rule files as YAML.

use std::fmt::{self, Display, Formatter, Write};

use super::{Rule, RuleFile, RuleGroup, RuleKind};
use crate::expr::Range;

impl Display for RuleFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.groups.is_empty() {
            return f.write_str("groups: []\n");
        }
        f.write_str("groups:\n")?;
        self.groups.iter().try_for_each(|group| group.fmt_yaml(f))
    }
}

impl RuleGroup {
    fn fmt_yaml(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "  - name: {}", Text(&self.name))?;
        if let Some(interval) = self.interval {
            writeln!(f, "    interval: {}", Range(interval))?;
        }
        if self.rules.is_empty() {
            return f.write_str("    rules: []\n");
        }
        f.write_str("    rules:\n")?;
        self.rules.iter().try_for_each(|rule| rule.fmt_yaml(f))
    }
}

impl Rule {
    fn fmt_yaml(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RuleKind::Record(name) => writeln!(f, "      - record: {}", Text(name))?,
            RuleKind::Alert(alert) => writeln!(f, "      - alert: {}", Text(&alert.name))?,
        }
        let expr = self.expr.to_string();
        writeln!(f, "        expr: {}", Text(&expr))?;
        if let RuleKind::Alert(alert) = &self.kind {
            for (key, duration) in [
                ("for", alert.sustained),
                ("keep_firing_for", alert.keep_firing),
            ] {
                if !duration.is_zero() {
                    writeln!(f, "        {key}: {}", Range(duration))?;
                }
            }
        }
        map(f, "labels", self.labels.iter())?;
        match &self.kind {
            RuleKind::Record(_) => Ok(()),
            RuleKind::Alert(alert) => {
                let annotations = alert.annotations.iter();
                map(
                    f,
                    "annotations",
                    annotations.map(|(key, text)| (&**key, &**text)),
                )
            }
        }
    }
}

fn map<'a>(
    f: &mut Formatter<'_>,
    key: &str,
    entries: impl Iterator<Item = (&'a str, &'a str)>,
) -> fmt::Result {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        writeln!(f, "        {key}:")?;
    }
    entries.try_for_each(|(key, value)| writeln!(f, "          {}: {}", Text(key), Text(value)))
}

/// A string as YAML, in the quotes that it needs.
pub(crate) struct Text<'a>(pub(crate) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Words that some reader of YAML takes for something else.
        const TAKEN: [&str; 10] = [
            "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan",
        ];
        let text = self.0;
        let word = text.starts_with(|char: char| char.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
            && !TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(text));
        let printable = |char: char| matches!(char, ' '..='~' | '\u{a1}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}');
        match (word, text.chars().all(printable)) {
            (true, _) => f.write_str(text),
            (_, true) => write!(f, "'{}'", text.replace('\'', "''")),
            _ => escaped(f, text),
        }
    }
}

fn escaped(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars() {
        match char {
            '"' | '\\' => write!(f, "\\{char}")?,
            '\n' => f.write_str("\\n")?,
            ' '..='~' => f.write_char(char)?,
            other if u32::from(other) <= 0xffff => write!(f, "\\u{:04x}", u32::from(other))?,
            other => write!(f, "\\U{:08x}", u32::from(other))?,
        }
    }
    f.write_char('"')
}
