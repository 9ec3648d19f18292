//! Gathers the families of all sources: each source is one small function.

use std::collections::HashSet;

use super::picture::{Picture, Reader};
use super::{project, promises};
use crate::family::{Family, Kind, Sample, Value};
use crate::histogram::NativeSchema;
use crate::instance::Inner;
use crate::naming::sample_names;
use crate::registry::{Domain, InstrumentFamily, InstrumentKind, InstrumentValue};

/// Everything that is exported, ordered; families without a sample are left out.
///
/// Histograms carry native buckets if a schema for them is given.
pub(super) fn families(inner: &Inner, native: Option<NativeSchema>) -> Vec<Family> {
    gather(inner, inner.foreign.families(), native)
}

/// The same without what somebody else recorded.
#[cfg(feature = "metrics")]
pub(super) fn own(inner: &Inner) -> Vec<Family> {
    let mut families = gather(inner, Vec::new(), None);
    if let Some(source) = inner.foreign.source.get() {
        families.retain(|family| family.kind != Kind::Histogram || !source.keeps(&family.name));
    }
    families
}

fn gather(inner: &Inner, foreign: Vec<Family>, native: Option<NativeSchema>) -> Vec<Family> {
    let registry = &inner.registry;
    let pictures = Domain::ALL.map(|domain| Picture::take(registry.set(domain), native));
    let mut saturated = 0;
    let kept = registry.instruments.families().into_iter();
    let instruments = kept.map(|(name, kept)| {
        let (family, above) = instrument(name, kept, native);
        saturated += above;
        family
    });

    let mut families = operations(inner, &pictures);
    // Ours come first: nobody may stand on a name that we use, even where we have nothing to show under it yet.
    let mut taken = inner.taken.clone();
    for family in instruments.chain(foreign) {
        if claim(&mut taken, &family) {
            families.push(family);
        } else {
            inner.foreign.refused.add(&family.name);
        }
    }
    families.extend(health(inner, &pictures, saturated));
    families.extend(promises::families(&inner.engine));
    families.iter_mut().for_each(explain);

    families.retain(|family| !family.samples.is_empty());
    families.sort_by(|a, b| a.name.cmp(&b.name));
    for family in &mut families {
        family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    families
}

/// HELP is never empty: the facade's metrics need not be described.
fn explain(family: &mut Family) {
    if family.help.is_empty() {
        family.help = format!("A {} that nobody described.", family.kind.as_str());
    }
}

/// The families of counted operations.
fn operations(inner: &Inner, pictures: &[Picture]) -> Vec<Family> {
    let specs = inner.naming.specs();
    let specs = specs.iter();
    specs
        .map(|spec| project::family(inner, spec, &pictures[spec.source as usize]))
        .collect()
}

/// One family of the user's own instruments, or of a probe's gauges; and how many of its values lay above the range.
fn instrument(name: String, kept: InstrumentFamily, native: Option<NativeSchema>) -> (Family, u64) {
    let (kind, mut reader) = match kept.kind {
        InstrumentKind::Counter => (Kind::Counter, None),
        InstrumentKind::Gauge => (Kind::Gauge, None),
        InstrumentKind::Histogram(buckets) => (Kind::Histogram, Some(Reader::new(buckets, native))),
    };
    let mut family = Family::new(name, kept.help, kind);
    for (values, cell) in kept.series {
        if let Some(value) = instrument_value(&cell, &mut reader) {
            let keys = kept.keys.iter().cloned();
            let labels = keys.zip(values).collect();
            family.samples.push(Sample { labels, value });
        }
    }
    (family, reader.map_or(0, |reader| reader.saturated))
}

fn instrument_value(cell: &InstrumentValue, reader: &mut Option<Reader>) -> Option<Value> {
    match cell {
        InstrumentValue::Counter(cells) => Some(Value::Integer(cells.total(&cells.reading(), 0))),
        InstrumentValue::Gauge(_) | InstrumentValue::Observed(_) => cell.number().map(Value::Float),
        InstrumentValue::Histogram(histogram) => {
            let durations = reader.as_mut()?.read(histogram);
            let buckets = histogram.buckets();
            let unit = buckets.layout().unit().scale();
            Some(Value::Histogram(project::distribution(
                durations, buckets, unit,
            )))
        }
    }
}

/// Takes the names of a family's samples, if all of them are free.
fn claim(taken: &mut HashSet<String>, family: &Family) -> bool {
    let names = || sample_names(&family.name, family.kind == Kind::Histogram);
    let free = names().all(|name| !taken.contains(&name));
    if free {
        taken.extend(names());
    }
    free
}

/// Our own health.
fn health(inner: &Inner, pictures: &[Picture], saturated: u64) -> [Family; 8] {
    let version = env!("CARGO_PKG_VERSION");
    let instruments = &inner.registry.instruments;
    [
        Family::new(
            "plimsoll_build_info",
            "The version of plimsoll that this process was built with; always 1.",
            Kind::Gauge,
        )
        .with(&[("version", version)], Value::Integer(1)),
        Family::new(
            "plimsoll_uptime_seconds",
            "Time since this instance was built.",
            Kind::Gauge,
        )
        .with(&[], Value::Float(inner.engine.uptime())),
        Family::new(
            "plimsoll_clock_info",
            "What everything is timed by: tsc, instant or custom; always 1.",
            Kind::Gauge,
        )
        .with(&[("source", inner.registry.clock().as_str())], Value::Integer(1)),
        Family::new(
            "plimsoll_shard_bytes",
            "Bytes of counters that threads own, each for itself.",
            Kind::Gauge,
        )
        .with(&[], Value::Integer(inner.registry.memory_taken() as u64)),
        by_kind(
            "plimsoll_series_overflow_total",
            "Operations that came after the cap on label sets and were counted under other.",
            pictures.iter().map(|picture| (picture.domain, picture.overflow)),
            instruments.overflow(),
        ),
        by_kind(
            "plimsoll_values_saturated_total",
            "Values above a histogram's range, which were counted as the end of the range.",
            pictures.iter().map(|picture| (picture.domain, picture.saturated)),
            saturated,
        ),
        invalid(inner),
        Family::new(
            "plimsoll_families_dropped_total",
            "Families of the user's that are left out, wholly or in part, because of their name or labels.",
            Kind::Counter,
        )
        .with(&[], Value::Integer(inner.foreign.refused.count())),
    ]
}

fn invalid(inner: &Inner) -> Family {
    let family = Family::new(
        "plimsoll_values_invalid_total",
        "Values given to the facade's histograms that are no measurement: nan is ignored, negative counts as 0.",
        Kind::Counter,
    );
    let counts = inner.foreign.invalid.counts().into_iter();
    counts.fold(family, |family, (reason, count)| {
        family.with(&[("reason", reason)], Value::Integer(count))
    })
}

/// A counter by kind of operation, born at zero for each.
fn by_kind(
    name: &str,
    help: &str,
    domains: impl Iterator<Item = (Domain, u64)>,
    instruments: u64,
) -> Family {
    let family = Family::new(name, help, Kind::Counter);
    domains
        .map(|(domain, count)| (domain.as_str(), count))
        .chain([("instrument", instruments)])
        .fold(family, |family, (kind, count)| {
            family.with(&[("kind", kind)], Value::Integer(count))
        })
}
