//! Functions of one value.

use std::sync::Arc;

use super::element::{Element, Elements, Evaluated, unnamed};
use super::{NOT_A_SCALAR, NOT_A_VECTOR};
use crate::expr::labels::{Labels, NAME};
use crate::expr::{Compare, Expr, Function, SampleValue, Selector};

/// What no count of seconds reaches.
const TOO_GREAT: f64 = 9.2e18;

type Called = Result<Evaluated, &'static str>;

/// What a function makes of a value; `argument` is how that was written.
pub(super) fn call(function: Function, argument: &Expr, value: Evaluated) -> Called {
    let elements = match (function, value) {
        (Function::Vector, Evaluated::Scalar(value)) => {
            return Ok(Evaluated::Vector(Elements::from([Element::unlabelled(
                value,
            )])));
        }
        (Function::Vector, Evaluated::Vector(_)) => return Err(NOT_A_SCALAR),
        (_, Evaluated::Scalar(_)) => return Err(NOT_A_VECTOR),
        (_, Evaluated::Vector(elements)) => elements,
    };
    match function {
        Function::Absent => Ok(Evaluated::Vector(absent(argument, &elements))),
        Function::Scalar => Ok(Evaluated::Scalar(only(&elements))),
        Function::HistogramCount | Function::HistogramSum => each(elements, |value| {
            let histogram = value.as_histogram()?;
            Some(match function {
                Function::HistogramCount => histogram.count,
                _ => histogram.sum,
            })
        }),
        _ => each(elements, |value| of_float(function, value.as_float()?)),
    }
}

pub(super) fn negate(value: Evaluated) -> Called {
    let mut elements = match value {
        Evaluated::Scalar(value) => return Ok(Evaluated::Scalar(-value)),
        Evaluated::Vector(elements) => elements,
    };
    for element in &mut elements {
        match &mut element.value {
            SampleValue::Float(value) => *value = -*value,
            SampleValue::Histogram(value) => Arc::make_mut(value).scale(-1.0),
        }
    }
    unnamed(elements).map(Evaluated::Vector)
}

/// Each element that has such a value, without its name.
fn each(mut elements: Elements, apply: impl Fn(&SampleValue) -> Option<f64>) -> Called {
    elements.retain_mut(|element| {
        let value = apply(&element.value);
        element.value = SampleValue::Float(value.unwrap_or_default());
        value.is_some()
    });
    unnamed(elements).map(Evaluated::Vector)
}

/// The only number, or NaN.
fn only(elements: &[Element]) -> f64 {
    let mut floats = elements
        .iter()
        .filter_map(|element| element.value.as_float());
    match (floats.next(), floats.next()) {
        (Some(value), None) => value,
        _ => f64::NAN,
    }
}

fn absent(argument: &Expr, elements: &[Element]) -> Elements {
    if !elements.is_empty() {
        return Elements::new();
    }
    let mut element = Element::unlabelled(1.0);
    if let Expr::Select(selector) = argument {
        element.labels = asked(selector);
    }
    Elements::from([element])
}

/// The labels that a selector asks for by `=`, each once and in no other way.
fn asked(selector: &Selector) -> Labels {
    let matchers = selector.matchers();
    let once = |label: &str| {
        let mut same = matchers.iter().filter(|matcher| matcher.label() == label);
        same.nth(1).is_none()
    };
    let equal = matchers.iter().filter(|matcher| {
        let label = matcher.label();
        matcher.compare() == Compare::Equal && label != NAME && once(label)
    });
    Labels::new(equal.map(|matcher| (matcher.label(), matcher.value())))
}

fn of_float(function: Function, value: f64) -> Option<f64> {
    Some(match function {
        Function::Abs => value.abs(),
        Function::Ceil => value.ceil(),
        Function::Floor => value.floor(),
        Function::Sqrt => value.sqrt(),
        // A moment that is none has no hour.
        _ if value.is_nan() || value.abs() >= TOO_GREAT => f64::NAN,
        _ => of_moment(function, value as i64)? as f64,
    })
}

/// A part of a moment in seconds since 1970, UTC.
fn of_moment(function: Function, at: i64) -> Option<i64> {
    let days = at.div_euclid(86_400);
    Some(match function {
        Function::Hour => at.rem_euclid(86_400) / 3600,
        Function::Minute => at.rem_euclid(3600) / 60,
        // The first of January 1970 was a Thursday.
        Function::DayOfWeek => (days + 4).rem_euclid(7),
        Function::DayOfMonth => date(days).1,
        Function::Month => date(days).0,
        _ => return None,
    })
}

/// Month and day of the month, of days since 1970 in the Gregorian calendar.
fn date(days: i64) -> (i64, i64) {
    // Years begin in March, so that leap days end them; eras are 400 years of 146,097 days.
    let of_era = (days + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    ((month + 2) % 12 + 1, day)
}

#[cfg(test)]
mod tests;
