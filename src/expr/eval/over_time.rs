//! What is made of the samples of a range.

use std::sync::Arc;
use std::time::Duration;

use super::sums::{Compensated, Mean, higher, lower};
use crate::expr::Over;
use crate::window::{Dialect, NativeHistogram, SampleValue, Series};

/// Whether the elements are still samples of the family.
pub(super) fn keeps_name(over: Over) -> bool {
    over == Over::Last
}

pub(super) fn value(
    over: Over,
    series: &Series,
    at_ms: i64,
    range: Duration,
    dialect: Dialect,
) -> Option<SampleValue> {
    match over {
        Over::Rate => return series.rate(at_ms, range, dialect),
        Over::Increase => return series.increase(at_ms, range, dialect),
        _ => {}
    }
    let mut histograms = series.histograms(at_ms, range, dialect);
    let mut floats = series.floats(at_ms, range, dialect);
    if over == Over::Last {
        return match (floats.next_back(), histograms.next_back()) {
            (Some((float_ms, value)), histogram) if histogram.is_none_or(|h| h.0 < float_ms) => {
                Some(SampleValue::Float(value))
            }
            (_, histogram) => histogram.map(|point| SampleValue::Histogram(point.1.clone())),
        };
    }
    let (count, natives) = (floats.len(), histograms.len());
    if over == Over::Count {
        let count = count + natives;
        return (count > 0).then_some(SampleValue::Float(count as f64));
    }
    let Some((_, first)) = floats.next() else {
        let first = (*histograms.next()?.1).clone();
        let rest = histograms.map(|point| &*point.1);
        return merged(over, first, rest).map(|merged| SampleValue::Histogram(Arc::new(merged)));
    };
    let rest = floats.map(|sample| sample.1);
    Some(SampleValue::Float(match over {
        Over::Min => rest.fold(first, lower),
        Over::Max => rest.fold(first, higher),
        // What is neither all numbers nor all histograms has no sum.
        _ if natives > 0 => return None,
        Over::Sum => Compensated::total([first].into_iter().chain(rest)),
        _ => {
            let mut mean = Mean::over_time(first, dialect);
            rest.for_each(|value| mean.add(value));
            mean.value()
        }
    }))
}

fn merged<'a>(
    over: Over,
    mut first: NativeHistogram,
    rest: impl Iterator<Item = &'a NativeHistogram>,
) -> Option<NativeHistogram> {
    match over {
        Over::Sum => rest.for_each(|value| first.add(value)),
        Over::Avg => {
            let counted = rest.zip(2_u32..);
            counted.for_each(|(value, count)| approach(&mut first, value, count.into()));
        }
        _ => return None,
    }
    Some(first)
}

/// Moves a mean towards the `count`-th value.
pub(super) fn approach(mean: &mut NativeHistogram, value: &NativeHistogram, count: f64) {
    let (mut step, mut known) = (value.clone(), mean.clone());
    step.divide(count);
    known.divide(count);
    step.subtract(&known);
    mean.add(&step);
}
