//! From counted series to a family: sums over the labels that the family does not have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::series::{DomainSeries, EndedSeries, OperationSeries, Values};
use super::sheet::{Distributed, Number};
use crate::family::{Family, Kind, Sample, Value};
use crate::histogram::Buckets;
use crate::instance::Inner;
use crate::naming::{Label, Spec, Take};
use crate::registry::{Domain, End, Outcome, Way};

/// How the samples of one family are made of the series of its domain.
#[derive(Debug)]
pub(super) struct Projection {
    pub(super) name: String,
    pub(super) source: Domain,
    take: Take,
    /// Where the threshold of [`Take::Slow`] stands among the bounds.
    threshold: Option<usize>,
    /// For one sample after the other what is added up: (operation, series that ended or stage); of some families only the
    /// first.
    parts: Vec<(u32, u32)>,
    /// Where the parts of each sample end.
    ends: Vec<usize>,
    /// What a histogram is counted into.
    buckets: Arc<Buckets>,
    /// Where they are added up.
    total: Values,
}

/// By label values.
type Rows = BTreeMap<Vec<String>, Row>;

/// What makes up one sample.
#[derive(Default)]
struct Row {
    /// When the first of it came into being.
    created: Option<SystemTime>,
    parts: Vec<(u32, u32)>,
}

impl Row {
    fn came(&mut self, created: SystemTime) {
        let earlier = |known: SystemTime| known.min(created);
        self.created = Some(self.created.map_or(created, earlier));
    }
}

impl Projection {
    /// The family that `spec` describes, its values still to be filled in, and how that is done.
    pub(super) fn new(inner: &Inner, spec: &Spec, series: &DomainSeries) -> (Family, Self) {
        let buckets = match spec.take {
            Take::Extra { extra, .. } => series.buckets_of(extra).unwrap_or(&series.buckets),
            Take::StageShare => series.share_buckets().unwrap_or(&series.buckets),
            _ => &series.buckets,
        };
        let mut projection = Self {
            name: spec.name.clone(),
            source: spec.source,
            take: spec.take,
            threshold: threshold(inner, spec.source).and_then(|threshold| bound(series, threshold)),
            parts: Vec::new(),
            ends: Vec::new(),
            buckets: buckets.clone(),
            total: series.nothing(buckets),
        };
        let mut family = Family::new(&spec.name, spec.help, kind(spec.take));
        if spec.take == Take::Slow && projection.threshold.is_none() {
            // The threshold is no bound of the domain, so that its count is not known exactly.
            return (family, projection);
        }
        for (values, row) in rows(inner, spec, series) {
            let keys = spec.labels.iter().map(|(key, _)| key.clone());
            let labels = keys.zip(values).collect();
            let value = Value::Integer(0);
            family.samples.push(Sample {
                labels,
                value,
                created: row.created,
            });
            projection.parts.extend(row.parts);
            projection.ends.push(projection.parts.len());
        }
        (family, projection)
    }

    /// Renews the values of the family's samples.
    pub(super) fn renew(&mut self, family: &mut Family, series: &DomainSeries) {
        let mut start = 0;
        for (at, sample) in family.samples.iter_mut().enumerate() {
            let end = self.ends[at];
            self.number(start..end, series).renew(&mut sample.value);
            start = end;
        }
    }

    fn number<'a>(&'a mut self, parts: Range<usize>, series: &'a DomainSeries) -> Number<'a> {
        let parts = &self.parts[parts];
        let operations = || parts.iter().map(|part| &series.operations[part.0 as usize]);
        let ended = || {
            parts
                .iter()
                .map(|part| &series.operations[part.0 as usize].ended[part.1 as usize])
        };
        let stages = || {
            parts
                .iter()
                .map(|part| &series.operations[part.0 as usize].stages[part.1 as usize])
        };
        let count = || ended().map(|ended| ended.values.folded.count).sum::<u64>();
        match self.take {
            Take::Duration { unit_ns } => {
                let values = sum(&mut self.total, ended().map(|ended| &ended.values));
                distributed(&self.buckets, values, unit_ns)
            }
            Take::Extra { extra, scale } => {
                let measured = operations().filter_map(|it| it.extras[extra as usize].as_ref());
                distributed(&self.buckets, sum(&mut self.total, measured), scale)
            }
            Take::Stage { unit_ns } => {
                let values = sum(&mut self.total, stages().map(|stage| &stage.durations));
                distributed(&self.buckets, values, unit_ns)
            }
            Take::StageShare => {
                let values = sum(&mut self.total, stages().map(|stage| &stage.shares));
                let scale = self.buckets.layout().unit().scale();
                distributed(&self.buckets, values, scale)
            }
            Take::Ended | Take::EndedAs(_) | Take::EndedBy(_) | Take::EndedOperation(_) => {
                Number::Integer(count())
            }
            Take::Begun => Number::Integer(operations().map(begun).sum()),
            Take::InFlight => {
                Number::Integer(operations().map(|operation| operation.in_flight).sum())
            }
            Take::Found(kind) => {
                let found = operations().filter_map(|operation| operation.found[kind as usize]);
                Number::Integer(found.sum())
            }
            Take::Slow => {
                let slow = |ended: &EndedSeries| {
                    let folded = &ended.values.folded;
                    folded.count - self.threshold.map_or(0, |at| folded.at_or_below[at])
                };
                Number::Integer(ended().map(slow).sum())
            }
            Take::ErrorRatio => {
                let errors = ended().filter(|ended| ended.end.outcome == Outcome::Error);
                let errors: u64 = errors.map(|ended| ended.values.folded.count).sum();
                let valid = ended().filter(|ended| ended.end.outcome.is_valid());
                let all: u64 = valid.map(|ended| ended.values.folded.count).sum();
                Number::Float(if all == 0 {
                    0.0
                } else {
                    errors as f64 / all as f64
                })
            }
        }
    }
}

/// The sum of the values; where there is only one, that one.
fn sum<'a>(total: &'a mut Values, mut all: impl Iterator<Item = &'a Values>) -> &'a Values {
    let first = all.next();
    match (first, all.next()) {
        (Some(only), None) => only,
        (first, second) => {
            total.clear();
            first
                .into_iter()
                .chain(second)
                .chain(all)
                .for_each(|values| total.add(values));
            total
        }
    }
}

fn distributed<'a>(buckets: &'a Buckets, values: &'a Values, scale: f64) -> Number<'a> {
    Number::Histogram(Distributed {
        buckets,
        values,
        scale,
    })
}

pub(super) fn kind(take: Take) -> Kind {
    match take {
        Take::Duration { .. } | Take::Extra { .. } | Take::Stage { .. } | Take::StageShare => {
            Kind::Histogram
        }
        Take::InFlight | Take::ErrorRatio => Kind::Gauge,
        Take::Ended
        | Take::EndedAs(_)
        | Take::EndedBy(_)
        | Take::EndedOperation(_)
        | Take::Begun
        | Take::Slow
        | Take::Found(_) => Kind::Counter,
    }
}

/// What is added up under each set of label values.
fn rows(inner: &Inner, spec: &Spec, series: &DomainSeries) -> Rows {
    let mut rows = Rows::new();
    if spec
        .labels
        .iter()
        .all(|(_, label)| *label == Label::Service)
    {
        // Nothing that must be seen first: born at zero.
        let service = vec![inner.service.clone(); spec.labels.len()];
        rows.insert(service, Row::default());
    }
    let per_series = spec.labels.iter().any(|(_, label)| label.is_per_series());
    for (at, operation) in (0..).zip(&series.operations) {
        if spec.take.is_of_stages() {
            for (which, stage) in (0..).zip(&operation.stages) {
                let values = values(inner, spec, operation, Which::Stage(stage.name));
                let row = rows.entry(values).or_default();
                row.came(stage.created);
                row.parts.push((at, which));
            }
            continue;
        }
        if per_series {
            let counted = |ended: &EndedSeries| counts(spec.take, series.domain, operation, ended);
            let ended = (0..).zip(&operation.ended);
            for (which, ended) in ended.filter(|(_, ended)| counted(ended)) {
                let values = values(inner, spec, operation, Which::Ended(ended));
                let row = rows.entry(values).or_default();
                row.came(ended.created);
                row.parts.push((at, which));
            }
            continue;
        }
        if !is_measured(spec.take, operation) {
            continue;
        }
        // Also without an ended one: a pair of counters is then born with the same labels, at zero.
        let row = rows
            .entry(values(inner, spec, operation, Which::All))
            .or_default();
        row.came(operation.created());
        if matches!(
            spec.take,
            Take::Begun | Take::InFlight | Take::Extra { .. } | Take::Found(_)
        ) {
            row.parts.push((at, 0));
            continue;
        }
        let counted = |ended: &EndedSeries| counts(spec.take, series.domain, operation, ended);
        let counted = (0..)
            .zip(&operation.ended)
            .filter(|(_, ended)| counted(ended));
        row.parts.extend(counted.map(|(which, _)| (at, which)));
    }
    rows
}

/// Whether there is anything of an operation that such a family could show.
fn is_measured(take: Take, operation: &OperationSeries) -> bool {
    match take {
        Take::Extra { extra, .. } => operation.extras[extra as usize].is_some(),
        Take::Found(kind) => operation.found[kind as usize].is_some(),
        _ => true,
    }
}

/// What of an operation label values are asked for.
#[derive(Clone, Copy)]
enum Which<'a> {
    All,
    Ended(&'a EndedSeries),
    Stage(&'static str),
}

fn values(
    inner: &Inner,
    spec: &Spec,
    operation: &OperationSeries,
    which: Which<'_>,
) -> Vec<String> {
    let labels = spec.labels.iter();
    labels
        .map(|(_, label)| match (label, which) {
            (Label::Key(index), _) => operation.label(*index).to_owned(),
            (Label::Service, _) => inner.service.clone(),
            (Label::Stage, Which::Stage(name)) => name.to_owned(),
            (Label::Code, Which::Ended(ended)) if ended.end.code != 0 => {
                status(spec, ended.end.code)
            }
            (Label::End, Which::Ended(ended)) => ended.end.as_str().to_owned(),
            (Label::ErrorType, Which::Ended(ended)) => error_type(spec, ended.end),
            (Label::Outcome, Which::Ended(ended)) => ended.end.outcome_str().to_owned(),
            (Label::Success, Which::Ended(ended)) => success(ended.end.outcome).to_owned(),
            (Label::Response(at), Which::Ended(ended)) => {
                let label = &inner.registry.set(spec.source).labels.response[*at];
                label.text(ended.end.labels.get(*at)).to_owned()
            }
            _ => String::new(),
        })
        .collect()
}

/// OpenTelemetry's: empty where nothing failed, the status where the service said so, else what happened.
fn error_type(spec: &Spec, end: End) -> String {
    match end.outcome {
        Outcome::Ok => String::new(),
        Outcome::Error if end.way == Way::SERVER_ERROR => status(spec, end.code),
        _ => end.as_str().to_owned(),
    }
}

fn status(spec: &Spec, code: u16) -> String {
    if spec.status_class {
        format!("{}xx", code / 100)
    } else {
        code.to_string()
    }
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
fn begun(operation: &OperationSeries) -> u64 {
    let ended = operation
        .ended
        .iter()
        .map(|ended| ended.values.folded.count);
    operation.started.max(ended.sum())
}

fn counts(take: Take, domain: Domain, operation: &OperationSeries, ended: &EndedSeries) -> bool {
    match take {
        Take::EndedAs(outcome) => ended.end.outcome == outcome,
        Take::EndedBy(way) => ended.end.way == way,
        Take::EndedOperation(name) => operation.is_operation(domain, name),
        _ => true,
    }
}

fn threshold(inner: &Inner, domain: Domain) -> Option<Duration> {
    match domain {
        Domain::Http => Some(inner.thresholds.slow_request),
        Domain::Db => Some(inner.thresholds.slow_query),
        _ => None,
    }
}

/// Where `threshold` stands among the bounds, if it is one.
fn bound(series: &DomainSeries, threshold: Duration) -> Option<usize> {
    let cell = series.buckets.closing_cell(threshold.as_secs_f64())?;
    series.buckets.closing_cells().binary_search(&cell).ok()
}
