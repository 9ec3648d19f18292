//! Prometheus' text format 0.0.4, and the lines that OpenMetrics shares with it.

use std::io::Write;

use super::page::Print;
use crate::family::{Distribution, Family, Sample, Value};

/// The text format.
#[derive(Default)]
pub(super) struct Text {
    lines: Lines,
}

impl Print for Text {
    fn begin(&mut self, out: &mut Vec<u8>, family: &Family) {
        push(out, &["# HELP ", &family.name, " "]);
        escape(out, &family.help, false);
        push(
            out,
            &["\n# TYPE ", &family.name, " ", family.kind.as_str(), "\n"],
        );
    }

    fn sample(&mut self, out: &mut Vec<u8>, family: &Family, sample: &Sample) {
        self.lines.sample(out, &family.name, sample);
    }
}

/// Writes the lines of samples; allocates nothing once its buffer has grown to the longest labels.
#[derive(Default)]
pub(super) struct Lines {
    /// The labels of the sample at hand, escaped once for all of its lines.
    labels: Vec<u8>,
}

impl Lines {
    /// All lines of a sample.
    pub(super) fn sample(&mut self, out: &mut Vec<u8>, name: &str, sample: &Sample) {
        self.labels.clear();
        for (key, value) in &sample.labels {
            let comma = if self.labels.is_empty() { "" } else { "," };
            push(&mut self.labels, &[comma, key, "=\""]);
            escape(&mut self.labels, value, true);
            self.labels.push(b'"');
        }
        match &sample.value {
            Value::Integer(value) => {
                self.start(out, name, "");
                integer(out, *value);
            }
            Value::Float(value) => {
                self.start(out, name, "");
                float(out, *value);
                out.push(b'\n');
            }
            Value::Histogram(distribution) => self.distribution(out, name, distribution),
        }
    }

    /// The name and labels of one line, and the space before its value; after [`sample`](Self::sample).
    pub(super) fn start(&self, out: &mut Vec<u8>, name: &str, suffix: &str) {
        push(out, &[name, suffix]);
        if !self.labels.is_empty() {
            out.push(b'{');
            out.extend_from_slice(&self.labels);
            out.push(b'}');
        }
        out.push(b' ');
    }

    fn distribution(&self, out: &mut Vec<u8>, name: &str, distribution: &Distribution) {
        for &(bound, count) in &distribution.buckets {
            self.bucket(out, name, bound, count);
        }
        self.bucket(out, name, f64::INFINITY, distribution.count);
        self.start(out, name, "_sum");
        float(out, distribution.sum);
        out.push(b'\n');
        self.start(out, name, "_count");
        integer(out, distribution.count);
    }

    fn bucket(&self, out: &mut Vec<u8>, name: &str, bound: f64, count: u64) {
        push(out, &[name, "_bucket{"]);
        out.extend_from_slice(&self.labels);
        let comma = if self.labels.is_empty() { "" } else { "," };
        push(out, &[comma, "le=\""]);
        float(out, bound);
        push(out, &["\"} "]);
        integer(out, count);
    }
}

pub(super) fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn integer(out: &mut Vec<u8>, value: u64) {
    // Writing to a `Vec` cannot fail.
    let _ = writeln!(out, "{value}");
}

/// The shortest digits that read back as the same number, in the form that Prometheus gives to `le` itself.
///
/// Whole numbers read `10.0`: a server that does not rewrite `le` then stores what one that does would.
pub(super) fn float(out: &mut Vec<u8>, value: f64) {
    let special = match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "",
    };
    if !special.is_empty() {
        push(out, &[special]);
    } else if value == 0.0 || (1e-4..1e6).contains(&value.abs()) {
        let _ = write!(out, "{value:?}");
    } else {
        scientific(out, value);
    }
}

/// With a sign and at least two digits in the exponent, as `1e+06`.
fn scientific(out: &mut Vec<u8>, value: f64) {
    let start = out.len();
    let _ = write!(out, "{value:e}");
    let Some(e) = out[start..].iter().position(|&byte| byte == b'e') else {
        return;
    };
    let digits = start + e + 1;
    let exponent = std::str::from_utf8(&out[digits..]).map(str::parse);
    let exponent: i32 = exponent.map_or(0, Result::unwrap_or_default);
    out.truncate(digits);
    let _ = write!(out, "{exponent:+03}");
}

/// Escapes what would end the line, and with `quotes` the quote as well.
pub(super) fn escape(out: &mut Vec<u8>, text: &str, quotes: bool) {
    let special = |c: char| matches!(c, '\\' | '\n') || quotes && c == '"';
    let mut rest = text;
    while let Some(at) = rest.find(special) {
        let escaped = match rest.as_bytes()[at] {
            b'\n' => "\\n",
            b'"' => "\\\"",
            _ => "\\\\",
        };
        push(out, &[&rest[..at], escaped]);
        rest = &rest[at + 1..];
    }
    push(out, &[rest]);
}
