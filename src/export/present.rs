//! What there is under a name, for whoever checks what rules read.

use std::sync::Arc;

use super::picture::Picture;
use super::sampler::bound_text;
use crate::budget::{BREACH_BOUNDS, BREACH_DURATIONS};
use crate::engine::Wanted;
use crate::family::Value;
use crate::histogram::Buckets;
use crate::instance::Inner;
use crate::naming::{Spec, Take};

/// What samples of a name are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Present {
    Numbers,
    /// No sample bears the histogram's own name.
    Histogram,
    /// Its buckets, each with its bound as the page writes it, `+Inf` among them.
    Buckets(Vec<(f64, String)>),
}

/// What there is under a name, or can be: of our own families also before they have a sample.
pub(crate) fn present(inner: &Inner, name: &str) -> Option<Present> {
    let of_spec = |spec: Spec| {
        let suffix = name.strip_prefix(&*spec.name)?;
        match bounds(inner, &spec) {
            Some(bounds) => of_histogram(suffix, bounds),
            None => suffix.is_empty().then_some(Present::Numbers),
        }
    };
    if let Some(suffix) = name.strip_prefix(BREACH_DURATIONS) {
        return of_histogram(suffix, BREACH_BOUNDS.to_vec());
    }
    let mut ours = inner.naming.specs().into_iter().filter_map(of_spec);
    if let Some(present) = ours.next() {
        return Some(present);
    }
    if inner.taken.contains(name) {
        return Some(Present::Numbers);
    }
    let mut picture = Picture::named(inner, Arc::new(Wanted::of([name])));
    picture.renew(inner);
    let families = picture.families.iter().map(|shown| &shown.family);
    let mut shown = families.filter_map(|family| {
        let suffix = name.strip_prefix(&*family.name)?;
        match &family.samples.first()?.value {
            Value::Histogram(values) => {
                let bounds = values.buckets.iter().map(|bucket| bucket.0);
                of_histogram(suffix, bounds.collect())
            }
            _ => suffix.is_empty().then_some(Present::Numbers),
        }
    });
    shown.next()
}

fn of_histogram(suffix: &str, bounds: Vec<f64>) -> Option<Present> {
    let text = |bound| (bound, bound_text(bound));
    match suffix {
        "" => Some(Present::Histogram),
        "_sum" | "_count" => Some(Present::Numbers),
        "_bucket" => {
            let bounds = bounds.into_iter().chain([f64::INFINITY]);
            Some(Present::Buckets(bounds.map(text).collect()))
        }
        _ => None,
    }
}

/// The bounds of one of our histograms, in its unit.
fn bounds(inner: &Inner, spec: &Spec) -> Option<Vec<f64>> {
    let set = inner.registry.set(spec.source);
    let (buckets, scale): (&Buckets, f64) = match spec.take {
        Take::Duration { unit_ns } | Take::Stage { unit_ns } => (set.buckets(), unit_ns),
        Take::Extra { extra, scale } => (set.buckets_of(extra), scale),
        Take::StageShare => {
            let shares = set.share_buckets();
            (shares, shares.layout().unit().scale())
        }
        _ => return None,
    };
    let cells = buckets.closing_cells().iter();
    let bounds = cells.map(|&cell| buckets.cell_range(cell).1 as f64 / scale);
    Some(bounds.collect())
}
