//! A family as text formats need it: with what all of its pages have in common printed once.

use super::write::{escape, float, push};
use crate::family::{Family, Sample, Value};

/// A family whose labels and bounds are printed already.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) family: Family,
    /// Of one sample after the other, as they stand between the braces.
    labels: Pieces,
    /// Those of a histogram, which all of its samples share.
    bounds: Pieces,
    /// What OpenMetrics makes of its names.
    pub(super) standing: Standing,
}

/// What becomes of a family whose names others need as well.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) enum Standing {
    /// Nobody else needs them.
    #[default]
    Itself,
    /// A counter that cannot be called so.
    Unknown,
    /// Left out.
    Refused,
}

/// Pieces of text, one behind the other.
#[derive(Debug, Default)]
struct Pieces {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Shown {
    pub(super) fn new(family: Family) -> Self {
        let (mut labels, mut bounds) = (Pieces::default(), Pieces::default());
        for sample in &family.samples {
            labels.add(|out| escape_labels(out, sample));
        }
        if let Some(Value::Histogram(first)) = family.samples.first().map(|sample| &sample.value) {
            for (bound, _) in &first.buckets {
                bounds.add(|out| float(out, *bound));
            }
        }
        Self {
            family,
            labels,
            bounds,
            standing: Standing::default(),
        }
    }

    /// Puts other samples in the place of these; the name is the same.
    pub(super) fn replace(&mut self, family: Family) {
        let standing = self.standing;
        *self = Self::new(family);
        self.standing = standing;
    }

    /// The labels of sample `at`, as they stand between the braces.
    pub(super) fn labels(&self, at: usize) -> &[u8] {
        self.labels.piece(at)
    }

    /// The bounds of a histogram, ascending, without `+Inf`.
    pub(super) fn bounds(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.bounds.ends.len()).map(|at| self.bounds.piece(at))
    }
}

impl Pieces {
    fn add(&mut self, print: impl FnOnce(&mut Vec<u8>)) {
        print(&mut self.text);
        self.ends.push(self.text.len());
    }

    fn piece(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[at]]
    }
}

fn escape_labels(out: &mut Vec<u8>, sample: &Sample) {
    for (at, (key, value)) in sample.labels.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        push(out, &[comma, key, "=\""]);
        escape(out, value, true);
        out.push(b'"');
    }
}
