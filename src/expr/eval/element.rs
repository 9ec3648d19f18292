//! Elements of a vector while it is evaluated, and which of them belong together.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use foldhash::fast::RandomState;

use crate::expr::labels::{Labels, NAME};
use crate::expr::{Point, SampleValue, Value};

/// Up to here a look at each is cheaper than a table.
const FEW: usize = 8;

pub(super) const COLLISION: &str = "has several elements with the same labels once their names are gone: select one family, or aggregate";

/// The value of a part of an expression.
#[derive(Debug)]
pub(super) enum Evaluated {
    Scalar(f64),
    Vector(Vec<Element>),
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
    views: Vec<View<'a>>,
    table: HashMap<View<'a>, usize, RandomState>,
}

impl<'a> Numbered<'a> {
    pub(super) fn new() -> Self {
        Self {
            views: Vec::new(),
            table: HashMap::default(),
        }
    }

    pub(super) fn find(&self, view: &View<'_>) -> Option<usize> {
        if self.views.len() <= FEW {
            return self.views.iter().position(|known| known == view);
        }
        self.table.get(view).copied()
    }

    /// Its number, and whether it is new.
    pub(super) fn number(&mut self, view: View<'a>) -> (usize, bool) {
        if let Some(at) = self.find(&view) {
            return (at, false);
        }
        let new = self.views.len();
        self.views.push(view);
        match new {
            ..FEW => {}
            FEW => self.table.extend(self.views.iter().copied().zip(0..)),
            _ => drop(self.table.insert(view, new)),
        }
        (new, true)
    }

    pub(super) fn views(&self) -> &[View<'a>] {
        &self.views
    }
}

/// The elements, if no two of them have the same labels.
pub(super) fn distinct(elements: Vec<Element>) -> Result<Vec<Element>, &'static str> {
    let mut seen = Numbered::new();
    let mut views = elements.iter().map(|element| element.view(ALL));
    match elements.len() > 1 && views.any(|view| !seen.number(view).1) {
        true => Err(COLLISION),
        false => Ok(elements),
    }
}

/// Takes the names away.
pub(super) fn unnamed(mut elements: Vec<Element>) -> Result<Vec<Element>, &'static str> {
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
