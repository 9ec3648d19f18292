//! The values that a label has had: few, short, and where they are for good, so that whoever looks them up again
//! compares and copies nothing.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::OTHER;
use super::label::{Allowed, Label, MAX_LABELS, Side};
use crate::histogram::{Cells, Memory};

/// Bytes of a value; a longer one counts as one too many, and is neither kept nor compared.
pub(super) const MAX_BYTES: usize = 128;

/// Values of a label: their places fit into a byte, beside these two.
pub(super) const MAX_VALUES: usize = 250;
const EMPTY: u8 = 0;
const BEYOND: u8 = 1;
const FIRST: u8 = 2;

/// The value of whatever is not in a declared set: OpenTelemetry's word.
const UNDECLARED: &str = "_OTHER";

/// Counters in the head.
const OVERFLOW: usize = 0;
const PANICS: usize = 1;

/// Where the values of an end's labels stand in their labels; a label that the end does not have is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Places([u8; MAX_LABELS]);

/// The labels that a set has beyond those of its domain.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// Known when an operation begins, and part of its label values.
    pub(crate) request: Box<[LabelValues]>,
    /// Known when a response begins, and part of its end.
    pub(crate) response: Box<[LabelValues]>,
}

/// A label and the values that it has had, in an append-only list that is read without a lock.
pub(crate) struct LabelValues {
    pub(crate) name: &'static str,
    reader: Box<dyn Any + Send + Sync>,
    /// Whether the values were declared, so that no client decides which they are.
    declared: bool,
    /// How long the list may get.
    cap: usize,
    first: OnceBox<Link>,
    counts: Cells,
}

#[derive(Debug)]
struct Link {
    value: Box<str>,
    next: OnceBox<Link>,
}

impl Places {
    /// What is told apart no longer: every label that it has is [`OTHER`].
    pub(super) fn coarse(self) -> Self {
        Self(self.0.map(|place| place.min(BEYOND)))
    }

    #[cfg(feature = "http")]
    pub(crate) fn set(&mut self, label: usize, place: u8) {
        self.0[label] = place;
    }

    /// The value's place in the label with this index.
    pub(crate) fn get(self, label: usize) -> u8 {
        self.0[label]
    }
}

impl Labels {
    pub(crate) fn new(declared: Vec<Label>, memory: &Arc<Memory>) -> Self {
        let (request, response): (Vec<_>, Vec<_>) = declared
            .into_iter()
            .partition(|label| label.side == Side::Request);
        let kept = |labels: Vec<Label>| {
            let labels = labels.into_iter();
            labels
                .map(|label| LabelValues::new(label, memory))
                .collect()
        };
        Self {
            request: kept(request),
            response: kept(response),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &LabelValues> {
        self.request.iter().chain(&self.response)
    }
}

impl LabelValues {
    fn new(label: Label, memory: &Arc<Memory>) -> Self {
        let (declared, cap) = match label.allowed {
            Allowed::These(mut values) => {
                let mut seen = HashSet::new();
                values.retain(|value| seen.insert(value.clone()));
                let count = values.len();
                (Some(values), count)
            }
            Allowed::AtMost(count) => (None, count),
        };
        let made = Self {
            name: label.name,
            reader: label.reader,
            declared: declared.is_some(),
            cap,
            first: OnceBox::new(),
            counts: Cells::new(0, memory.clone()),
        };
        for value in declared.iter().flatten() {
            made.place(Some(value));
        }
        made
    }

    /// The reader, if it is of this type.
    #[cfg(feature = "http")]
    pub(crate) fn reader<R: Any>(&self) -> Option<&R> {
        self.reader.downcast_ref()
    }

    /// The place and the text of a value, which is kept if there is room for it; `None` is the empty one. Once it is
    /// kept this allocates nothing.
    pub(crate) fn place(&self, value: Option<&str>) -> (u8, &str) {
        let value = value.unwrap_or_default();
        if value.is_empty() {
            return (EMPTY, "");
        }
        if value.len() > MAX_BYTES {
            return self.overflow();
        }
        let mut cell = &self.first;
        for place in (FIRST..).take(self.cap) {
            // Whoever loses the race to append finds the winner's value and looks at that one.
            let link = cell.get_or_init(|| Link::new(value));
            if *link.value == *value {
                return (place, &link.value);
            }
            cell = &link.next;
        }
        self.overflow()
    }

    /// The value of an operation for which there was none to read, because the user's code panicked.
    #[cfg(feature = "http")]
    #[cold]
    pub(crate) fn panicked(&self) -> (u8, &str) {
        self.counts.add(PANICS, 1);
        (BEYOND, self.beyond())
    }

    #[cold]
    fn overflow(&self) -> (u8, &str) {
        self.counts.add(OVERFLOW, 1);
        (BEYOND, self.beyond())
    }

    /// What stands for all values that are not told apart.
    fn beyond(&self) -> &'static str {
        if self.declared { UNDECLARED } else { OTHER }
    }

    /// The text of the value at a place.
    pub(crate) fn text(&self, place: u8) -> &str {
        match place {
            EMPTY => "",
            BEYOND => self.beyond(),
            place => {
                let mut links = std::iter::successors(self.first.get(), |link| link.next.get());
                let link = links.nth(usize::from(place - FIRST));
                link.map_or("", |link| &link.value)
            }
        }
    }

    /// `value`, where a client cannot choose it among many; else what stands for all.
    pub(super) fn bounded<'a>(&self, value: &'a str) -> &'a str {
        if self.declared || value.is_empty() {
            value
        } else {
            self.beyond()
        }
    }

    /// Values that were not told apart.
    pub(crate) fn overflows(&self) -> u64 {
        self.counts.total(&self.counts.reading(), OVERFLOW)
    }

    /// How often the user's code panicked.
    pub(crate) fn panics(&self) -> u64 {
        self.counts.total(&self.counts.reading(), PANICS)
    }
}

impl Link {
    fn new(value: &str) -> Box<Self> {
        Box::new(Self {
            value: value.into(),
            next: OnceBox::new(),
        })
    }
}

impl fmt::Debug for LabelValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LabelValues")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
