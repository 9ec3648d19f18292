//! From counted series to a family: sums over the labels that the family does not have.

use std::collections::BTreeMap;
use std::time::Duration;

use super::picture::{Counted, Durations, Ended, Picture};
use crate::family::{Distribution, Family, Kind, Sample, Value};
use crate::histogram::Buckets;
use crate::instance::Inner;
use crate::naming::{Label, Spec, Take};
use crate::registry::{Domain, Outcome};

/// The family that `spec` describes.
pub(super) fn family(inner: &Inner, spec: &Spec, picture: &Picture) -> Family {
    let mut family = Family::new(&spec.name, spec.help, kind(spec.take));
    for (values, tally) in tallies(inner, spec, picture) {
        let keys = spec.labels.iter().map(|(key, _)| key.clone());
        if let Some(value) = tally.value(inner, spec.take, picture) {
            family.samples.push(Sample {
                labels: keys.zip(values).collect(),
                value,
            });
        }
    }
    family
}

fn kind(take: Take) -> Kind {
    match take {
        Take::Duration { .. } => Kind::Histogram,
        Take::InFlight | Take::ErrorRatio => Kind::Gauge,
        Take::Ended | Take::EndedAs(_) | Take::EndedOperation(_) | Take::Begun | Take::Slow => {
            Kind::Counter
        }
    }
}

/// One tally per set of label values, in their order.
fn tallies(inner: &Inner, spec: &Spec, picture: &Picture) -> BTreeMap<Vec<String>, Tally> {
    let mut tallies: BTreeMap<Vec<String>, Tally> = BTreeMap::new();
    if spec
        .labels
        .iter()
        .all(|(_, label)| *label == Label::Service)
    {
        // Nothing that must be seen first: born at zero.
        tallies.insert(
            vec![inner.service.clone(); spec.labels.len()],
            Tally::of(picture),
        );
    }
    let per_series = spec.labels.iter().any(|(_, label)| label.is_per_series());
    for operation in &picture.operations {
        if per_series {
            for ended in &operation.ended {
                let values = values(inner, spec, operation, Some(ended));
                let tally = tallies.entry(values);
                tally.or_insert_with(|| Tally::of(picture)).add(ended);
            }
        } else {
            // Also without an ended one: a pair of counters is then born with the same labels, at zero.
            let values = values(inner, spec, operation, None);
            let tally = tallies.entry(values);
            let tally = tally.or_insert_with(|| Tally::of(picture));
            tally.in_flight += operation.in_flight;
            tally.begun += begun(operation);
            let counted = |ended: &&Ended| counts(spec.take, picture.domain, operation, ended);
            operation
                .ended
                .iter()
                .filter(counted)
                .for_each(|ended| tally.add(ended));
        }
    }
    tallies
}

fn values(inner: &Inner, spec: &Spec, operation: &Counted, ended: Option<&Ended>) -> Vec<String> {
    let labels = spec.labels.iter();
    labels
        .map(|(_, label)| match (label, ended) {
            (Label::Key(index), _) => operation.label(*index).to_owned(),
            (Label::Service, _) => inner.service.clone(),
            (Label::Detail, Some(ended)) if ended.detail != 0 => ended.detail.to_string(),
            (Label::Outcome, Some(ended)) => ended.outcome.as_str().to_owned(),
            (Label::Success, Some(ended)) => success(ended.outcome).to_owned(),
            _ => String::new(),
        })
        .collect()
}

fn success(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "success",
        other => other.as_str(),
    }
}

/// Those that began under a guard, or all that ended where somebody else timed them.
///
/// Both numbers only grow, and so does the greater one; their sum less the overlap, read at two moments, might not.
fn begun(operation: &Counted) -> u64 {
    let ended = operation.ended.iter().map(|ended| ended.durations.count);
    operation.started.max(ended.sum())
}

fn counts(take: Take, domain: Domain, operation: &Counted, ended: &Ended) -> bool {
    match take {
        Take::EndedAs(outcome) => ended.outcome == outcome,
        Take::EndedOperation(name) => operation.is_operation(domain, name),
        _ => true,
    }
}

/// What was counted under one set of label values.
struct Tally {
    durations: Durations,
    errors: u64,
    in_flight: u64,
    begun: u64,
}

impl Tally {
    /// Nothing yet.
    fn of(picture: &Picture) -> Self {
        Self {
            durations: picture.nothing.clone(),
            errors: 0,
            in_flight: 0,
            begun: 0,
        }
    }

    fn add(&mut self, ended: &Ended) {
        self.durations.add(&ended.durations);
        if ended.outcome == Outcome::Error {
            self.errors += ended.durations.count;
        }
    }

    /// `None` where a threshold is no bound of the domain, so that its count is not known exactly.
    fn value(self, inner: &Inner, take: Take, picture: &Picture) -> Option<Value> {
        let count = self.durations.count;
        Some(match take {
            Take::Duration { unit_ns } => {
                Value::Histogram(distribution(self.durations, &picture.buckets, unit_ns))
            }
            Take::Ended | Take::EndedAs(_) | Take::EndedOperation(_) => Value::Integer(count),
            Take::Begun => Value::Integer(self.begun),
            Take::InFlight => Value::Integer(self.in_flight),
            Take::Slow => Value::Integer(self.above(threshold(inner, picture.domain)?, picture)?),
            Take::ErrorRatio if count == 0 => Value::Float(0.0),
            Take::ErrorRatio => Value::Float(self.errors as f64 / count as f64),
        })
    }

    fn above(&self, threshold: Duration, picture: &Picture) -> Option<u64> {
        let cell = picture.buckets.closing_cell(threshold.as_secs_f64())?;
        let index = picture.buckets.closing_cells().binary_search(&cell).ok()?;
        let below = self.durations.at_or_below.get(index).copied();
        Some(self.durations.count - below.unwrap_or(0))
    }
}

fn threshold(inner: &Inner, domain: Domain) -> Option<Duration> {
    match domain {
        Domain::Http => Some(inner.thresholds.slow_request),
        Domain::Db => Some(inner.thresholds.slow_query),
        _ => None,
    }
}

/// Durations at the bounds of `buckets`, in a unit of `unit_ns` nanoseconds.
pub(super) fn distribution(durations: Durations, buckets: &Buckets, unit_ns: f64) -> Distribution {
    let counts = durations.at_or_below.into_iter();
    let counts = counts.chain(std::iter::repeat(0));
    // From whole steps, so that 0.005 s is 5 ms and not the next number.
    let bounds = buckets.closing_cells().iter();
    let bounds = bounds.map(|&cell| buckets.cell_range(cell).1 as f64 / unit_ns);
    Distribution {
        buckets: bounds.zip(counts).collect(),
        sum: durations.sum_ns as f64 / unit_ns,
        count: durations.count,
        // The schema is one of seconds: in milliseconds its bounds are others, and nothing would be exact.
        native: durations
            .native
            .filter(|_| unit_ns == buckets.layout().unit().scale()),
    }
}
