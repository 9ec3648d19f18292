//! `histogram_quantile`.

use super::element::{Element, Elements, Keep, Numbered, unnamed};
use crate::expr::SampleValue;
use crate::window::{Dialect, native_quantile};

/// Counts of neighbours that differ by less than this part of their sum are one (from 2.53 on).
const TOLERANCE: f64 = 1e-12;

/// The quantile of each histogram: of native ones, and of those whose elements are buckets with the label `le`.
pub(super) fn quantiles(
    q: f64,
    elements: Elements,
    dialect: Dialect,
) -> Result<Elements, &'static str> {
    let mut groups = Numbered::new();
    let mut histograms: Vec<Vec<Bucket>> = Vec::new();
    for element in &elements {
        let Some(bucket) = bucket(element) else {
            continue;
        };
        let (at, new) = groups.number(element.view(Keep::But("le")));
        if new {
            histograms.push(Vec::new());
        }
        histograms[at].push(bucket);
    }
    let mut found = Elements::new();
    for element in &elements {
        let SampleValue::Histogram(native) = &element.value else {
            continue;
        };
        // What is there in both forms has no quantile.
        match groups.find(&element.view(Keep::But(""))) {
            Some(at) => histograms[at].clear(),
            None => found.push(Element {
                value: SampleValue::Float(native_quantile(q, native)),
                ..element.clone()
            }),
        }
    }
    let classic = groups.views().iter().zip(histograms);
    let classic = classic.filter(|(_, buckets)| !buckets.is_empty());
    found.extend(classic.map(|(view, buckets)| Element {
        labels: view.to_labels(),
        nameless: false,
        value: SampleValue::Float(quantile(q, buckets, dialect)),
    }));
    unnamed(found)
}

#[derive(Clone, Copy)]
struct Bucket {
    bound: f64,
    /// Cumulative.
    count: f64,
}

fn bucket(element: &Element) -> Option<Bucket> {
    let count = element.value.as_float()?;
    let bound = bound(element.labels.get("le"))?;
    Some(Bucket { bound, count })
}

/// A bound as Prometheus reads it: `10` and `10.0` are one, and what is too great for a number is none.
fn bound(text: &str) -> Option<f64> {
    let bound: f64 = text.parse().ok()?;
    let named = text.contains(['n', 'N']);
    (bound.is_finite() || named).then_some(bound)
}

/// Prometheus' interpolation.
fn quantile(q: f64, mut buckets: Vec<Bucket>, dialect: Dialect) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    if buckets
        .last()
        .is_none_or(|last| last.bound != f64::INFINITY)
    {
        return f64::NAN;
    }
    buckets.dedup_by(|next, kept| {
        let same = next.bound == kept.bound;
        if same {
            kept.count += next.count;
        }
        same
    });
    repair(&mut buckets, dialect);
    let [finite @ .., top] = &buckets[..] else {
        return f64::NAN;
    };
    let Some(highest) = finite.last() else {
        return f64::NAN;
    };
    if top.count == 0.0 {
        return f64::NAN;
    }
    interpolate(q * top.count, finite).unwrap_or(highest.bound)
}

/// The value at a rank; `None` if it is above the highest finite bound.
fn interpolate(rank: f64, finite: &[Bucket]) -> Option<f64> {
    let reached = |bucket: &Bucket| bucket.count >= rank;
    let at = finite.partition_point(|bucket| !reached(bucket));
    let Bucket { bound, count } = *finite.get(at)?;
    if at == 0 && bound <= 0.0 {
        return Some(bound);
    }
    let below = match at.checked_sub(1) {
        Some(below) => finite[below],
        None => Bucket {
            bound: 0.0,
            count: 0.0,
        },
    };
    let (start, before) = (below.bound, below.count);
    Some(start + (bound - start) * ((rank - before) / (count - before)))
}

/// Lets no count be below that of a lower bound.
fn repair(buckets: &mut [Bucket], dialect: Dialect) {
    let Some(first) = buckets.first() else { return };
    let mut known = first.count;
    for bucket in &mut buckets[1..] {
        let noise = dialect != Dialect::V2_42 && alike(known, bucket.count);
        if noise || bucket.count < known {
            bucket.count = known;
        } else if dialect != Dialect::V2_42 || bucket.count > known {
            known = bucket.count;
        }
    }
}

/// Whether two counts differ by no more than roundings.
fn alike(a: f64, b: f64) -> bool {
    if a.is_nan() && b.is_nan() || a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests;
