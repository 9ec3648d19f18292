//! What the engine itself finds out at every tick, for rules to read.

use super::{Labels, Sampling, Store};

/// The labels of such a series, once somebody reads it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Traced(Option<Labels>);

impl Store {
    /// Takes a sample of a gauge of this name and these labels, which has ended while it has no value. With
    /// [`Sampling::Scrape`] it is sampled with the page.
    pub(in crate::engine) fn trace<'a>(
        &mut self,
        traced: &mut Traced,
        (name, own): (&'a str, impl Iterator<Item = (&'a str, &'a str)>),
        value: Option<f64>,
    ) {
        if self.sampling == Sampling::Scrape || !self.families.contains_key(name) {
            return;
        }
        let labels = match &traced.0 {
            Some(labels) => labels,
            None => traced.0.insert(self.labels(name, own)),
        };
        match value {
            Some(value) => {
                if let Some(found) = self.find(labels, false) {
                    self.push(found.place, self.now_ms, value);
                }
            }
            None => {
                let known = self.families.get(name);
                if let Some(place) = known.and_then(|family| family.known.get(labels).copied()) {
                    self.end(place, self.now_ms);
                }
            }
        }
    }
}
