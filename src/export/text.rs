//! Prometheus' text format 0.0.4.

use std::fmt::Write;

use crate::family::{Distribution, Family, Sample, Value};

/// All families as one page.
pub(super) fn render(families: &[Family]) -> String {
    let lines: usize = families.iter().map(|family| 2 + lines(family)).sum();
    let mut page = Page {
        out: String::with_capacity(lines * 96),
        labels: String::new(),
    };
    families.iter().for_each(|family| page.family(family));
    page.out
}

fn lines(family: &Family) -> usize {
    let of_sample = |sample: &Sample| match &sample.value {
        Value::Histogram(distribution) => distribution.buckets.len() + 3,
        Value::Integer(_) | Value::Float(_) => 1,
    };
    family.samples.iter().map(of_sample).sum()
}

struct Page {
    out: String,
    /// The labels of the sample at hand, escaped once for all of its lines.
    labels: String,
}

impl Page {
    fn family(&mut self, family: &Family) {
        let name = &family.name;
        self.out.extend(["# HELP ", name, " "]);
        escape(&mut self.out, &family.help, false);
        self.out
            .extend(["\n# TYPE ", name, " ", family.kind.as_str(), "\n"]);
        for sample in &family.samples {
            self.sample(name, sample);
        }
    }

    fn sample(&mut self, name: &str, sample: &Sample) {
        self.labels.clear();
        for (key, value) in &sample.labels {
            let comma = if self.labels.is_empty() { "" } else { "," };
            self.labels.extend([comma, key, "=\""]);
            escape(&mut self.labels, value, true);
            self.labels.push('"');
        }
        match &sample.value {
            Value::Integer(value) => {
                self.start(name, "");
                self.integer(*value);
            }
            Value::Float(value) => {
                self.start(name, "");
                self.float(*value);
            }
            Value::Histogram(distribution) => self.distribution(name, distribution),
        }
    }

    fn distribution(&mut self, name: &str, distribution: &Distribution) {
        for &(bound, count) in &distribution.buckets {
            self.bucket(name, bound, count);
        }
        self.bucket(name, f64::INFINITY, distribution.count);
        self.start(name, "_sum");
        self.float(distribution.sum);
        self.start(name, "_count");
        self.integer(distribution.count);
    }

    fn bucket(&mut self, name: &str, bound: f64, count: u64) {
        let comma = if self.labels.is_empty() { "" } else { "," };
        self.out
            .extend([name, "_bucket{", &self.labels, comma, "le=\""]);
        float(&mut self.out, bound);
        self.out.push_str("\"} ");
        self.integer(count);
    }

    fn start(&mut self, name: &str, suffix: &str) {
        self.out.extend([name, suffix]);
        if !self.labels.is_empty() {
            self.out.extend(["{", &self.labels, "}"]);
        }
        self.out.push(' ');
    }

    fn integer(&mut self, value: u64) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.out, "{value}");
    }

    fn float(&mut self, value: f64) {
        float(&mut self.out, value);
        self.out.push('\n');
    }
}

/// The shortest digits that read back as the same number, in the form that Prometheus gives to `le` itself.
///
/// Whole numbers read `10.0`: a server that does not rewrite `le` then stores what one that does would.
pub(super) fn float(out: &mut String, value: f64) {
    let special = match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "",
    };
    if !special.is_empty() {
        out.push_str(special);
    } else if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let _ = write!(out, "{value:?}");
    } else {
        scientific(out, value);
    }
}

/// With a sign and at least two digits in the exponent, as `1e+06`.
fn scientific(out: &mut String, value: f64) {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let _ = write!(out, "{digits}e{exponent:+03}");
}

/// Escapes what would end the line, and in label values the quote as well.
fn escape(out: &mut String, text: &str, quotes: bool) {
    let special = |c: char| matches!(c, '\\' | '\n') || quotes && c == '"';
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
