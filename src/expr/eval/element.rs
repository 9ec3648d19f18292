//! Elements of a vector while it is evaluated, and which of them belong together.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;
use smallvec::SmallVec;

use crate::expr::labels::{Labels, NAME};
use crate::expr::{Point, SampleValue, Value};

/// Up to here a look at each is cheaper than a table.
pub(super) const FEW: usize = 8;

/// The elements of a vector: conditions mostly have one, which needs no allocation.
pub(super) type Elements = SmallVec<[Element; 1]>;

pub(super) const COLLISION: &str = "has several elements with the same labels once their names are gone: select one family, or aggregate";

/// The value of a part of an expression.
#[derive(Debug)]
pub(super) enum Evaluated {
    Scalar(f64),
    Vector(Elements),
}

/// One element; its name is only marked as gone, so that its labels need not be copied.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) labels: Labels,
    pub(super) nameless: bool,
    pub(super) value: SampleValue,
}

impl Evaluated {
    pub(super) fn into_value(self) -> Value {
        let point = |element: Element| Point {
            labels: element.view(ALL).to_labels(),
            value: element.value,
        };
        match self {
            Self::Scalar(value) => Value::Scalar(value),
            Self::Vector(elements) => Value::Vector(elements.into_iter().map(point).collect()),
        }
    }

    /// How many elements there are; a number is one.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Scalar(_) => 1,
            Self::Vector(elements) => elements.len(),
        }
    }

    /// The number that a scalar is, or the only element of a vector.
    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Vector(elements) => match &elements[..] {
                [only] => only.value.as_float(),
                _ => None,
            },
        }
    }
}

impl Element {
    pub(super) fn unlabelled(value: f64) -> Self {
        Self {
            labels: Labels::default(),
            nameless: true,
            value: SampleValue::Float(value),
        }
    }

    pub(super) fn view<'a>(&'a self, keep: Keep<'a>) -> View<'a> {
        View {
            labels: &self.labels,
            nameless: self.nameless,
            keep,
        }
    }
}

/// Which labels tell elements apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep<'a> {
    /// Only these.
    Only(&'a [String]),
    /// All but these and the family's name.
    Without(&'a [String]),
    /// All but this one.
    But(&'a str),
}

/// All labels.
pub(super) const ALL: Keep<'static> = Keep::But("");

/// Some of an element's labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    labels: &'a Labels,
    nameless: bool,
    keep: Keep<'a>,
}

impl<'a> View<'a> {
    fn shows(&self, key: &str) -> bool {
        let named = |keys: &[String]| keys.iter().any(|known| known == key);
        let kept = match self.keep {
            Keep::Only(keys) => named(keys),
            Keep::Without(keys) => key != NAME && !named(keys),
            Keep::But(other) => key != other,
        };
        kept && !(self.nameless && key == NAME)
    }

    fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.labels.iter().filter(|label| self.shows(label.0))
    }

    pub(super) fn to_labels(self) -> Labels {
        self.labels.only(|key| self.shows(key))
    }
}

impl PartialEq for View<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for View<'_> {}

impl Hash for View<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|label| label.hash(state));
    }
}

/// Label sets, each with the number under which it was first seen.
pub(super) struct Numbered<'a> {
    views: SmallVec<[View<'a>; FEW]>,
    /// Of more than a few.
    table: Option<HashMap<View<'a>, usize, RandomState>>,
}

impl<'a> Numbered<'a> {
    pub(super) fn new() -> Self {
        Self {
            views: SmallVec::new(),
            table: None,
        }
    }

    pub(super) fn find(&self, view: &View<'_>) -> Option<usize> {
        match &self.table {
            None => self.views.iter().position(|known| known == view),
            Some(table) => table.get(view).copied(),
        }
    }

    /// Its number, and whether it is new.
    pub(super) fn number(&mut self, view: View<'a>) -> (usize, bool) {
        if let Some(at) = self.find(&view) {
            return (at, false);
        }
        let new = self.views.len();
        self.views.push(view);
        match &mut self.table {
            Some(table) => drop(table.insert(view, new)),
            None if new < FEW => {}
            none => *none = Some(self.views.iter().copied().zip(0..).collect()),
        }
        (new, true)
    }

    pub(super) fn views(&self) -> &[View<'a>] {
        &self.views
    }
}

/// The elements, if no two of them have the same labels.
pub(super) fn distinct(elements: Elements) -> Result<Elements, &'static str> {
    if elements.len() <= 1 {
        return Ok(elements);
    }
    match are_distinct(&elements, ALL) {
        true => Ok(elements),
        false => Err(COLLISION),
    }
}

/// Whether no two elements have the same values of these labels.
fn are_distinct(elements: &[Element], keep: Keep<'_>) -> bool {
    let mut seen = Numbered::new();
    let mut views = elements.iter().map(|element| element.view(keep));
    views.all(|view| seen.number(view).1)
}

/// Takes the names away.
pub(super) fn unnamed(mut elements: Elements) -> Result<Elements, &'static str> {
    let mut changed = false;
    for element in &mut elements {
        changed |= !element.nameless;
        element.nameless = true;
    }
    if changed {
        distinct(elements)
    } else {
        Ok(elements)
    }
}
