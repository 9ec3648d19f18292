//! How a source shows its samples: one walk over them makes the families of a page, and the next one renews their values.

use std::cmp::Ordering;
use std::time::SystemTime;

use super::series::Values;
use super::shown::Shown;
use crate::family::{Distribution, Family, Kind, Sample, Value};
use crate::histogram::Buckets;

/// Where the samples go.
pub(super) trait Sheet {
    /// The samples that follow are of this family.
    fn family(&mut self, name: &str, help: &str, kind: Kind);

    /// One more sample.
    fn sample<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        number: Number<'_>,
    );

    /// The next sample of a family whose samples always come in the order of their labels, none left out; and when it
    /// came into being.
    fn next_sample<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        created: SystemTime,
        number: Number<'_>,
    );
}

/// A value that is not kept.
#[derive(Clone, Copy)]
pub(super) enum Number<'a> {
    Integer(u64),
    Float(f64),
    Histogram(Distributed<'a>),
}

/// The values of a histogram and the unit that they are shown in.
#[derive(Clone, Copy)]
pub(super) struct Distributed<'a> {
    pub(super) buckets: &'a Buckets,
    pub(super) values: &'a Values,
    /// Raw steps in one exported unit.
    pub(super) scale: f64,
}

impl Number<'_> {
    pub(super) fn to_value(self) -> Value {
        match self {
            Self::Integer(value) => Value::Integer(value),
            Self::Float(value) => Value::Float(value),
            Self::Histogram(distributed) => Value::Histogram(distributed.to_distribution()),
        }
    }

    /// Makes `value` this number; allocates nothing if it is of the same kind.
    pub(super) fn renew(self, value: &mut Value) {
        match (self, &mut *value) {
            (Self::Histogram(distributed), Value::Histogram(kept)) => distributed.renew(kept),
            (number, _) => *value = number.to_value(),
        }
    }
}

impl Distributed<'_> {
    fn to_distribution(self) -> Distribution {
        // From whole steps, so that 0.005 s is 5 ms and not the next number.
        let bounds = self.buckets.closing_cells().iter();
        let bounds = bounds.map(|&cell| self.buckets.cell_range(cell).1 as f64 / self.scale);
        let mut distribution = Distribution {
            buckets: bounds.map(|bound| (bound, 0)).collect(),
            sum: 0.0,
            count: 0,
            exemplars: Vec::new(),
            native: None,
        };
        self.renew(&mut distribution);
        distribution
    }

    fn renew(self, kept: &mut Distribution) {
        let folded = &self.values.folded;
        let pairs = kept.buckets.iter_mut().zip(&folded.at_or_below);
        pairs.for_each(|(kept, count)| kept.1 = *count);
        kept.sum = folded.sum as f64 / self.scale;
        kept.count = folded.count;
        kept.exemplars.clear();
        let exemplars = self.values.exemplars.iter();
        kept.exemplars
            .extend(exemplars.map(|(_, exemplar)| exemplar.exported(self.scale)));
        // The schema is one of the base unit: in milliseconds its bounds are others, and nothing would be exact.
        let exact = self.scale == self.buckets.layout().unit().scale();
        kept.native = self.values.native.as_ref().filter(|_| exact).cloned();
    }
}

/// Makes families.
#[derive(Default)]
pub(super) struct Fresh(pub(super) Vec<Family>);

impl Sheet for Fresh {
    fn family(&mut self, name: &str, help: &str, kind: Kind) {
        self.0.push(Family::new(name, help, kind));
    }

    fn sample<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        number: Number<'_>,
    ) {
        self.add(labels, None, number);
    }

    fn next_sample<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        created: SystemTime,
        number: Number<'_>,
    ) {
        self.add(labels, Some(created), number);
    }
}

impl Fresh {
    fn add<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)>,
        created: Option<SystemTime>,
        number: Number<'_>,
    ) {
        let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let (labels, value) = (labels.collect(), number.to_value());
        if let Some(family) = self.0.last_mut() {
            family.samples.push(Sample {
                labels,
                value,
                created,
            });
        }
    }
}

/// Renews the values of families that were made before.
pub(super) struct Renewal<'a> {
    families: &'a mut [Shown],
    /// Where the family at hand stands, which has samples.
    at: Option<usize>,
    /// Which of its samples comes next, if they come in their order.
    next: usize,
    /// How many of its samples have come.
    seen: usize,
    /// Whether a family or a sample is another one than it was.
    changed: bool,
}

impl<'a> Renewal<'a> {
    /// `families` are ordered by name, their samples by labels.
    pub(super) fn new(families: &'a mut [Shown]) -> Self {
        Self {
            families,
            at: None,
            next: 0,
            seen: 0,
            changed: false,
        }
    }

    /// Whether all samples were there, and no others.
    pub(super) fn finish(mut self) -> bool {
        self.leave();
        !self.changed
    }

    fn leave(&mut self) {
        self.changed |= self.seen != self.samples().len();
    }

    /// Those of the family at hand.
    fn samples(&self) -> &[Sample] {
        self.at.map_or(&[], |at| &self.families[at].family.samples)
    }

    fn renew(&mut self, sample: usize, number: Number<'_>) {
        if let Some(at) = self.at {
            number.renew(&mut self.families[at].family.samples[sample].value);
        }
        (self.next, self.seen) = (sample + 1, self.seen + 1);
    }
}

impl Sheet for Renewal<'_> {
    fn family(&mut self, name: &str, _: &str, _: Kind) {
        self.leave();
        let named = |shown: &Shown| shown.family.name.as_str().cmp(name);
        self.at = self.families.binary_search_by(named).ok();
        (self.next, self.seen) = (0, 0);
    }

    fn sample<'a>(
        &mut self,
        labels: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        number: Number<'_>,
    ) {
        let samples = self.samples();
        let of = |sample: &Sample| compare(sample, labels.clone());
        let guessed = samples.get(self.next);
        let found = if guessed.is_some_and(|sample| of(sample).is_eq()) {
            Ok(self.next)
        } else {
            samples.binary_search_by(of)
        };
        match found {
            Ok(at) => self.renew(at, number),
            Err(_) => self.changed = true,
        }
    }

    fn next_sample<'a>(
        &mut self,
        _: impl Iterator<Item = (&'a str, &'a str)>,
        _: SystemTime,
        number: Number<'_>,
    ) {
        if self.next < self.samples().len() {
            self.renew(self.next, number);
        } else {
            self.changed = true;
        }
    }
}

fn compare<'a>(sample: &Sample, labels: impl Iterator<Item = (&'a str, &'a str)>) -> Ordering {
    let mut kept = sample.labels.iter();
    for (key, value) in labels {
        let Some(known) = kept.next() else {
            return Ordering::Less;
        };
        let order = (known.0.as_str(), known.1.as_str()).cmp(&(key, value));
        if order.is_ne() {
            return order;
        }
    }
    if kept.next().is_some() {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}
