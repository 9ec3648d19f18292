//! Reads counters and gauges back from the text format: strict, because nothing else may pass for ours.

use crate::family::{Family, Kind, Sample, Value};

/// The families of `page`, and the names of those that hold a line which is not understood.
pub(super) fn parse(page: &str) -> (Vec<Family>, Vec<String>) {
    let mut families: Vec<Family> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    let mut help = ("", String::new());
    for line in page.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
            help = (name, unescape(text));
        } else if let Some((name, kind)) = type_line(line) {
            let text = if help.0 == name { help.1.as_str() } else { "" };
            match kind {
                Some(kind) => families.push(Family::new(name, text, kind)),
                None => refused.push(name.to_owned()),
            }
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap_or(line);
            let family = families.last_mut().filter(|family| family.name == name);
            match (family, sample(&line[name.len()..])) {
                (Some(family), Some(sample)) => family.samples.push(sample),
                _ => refused.push(name.to_owned()),
            }
        }
    }
    families.retain_mut(|family| {
        let sound = merge(family) && !refused.contains(&family.name);
        if !sound {
            refused.push(family.name.clone());
        }
        sound
    });
    refused.sort_unstable();
    refused.dedup();
    (families, refused)
}

/// Adds up counters whose labels differ in their order only; `false` where a gauge has two values.
fn merge(family: &mut Family) -> bool {
    let mut sound = true;
    family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    family.samples.dedup_by(|again, first| {
        let same = again.labels == first.labels;
        match (&mut first.value, &again.value) {
            _ if !same => {}
            (Value::Integer(total), Value::Integer(more)) if family.kind == Kind::Counter => {
                *total = total.wrapping_add(*more);
            }
            _ => sound = false,
        }
        same
    });
    sound
}

/// The name and kind of a `# TYPE` line; no kind where it is one that we do not read.
fn type_line(line: &str) -> Option<(&str, Option<Kind>)> {
    let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
    let kind = match kind {
        "counter" => Some(Kind::Counter),
        "gauge" => Some(Kind::Gauge),
        _ => None,
    };
    Some((name, kind))
}

/// A sample without its name: `{key="value",...} number`, the braces optional.
fn sample(rest: &str) -> Option<Sample> {
    let (mut labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (Vec::new(), rest),
    };
    let value = value(rest.strip_prefix(' ')?)?;
    labels.sort_unstable();
    Some(Sample {
        labels,
        value,
        created: None,
    })
}

fn value(text: &str) -> Option<Value> {
    let integer = text.parse().map(Value::Integer);
    integer.or_else(|_| text.parse().map(Value::Float)).ok()
}

/// Labels up to and with the closing brace, and what follows it.
fn labels(mut rest: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (key, after) = rest.split_once("=\"")?;
        let end = closing_quote(after)?;
        if labels.iter().any(|(other, _)| other == key) {
            return None;
        }
        labels.push((key.to_owned(), unescape(&after[..end])));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None if rest.starts_with('}') => {}
            None => return None,
        }
    }
}

/// Where the first quote stands that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                other => out.extend(other),
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_labels_and_numbers_are_read() {
        let page = "# HELP jobs_total A \\\\ and\\na line.\n# TYPE jobs_total counter\n\
                    jobs_total{a=\"x\\\"},y\\\\\",b=\"\\n\"} 18446744073709551615\njobs_total 2\n\n\
                    # TYPE level gauge\nlevel -0.5\n# a remark\n";
        let (families, refused) = parse(page);
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!(families[0].help, "A \\ and\na line.");
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            families[0].samples[1].labels,
            [label("a", "x\"},y\\"), label("b", "\n")]
        );
        assert_eq!(families[0].samples[1].value, Value::Integer(u64::MAX));
        assert_eq!(families[0].samples[0].value, Value::Integer(2));
        assert_eq!(families[1].samples[0].value, Value::Float(-0.5));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let page = "# TYPE a counter\na{x=\"1} 1\n# TYPE b counter\nb 1\n# TYPE c summary\nc{quantile=\"0\"} 1\nd 1\n\
                    # TYPE e gauge\ne{x=\"1\",x=\"2\"} 1\n\
                    # TYPE f gauge\nf{x=\"1\",y=\"2\"} 1\nf{y=\"2\",x=\"1\"} 2\n";
        let (families, refused) = parse(page);
        assert_eq!(families.len(), 1);
        assert_eq!(families[0].name, "b");
        assert_eq!(refused, ["a", "c", "d", "e", "f"]);
    }
}
