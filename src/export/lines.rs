//! The lines of samples, which both text formats share.

use std::io::Write;

use super::shown::Shown;
use super::write::{digits, float, integer, line, push, since_epoch, timestamp};
use crate::family::{Distribution, Value};
use crate::histogram::Exemplar;

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
