//! Groups of elements as one.

use std::sync::Arc;

use super::element::{Element, Elements, Keep, Numbered};
use super::over_time::approach;
use super::sums::{GroupSum, Mean, higher, lower};
use crate::expr::{Aggregation, Grouping, Labels, SampleValue};
use crate::window::{Dialect, NativeHistogram};

pub(super) fn aggregate(
    how: Aggregation,
    grouping: &Grouping,
    elements: Elements,
    dialect: Dialect,
) -> Elements {
    let keep = match grouping {
        Grouping::By(keys) if keys.is_empty() => return all(how, elements, dialect),
        Grouping::By(keys) => Keep::Only(keys),
        Grouping::Without(keys) => Keep::Without(keys),
    };
    let mut groups = Numbered::new();
    let mut states: Vec<State> = Vec::new();
    for element in &elements {
        if skips(how, &element.value) {
            continue;
        }
        let (at, new) = groups.number(element.view(keep));
        match new {
            true => states.push(State::new(how, &element.value, dialect)),
            false => states[at].add(&element.value),
        }
    }
    let groups = groups.views().iter().zip(states);
    let aggregated = groups.filter_map(|(view, state)| {
        Some(Element {
            labels: view.to_labels(),
            nameless: false,
            value: state.value()?,
        })
    });
    aggregated.collect()
}

/// All elements as one group without labels.
fn all(how: Aggregation, mut elements: Elements, dialect: Dialect) -> Elements {
    let mut known = elements
        .iter()
        .filter(|element| !skips(how, &element.value));
    let value = known.next().and_then(|first| {
        let mut state = State::new(how, &first.value, dialect);
        known.for_each(|element| state.add(&element.value));
        state.value()
    });
    elements.truncate(usize::from(value.is_some()));
    for (element, value) in elements.iter_mut().zip(value) {
        element.labels = Labels::default();
        element.value = value;
    }
    elements
}

/// Whether an aggregation does not look at native histograms.
fn skips(how: Aggregation, value: &SampleValue) -> bool {
    matches!(how, Aggregation::Min | Aggregation::Max) && value.as_float().is_none()
}

/// What is known of a group so far.
enum State {
    Sum(GroupSum),
    Avg(Mean),
    Min(f64),
    Max(f64),
    Count(f64),
    HistogramSum(Box<NativeHistogram>),
    HistogramAvg(Box<NativeHistogram>, f64),
    /// Numbers and histograms, which have no sum.
    Mixed,
}

impl State {
    fn new(how: Aggregation, first: &SampleValue, dialect: Dialect) -> Self {
        match (how, first) {
            (Aggregation::Count, _) => Self::Count(1.0),
            (Aggregation::Sum, SampleValue::Float(value)) => {
                Self::Sum(GroupSum::of(*value, dialect))
            }
            (Aggregation::Avg, SampleValue::Float(value)) => {
                Self::Avg(Mean::group(*value, dialect))
            }
            (Aggregation::Min, SampleValue::Float(value)) => Self::Min(*value),
            (Aggregation::Max, SampleValue::Float(value)) => Self::Max(*value),
            (Aggregation::Avg, SampleValue::Histogram(value)) => {
                Self::HistogramAvg(Box::new((**value).clone()), 1.0)
            }
            (_, SampleValue::Histogram(value)) => Self::HistogramSum(Box::new((**value).clone())),
        }
    }

    fn add(&mut self, value: &SampleValue) {
        match (&mut *self, value) {
            (Self::Count(count), _) => *count += 1.0,
            (Self::Sum(sum), SampleValue::Float(value)) => sum.add(*value),
            (Self::Avg(mean), SampleValue::Float(value)) => mean.add(*value),
            (Self::Min(known), SampleValue::Float(value)) => *known = lower(*known, *value),
            (Self::Max(known), SampleValue::Float(value)) => *known = higher(*known, *value),
            (Self::HistogramSum(sum), SampleValue::Histogram(value)) => sum.add(value),
            (Self::HistogramAvg(mean, count), SampleValue::Histogram(value)) => {
                *count += 1.0;
                approach(mean, value, *count);
            }
            (known, _) => *known = Self::Mixed,
        }
    }

    fn value(self) -> Option<SampleValue> {
        Some(SampleValue::Float(match self {
            Self::Sum(sum) => sum.total(),
            Self::Avg(mean) => mean.value(),
            Self::Min(value) | Self::Max(value) | Self::Count(value) => value,
            Self::HistogramSum(mut value) | Self::HistogramAvg(mut value, _) => {
                value.compact();
                return Some(SampleValue::Histogram(Arc::new(*value)));
            }
            Self::Mixed => return None,
        }))
    }
}
