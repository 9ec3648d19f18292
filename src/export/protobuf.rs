//! Prometheus' protobuf format: the only one that native histograms travel in.

use std::time::SystemTime;

use prost::Message;

use super::lines::Lines;
use super::messages::{
    Bucket, BucketSpan, Counter, Exemplar, Gauge, Histogram, LabelPair, Metric, MetricFamily,
    MetricType, Timestamp,
};
use super::openmetrics::unit;
use super::print::Print;
use super::shown::Shown;
use super::write::since_epoch;
use crate::family::{Distribution, Kind, Value};
use crate::histogram::NativeBuckets;

/// The format; a message is complete only at the end of its family.
pub(super) struct Protobuf {
    /// When the instance was built.
    created: SystemTime,
    family: MetricFamily,
}

impl Protobuf {
    pub(super) fn new(created: SystemTime) -> Self {
        Self {
            created,
            family: MetricFamily::default(),
        }
    }

    fn histogram(created: Timestamp, distribution: &Distribution) -> Histogram {
        let mut exemplars = distribution.exemplars.iter().peekable();
        // The bucket above all bounds goes without saying, unless it has something to say.
        let last = distribution
            .exemplars
            .last()
            .zip(distribution.buckets.last());
        let open = last.filter(|(exemplar, bucket)| exemplar.value > bucket.0);
        let open = open.map(|_| (f64::INFINITY, distribution.count));
        let buckets = distribution.buckets.iter().copied().chain(open);
        let classic = Histogram {
            sample_count: distribution.count,
            sample_sum: distribution.sum,
            bucket: buckets
                .map(|(upper_bound, cumulative_count)| Bucket {
                    cumulative_count,
                    upper_bound,
                    exemplar: exemplars
                        .next_if(|next| next.value <= upper_bound)
                        .map(exemplar),
                })
                .collect(),
            created_timestamp: Some(created),
            ..Histogram::default()
        };
        match &distribution.native {
            Some(native) => Histogram {
                exemplars: distribution.exemplars.iter().map(exemplar).collect(),
                ..with_native(classic, native)
            },
            None => classic,
        }
    }
}

impl Print for Protobuf {
    fn begin(&mut self, _: &mut Vec<u8>, shown: &Shown) {
        let family = &shown.family;
        let kind = match family.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let name = family.name.strip_suffix("_total").unwrap_or(&family.name);
        self.family = MetricFamily {
            name: family.name.clone(),
            help: family.help.clone(),
            r#type: kind.into(),
            metric: Vec::with_capacity(family.samples.len()),
            unit: unit(name).unwrap_or_default().to_owned(),
        };
    }

    fn sample(&mut self, _: &mut Vec<u8>, _: &mut Lines, shown: &Shown, at: usize) {
        let (family, sample) = (&shown.family, &shown.family.samples[at]);
        let labels = sample.labels.iter();
        let mut metric = Metric {
            label: labels
                .map(|(name, value)| LabelPair {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            ..Metric::default()
        };
        let created = timestamp(sample.created.unwrap_or(self.created));
        match (&sample.value, family.kind) {
            (Value::Histogram(distribution), _) => {
                metric.histogram = Some(Self::histogram(created, distribution));
            }
            (value, Kind::Counter) => {
                metric.counter = Some(Counter {
                    value: number(value),
                    created_timestamp: Some(created),
                });
            }
            (value, _) => {
                metric.gauge = Some(Gauge {
                    value: number(value),
                });
            }
        }
        self.family.metric.push(metric);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        // A `Vec` has room for whatever comes.
        let _ = std::mem::take(&mut self.family).encode_length_delimited(out);
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = since_epoch(time);
    Timestamp {
        seconds: since.as_secs() as i64,
        nanos: since.subsec_nanos() as i32,
    }
}

fn exemplar(exemplar: &crate::histogram::Exemplar) -> Exemplar {
    Exemplar {
        label: vec![LabelPair {
            name: "trace_id".to_owned(),
            value: exemplar.trace_id.to_string(),
        }],
        value: exemplar.value,
        timestamp: Some(timestamp(exemplar.at)),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(value) => *value as f64,
        Value::Float(value) => *value,
        Value::Histogram(distribution) => distribution.count as f64,
    }
}

/// Adds the native buckets: runs of indices, and each count as its difference from the one before.
fn with_native(classic: Histogram, native: &NativeBuckets) -> Histogram {
    let mut histogram = Histogram {
        schema: native.schema.number().into(),
        zero_threshold: native.zero_threshold,
        zero_count: native.zero_count,
        ..classic
    };
    let (mut next, mut before) = (0, 0);
    for &(index, count) in &native.buckets {
        match histogram.positive_span.last_mut() {
            Some(span) if index == next => span.length += 1,
            _ => histogram.positive_span.push(BucketSpan {
                offset: index - next,
                length: 1,
            }),
        }
        histogram.positive_delta.push(count as i64 - before);
        (next, before) = (index + 1, count as i64);
    }
    histogram
}
