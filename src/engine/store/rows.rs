//! What is read of the page: where each of its values belongs.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Kept, Labels, Moment, Sampling, Store};
use crate::engine::exports::Families;
use crate::family::{Distribution, Family, Kind, Sample, Value};
use crate::naming::sample_names;

/// The samples of a page, by family, in its order.
#[derive(Debug, Default)]
pub(super) struct Rows {
    families: HashMap<String, Vec<Row>, RandomState>,
    /// The places of their series.
    places: Vec<usize>,
    /// How many pages there were.
    pages: u64,
    /// When the latest one was.
    latest_ms: Option<i64>,
}

/// A sample of the page and the series that are made of it.
#[derive(Debug)]
struct Row {
    labels: Vec<(String, String)>,
    parts: Vec<(Part, usize)>,
    page: u64,
}

/// What of a sample's value a series shows.
#[derive(Debug, Clone, Copy)]
enum Part {
    Number,
    /// The bucket with this index; the one at `+Inf` follows the last.
    Bucket(usize),
    Sum,
    Count,
}

impl Rows {
    /// Where everything belongs is to be found out again.
    pub(super) fn forget(&mut self) {
        self.families.clear();
    }

    /// The series at this place is forgotten.
    pub(super) fn leave(&mut self, place: usize) {
        self.places.retain(|at| *at != place);
    }
}

impl Store {
    /// Takes one sample of each series of the page that is read; those that are not there any more have ended.
    ///
    /// `bound` is how the page writes bounds.
    pub(in crate::engine) fn take_page(
        &mut self,
        families: &mut Families<'_>,
        now: Moment,
        bound: &dyn Fn(f64) -> String,
    ) {
        self.rows.pages += 1;
        for family in families {
            if self.reads(family) {
                self.take_family(family, now, bound);
            }
        }
        let page = self.rows.pages;
        // A family that is gone finds its series anew when it comes back: they may be forgotten by then.
        let shown = |rows: &mut Vec<Row>| rows.iter().any(|row| row.page == page);
        self.rows.families.retain(|_, rows| shown(rows));
        let places = std::mem::take(&mut self.rows.places);
        for &place in &places {
            let gone = |kept: &Kept| kept.page != page && kept.ended_ms.is_none();
            if self.places[place].as_ref().is_some_and(gone) {
                self.end(place, now.at_ms);
            }
        }
        self.rows.places = places;
        self.rows.latest_ms = Some(now.at_ms);
        for name in self.wanted.names() {
            let readers = self
                .families
                .get(name)
                .map_or(&[][..], |family| &family.open);
            readers
                .iter()
                .for_each(|&at| self.selections[at].looked = true);
        }
    }

    fn reads(&self, family: &Family) -> bool {
        let names = || sample_names(&family.name, family.kind == Kind::Histogram);
        self.rows.families.contains_key(&family.name) || self.wanted.any(names())
    }

    fn take_family(&mut self, family: &Family, now: Moment, bound: &dyn Fn(f64) -> String) {
        let page = self.rows.pages;
        let known = self.rows.families.get_mut(&family.name);
        let mut rows = known.map_or_else(Vec::new, std::mem::take);
        for (at, sample) in family.samples.iter().enumerate() {
            let at = match rows.get(at) {
                Some(row) if row.labels == sample.labels => at,
                _ => match rows.binary_search_by(|row| row.labels.cmp(&sample.labels)) {
                    Ok(at) => at,
                    Err(at) => {
                        rows.insert(at, self.row(family, sample, now, bound));
                        at
                    }
                },
            };
            rows[at].page = page;
            for &(part, place) in &rows[at].parts {
                if let Some(value) = part.of(&sample.value) {
                    self.push(place, now.at_ms, value);
                    if let Some(kept) = &mut self.places[place] {
                        kept.page = page;
                    }
                }
            }
        }
        rows.retain(|row| row.page == page);
        match self.rows.families.get_mut(&family.name) {
            Some(place) => *place = rows,
            None => drop(self.rows.families.insert(family.name.clone(), rows)),
        }
    }

    /// The series that a sample makes, as far as somebody reads them.
    fn row(
        &mut self,
        family: &Family,
        sample: &Sample,
        now: Moment,
        bound: &dyn Fn(f64) -> String,
    ) -> Row {
        let mut parts = Vec::new();
        let mut part = |store: &mut Self, suffix: &str, le: Option<String>, part| {
            let name = format!("{}{suffix}", family.name);
            let own = sample.labels.iter().map(|(key, value)| (&**key, &**value));
            let labels = store.labels(&name, own.chain(le.as_deref().map(|le| ("le", le))));
            let place = store.of_page(&labels, family.kind != Kind::Gauge, now);
            parts.extend(place.map(|place| (part, place)));
        };
        let Value::Histogram(values) = &sample.value else {
            part(self, "", None, Part::Number);
            return Row::new(sample, parts);
        };
        if self.wanted.has(&format!("{}_bucket", family.name)) {
            for (at, (upper, _)) in values.buckets.iter().enumerate() {
                part(self, "_bucket", Some(bound(*upper)), Part::Bucket(at));
            }
            let last = Part::Bucket(values.buckets.len());
            part(self, "_bucket", Some(bound(f64::INFINITY)), last);
        }
        part(self, "_sum", None, Part::Sum);
        part(self, "_count", None, Part::Count);
        Row::new(sample, parts)
    }

    /// The place of a series of the page; a counter that nobody has seen yet begins where there was none.
    fn of_page(&mut self, labels: &Labels, counter: bool, now: Moment) -> Option<usize> {
        let found = self.find(labels, counter)?;
        if found.empty {
            self.rows.places.push(found.place);
        }
        let born = counter && found.new && self.sampling == Sampling::Tick;
        let before = self.rows.latest_ms.filter(|_| born);
        if let Some(before_ms) = before {
            self.push(found.place, before_ms.min(now.at_ms - 1), 0.0);
        }
        Some(found.place)
    }
}

impl Row {
    fn new(sample: &Sample, parts: Vec<(Part, usize)>) -> Self {
        Self {
            labels: sample.labels.clone(),
            parts,
            page: 0,
        }
    }
}

impl Part {
    fn of(self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Self::Number, Value::Integer(value)) => Some(*value as f64),
            (Self::Number, Value::Float(value)) => Some(*value),
            (part, Value::Histogram(values)) => part.of_distribution(values),
            _ => None,
        }
    }

    fn of_distribution(self, values: &Distribution) -> Option<f64> {
        match self {
            Self::Number => None,
            Self::Bucket(at) => {
                let count = values
                    .buckets
                    .get(at)
                    .map_or(values.count, |bucket| bucket.1);
                Some(count as f64)
            }
            Self::Sum => Some(values.sum),
            Self::Count => Some(values.count as f64),
        }
    }
}
