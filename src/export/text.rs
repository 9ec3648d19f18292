//! Prometheus' text format 0.0.4, and the lines that OpenMetrics shares with it.

use std::io::Write;
use std::time::Duration;

use super::openmetrics::since_epoch;
use super::page::Print;
use super::shown::Shown;
use crate::family::{Distribution, Value};
use crate::histogram::Exemplar;

/// The text format.
pub(super) struct Text;

impl Print for Text {
    fn begin(&mut self, out: &mut Vec<u8>, shown: &Shown) {
        let family = &shown.family;
        push(out, &["# HELP ", &family.name, " "]);
        escape(out, &family.help, false);
        push(
            out,
            &["\n# TYPE ", &family.name, " ", family.kind.as_str(), "\n"],
        );
    }

    fn sample(&mut self, out: &mut Vec<u8>, lines: &mut Lines, shown: &Shown, at: usize) {
        lines.with_exemplars = false;
        lines.sample(out, shown, at);
    }
}

/// Writes the lines of samples; allocates nothing once its buffer has grown to the longest labels.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What every bucket of the histogram at hand begins with.
    bucket: Vec<u8>,
    /// Whether the format has exemplars.
    pub(super) with_exemplars: bool,
}

impl Lines {
    /// All lines of a sample.
    pub(super) fn sample(&mut self, out: &mut Vec<u8>, shown: &Shown, at: usize) {
        let (name, labels) = (&shown.family.name, shown.labels(at));
        match &shown.family.samples[at].value {
            Value::Integer(value) => {
                line(out, name, "", labels);
                integer(out, *value);
            }
            Value::Float(value) => {
                line(out, name, "", labels);
                float(out, *value);
                out.push(b'\n');
            }
            Value::Histogram(values) => self.distribution(out, shown, at, values),
        }
    }

    fn distribution(&mut self, out: &mut Vec<u8>, shown: &Shown, at: usize, values: &Distribution) {
        let (name, labels) = (&shown.family.name, shown.labels(at));
        self.bucket.clear();
        push(&mut self.bucket, &[name, "_bucket{"]);
        self.bucket.extend_from_slice(labels);
        let comma = if labels.is_empty() { "" } else { "," };
        push(&mut self.bucket, &[comma, "le=\""]);
        let mut exemplars = values.exemplars.as_slice();
        if !self.with_exemplars {
            exemplars = &[];
        }
        let buckets = values.buckets.iter().copied();
        let bounds = shown.bounds().chain([&b"+Inf"[..]]);
        for ((bound, count), text) in buckets.chain([(f64::INFINITY, values.count)]).zip(bounds) {
            out.extend_from_slice(&self.bucket);
            out.extend_from_slice(text);
            push(out, &["\"} "]);
            digits(out, count);
            if let Some((first, rest)) = exemplars.split_first()
                && first.value <= bound
            {
                exemplar(out, first);
                exemplars = rest;
            }
            out.push(b'\n');
        }
        line(out, name, "_sum", labels);
        float(out, values.sum);
        out.push(b'\n');
        line(out, name, "_count", labels);
        integer(out, values.count);
    }
}

/// What follows the value of a bucket in OpenMetrics.
fn exemplar(out: &mut Vec<u8>, exemplar: &Exemplar) {
    // Writing to a `Vec` cannot fail.
    let _ = write!(out, " # {{trace_id=\"{}\"}} ", exemplar.trace_id);
    float(out, exemplar.value);
    out.push(b' ');
    timestamp(out, since_epoch(exemplar.at));
}

/// In seconds, to the millisecond.
pub(super) fn timestamp(out: &mut Vec<u8>, since_epoch: Duration) {
    let millis = since_epoch.subsec_millis();
    let _ = write!(out, "{}.{millis:03}", since_epoch.as_secs());
}

/// The name and labels of one line, and the space before its value.
pub(super) fn line(out: &mut Vec<u8>, name: &str, suffix: &str, labels: &[u8]) {
    push(out, &[name, suffix]);
    if !labels.is_empty() {
        out.push(b'{');
        out.extend_from_slice(labels);
        out.push(b'}');
    }
    out.push(b' ');
}

pub(super) fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn integer(out: &mut Vec<u8>, value: u64) {
    digits(out, value);
    out.push(b'\n');
}

fn digits(out: &mut Vec<u8>, value: u64) {
    let _ = write!(out, "{value}");
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
