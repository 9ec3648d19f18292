//! Two values combined.

use std::sync::Arc;

use smallvec::SmallVec;

use super::element::{Element, Elements, Evaluated, FEW, Keep, Numbered, distinct, unnamed};
use crate::expr::labels::NAME;
use crate::expr::{Group, MatchOn, Matching, Op, SampleValue};

type Combined<T> = Result<T, &'static str>;

const ONE_SIDE: &str = "has several elements with the same labels on the side that must have one for each of the other: \
     aggregate it, or match by more labels";
const ONE_TO_ONE: &str = "has several elements on the left for one on the right: aggregate, match by more labels, or write \
     group_left";
const GROUPED: &str =
    "has several results with the same labels: let the group keep labels that tell them apart";

pub(super) fn combine(
    left: Evaluated,
    op: Op,
    matching: &Matching,
    right: Evaluated,
) -> Combined<Evaluated> {
    let elements = match (left, right) {
        (Evaluated::Scalar(left), Evaluated::Scalar(right)) => {
            return scalars(left, op, matching, right).map(Evaluated::Scalar);
        }
        (Evaluated::Vector(left), Evaluated::Scalar(right)) => {
            with_scalar(left, op, matching, |value| {
                (value.clone(), SampleValue::Float(right))
            })?
        }
        (Evaluated::Scalar(left), Evaluated::Vector(right)) => {
            with_scalar(right, op, matching, |value| {
                (SampleValue::Float(left), value.clone())
            })?
        }
        (Evaluated::Vector(left), Evaluated::Vector(right)) if op.is_set() => {
            sets(left, op, keep(matching), right)
        }
        (Evaluated::Vector(left), Evaluated::Vector(right)) => vectors(left, op, matching, right)?,
    };
    Ok(Evaluated::Vector(elements))
}

fn scalars(left: f64, op: Op, matching: &Matching, right: f64) -> Combined<f64> {
    match (op.calculate(left, right), op.compare(left, right)) {
        (Some(value), _) => Ok(value),
        (None, Some(holds)) if matching.as_bool => Ok(f64::from(u8::from(holds))),
        (None, Some(_)) => Err("compares two numbers: write bool behind the operator"),
        (None, None) => Err(SET_OF_SCALARS),
    }
}

pub(in crate::expr) const SET_OF_SCALARS: &str =
    "and, or and unless need vectors on both sides: write vector(..)";

fn with_scalar(
    mut elements: Elements,
    op: Op,
    matching: &Matching,
    sides: impl Fn(&SampleValue) -> (SampleValue, SampleValue),
) -> Combined<Elements> {
    if op.is_set() {
        return Err(SET_OF_SCALARS);
    }
    let filters = op.is_comparison() && !matching.as_bool;
    elements.retain_mut(|element| {
        let (left, right) = sides(&element.value);
        match pair(op, &left, &right) {
            Pair::Value(value) => element.value = value,
            Pair::Holds(holds) if matching.as_bool => {
                element.value = SampleValue::Float(f64::from(u8::from(holds)));
            }
            Pair::Holds(holds) => return holds,
            Pair::None => return false,
        }
        true
    });
    if filters {
        Ok(elements)
    } else {
        unnamed(elements)
    }
}

/// What becomes of two values.
enum Pair {
    Value(SampleValue),
    Holds(bool),
    /// They cannot be combined.
    None,
}

fn pair(op: Op, left: &SampleValue, right: &SampleValue) -> Pair {
    match (left, right) {
        (SampleValue::Float(left), SampleValue::Float(right)) => {
            match (op.calculate(*left, *right), op.compare(*left, *right)) {
                (Some(value), _) => Pair::Value(SampleValue::Float(value)),
                (None, Some(holds)) => Pair::Holds(holds),
                (None, None) => Pair::None,
            }
        }
        _ => of_histograms(op, left, right),
    }
}

fn of_histograms(op: Op, left: &SampleValue, right: &SampleValue) -> Pair {
    use SampleValue::{Float, Histogram};
    let mut value = match (op, left, right) {
        (Op::Mul, Histogram(value), Float(factor)) | (Op::Mul, Float(factor), Histogram(value)) => {
            let mut value = (**value).clone();
            value.scale(*factor);
            value
        }
        (Op::Div, Histogram(value), Float(by)) => {
            let mut value = (**value).clone();
            value.divide(*by);
            value
        }
        (Op::Add | Op::Sub, Histogram(left), Histogram(right)) => {
            let mut value = (**left).clone();
            match op {
                Op::Add => value.add(right),
                _ => value.subtract(right),
            }
            value
        }
        (Op::Equal, Histogram(left), Histogram(right)) => return Pair::Holds(left.same(right)),
        (Op::NotEqual, Histogram(left), Histogram(right)) => {
            return Pair::Holds(!left.same(right));
        }
        _ => return Pair::None,
    };
    value.compact();
    Pair::Value(Histogram(Arc::new(value)))
}

/// The labels by which elements find each other.
fn keep(matching: &Matching) -> Keep<'_> {
    match &matching.on {
        None => Keep::Without(&[]),
        Some(MatchOn::On(keys)) => Keep::Only(keys),
        Some(MatchOn::Ignoring(keys)) => Keep::Without(keys),
    }
}

fn sets(mut left: Elements, op: Op, keep: Keep<'_>, mut right: Elements) -> Elements {
    match op {
        Op::Or => {
            retain(&mut right, keep, &left, false);
            left.extend(right);
        }
        _ => retain(&mut left, keep, &right, op == Op::And),
    }
    left
}

/// Lets those stay that have one with the same labels among others, or those that have none.
fn retain(elements: &mut Elements, keep: Keep<'_>, among: &[Element], wanted: bool) {
    let mut known = Numbered::new();
    for element in among {
        known.number(element.view(keep));
    }
    elements.retain(|element| known.find(&element.view(keep)).is_some() == wanted);
}

fn vectors(left: Elements, op: Op, matching: &Matching, right: Elements) -> Combined<Elements> {
    if left.is_empty() || right.is_empty() {
        return Ok(Elements::new());
    }
    let swapped = matches!(matching.group, Some(Group::Right(_)));
    let (mut many, one) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let keep = keep(matching);
    let mut ones = Numbered::new();
    if one.iter().any(|element| !ones.number(element.view(keep)).1) {
        return Err(ONE_SIDE);
    }
    let one_to_one = matching.group.is_none();
    let mut used: SmallVec<[bool; FEW]> = SmallVec::new();
    used.resize(if one_to_one { one.len() } else { 0 }, false);
    let mut error = None;
    many.retain_mut(|element| {
        let Some(at) = ones.find(&element.view(keep)) else {
            return false;
        };
        let sides = match swapped {
            true => (&one[at].value, &element.value),
            false => (&element.value, &one[at].value),
        };
        let value = match pair(op, sides.0, sides.1) {
            Pair::Value(value) => value,
            Pair::Holds(holds) if matching.as_bool => {
                SampleValue::Float(f64::from(u8::from(holds)))
            }
            Pair::Holds(true) => sides.0.clone(),
            Pair::Holds(false) | Pair::None => return false,
        };
        if used
            .get_mut(at)
            .is_some_and(|used| std::mem::replace(used, true))
        {
            error = Some(ONE_TO_ONE);
        }
        element.value = value;
        relabel(element, op, matching, &one[at]);
        true
    });
    match (error, &matching.group) {
        (Some(error), _) => Err(error),
        (None, Some(_)) => distinct(many).map_err(|_| GROUPED),
        (None, None) => Ok(many),
    }
}

/// Gives an element the labels of the result.
fn relabel(element: &mut Element, op: Op, matching: &Matching, other: &Element) {
    element.nameless |= !op.is_comparison();
    match (&matching.group, &matching.on) {
        (Some(Group::Left(copied) | Group::Right(copied)), _) => {
            for key in copied {
                copy(element, other, key);
            }
        }
        (None, Some(MatchOn::On(keys))) => {
            element.labels = element.view(Keep::Only(keys)).to_labels();
        }
        (None, Some(MatchOn::Ignoring(keys))) => {
            let gone = |key: &str| keys.iter().any(|known| known == key);
            element.labels = element.labels.only(|key| !gone(key));
        }
        (None, None) => {}
    }
    element.nameless |= matching.as_bool;
}

/// Copies a label from the side that has one element for many.
fn copy(element: &mut Element, other: &Element, key: &str) {
    let hidden = other.nameless && key == NAME;
    let value = if hidden { "" } else { other.labels.get(key) };
    if element.nameless && key == NAME {
        // The name that is gone must not come back, but one that is copied is shown.
        element.labels = element.labels.only(|key| key != NAME);
        element.nameless = false;
    }
    if element.labels.get(key) != value {
        element.labels = element.labels.with(key, value);
    }
}
