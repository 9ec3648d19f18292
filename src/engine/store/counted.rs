//! What is read of the engine itself, at every tick: the SLI counters and the uptime.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::{
    ALERTS, ALERTS_FOR_STATE, Labels, Moment, NAME, Sampling, Selector, Slis, Store, Wanted,
};
use crate::budget::{BAND, OBSERVED, SLI_BAD, SLI_LAST_GOOD, SLI_VALID, UPTIME};
use crate::expr::{Compare, Matcher};

/// Labels by which the counters of one level are told apart.
const SPLITTING: [&str; 2] = ["edge", "schedule"];

/// Which of them are read.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// How many of the SLI counters are known.
    known: usize,
    /// (counter, place)
    valid: Vec<(usize, usize)>,
    bad: Vec<(usize, usize)>,
    last_good: Vec<(usize, usize)>,
    uptime: Option<usize>,
    /// Budgets with several counters for a level: only an empty value of the label that tells them apart names the plain one.
    split: HashSet<Arc<str>>,
}

/// Places of counters, by all of their labels in order: a rule names its own, and need not look through all the others.
type New<'a> = HashMap<Vec<(&'a str, &'a str)>, usize>;

impl Store {
    /// Finds the series of selections that are new; those that were added before learn of the counters that are.
    pub(super) fn learn(&mut self, selections: &[usize], slis: &Slis, born: Moment) {
        let first = std::mem::replace(&mut self.counted.known, slis.counts().len());
        let counters = new(slis, first);
        self.counted.split(slis, first);
        for name in [SLI_VALID, SLI_BAD, SLI_LAST_GOOD] {
            let reads = self.families.get(name);
            let reads = reads.is_some_and(|family| !family.open.is_empty());
            if reads && self.sampling == Sampling::Tick {
                let new = first..slis.counts().len();
                new.for_each(|counter| self.count(name, counter, slis, born));
            }
        }
        let mut of_page = BTreeSet::new();
        for &at in selections {
            let selector = &self.selections[at].selector;
            let name = selector.name().to_owned();
            match (&*name, self.sampling) {
                (SLI_VALID | SLI_BAD | SLI_LAST_GOOD, Sampling::Tick) => {
                    match self.counted.named(selector, &counters) {
                        Some(counter) => self.count_for(at, &name, counter, slis, born),
                        None => {
                            self.open(at);
                            let all = 0..slis.counts().len();
                            all.for_each(|counter| self.count(&name, counter, slis, born));
                        }
                    }
                }
                (UPTIME, Sampling::Tick) => {
                    self.open(at);
                    let labels = self.labels(UPTIME, [].into_iter());
                    if let Some(found) = self.find(&labels, false) {
                        self.counted.uptime = Some(found.place);
                        self.push(found.place, born.at_ms, born.uptime);
                    }
                }
                (ALERTS, _) | (BAND | OBSERVED, Sampling::Tick) => self.open(at),
                (ALERTS_FOR_STATE, _) => {}
                // No instrument has a colon in its name: it is recorded by rules.
                (name, _) if name.contains(':') => {}
                _ => {
                    self.open(at);
                    of_page.insert(name);
                }
            }
        }
        self.want(of_page);
    }

    fn want(&mut self, names: BTreeSet<String>) {
        if !names.is_empty() {
            let names = names.iter().map(String::as_str);
            self.wanted = Arc::new(Wanted::of(self.wanted.names().chain(names)));
            self.rows.forget();
        }
    }

    /// Reads a counter for all who may read further ones.
    fn count(&mut self, name: &str, counter: usize, slis: &Slis, born: Moment) {
        let count = slis.count(counter);
        if name == SLI_LAST_GOOD && count.good_at.is_none() {
            return;
        }
        let labels = self.labels(name, count.labels());
        let found = self
            .find(&labels, name != SLI_LAST_GOOD)
            .filter(|found| found.empty);
        if let Some(found) = found {
            self.begin(name, counter, found.place, slis, born);
        }
    }

    /// Reads a counter that a selection names in full.
    fn count_for(
        &mut self,
        selection: usize,
        name: &str,
        counter: usize,
        slis: &Slis,
        born: Moment,
    ) {
        let labels = self.labels(name, slis.count(counter).labels());
        let known = self.families.get(name);
        let known = known.and_then(|family| family.known.get(&labels).copied());
        let place = known.unwrap_or_else(|| self.make(labels, name != SLI_LAST_GOOD));
        self.give(selection, place);
        if known.is_none() || self.returns(place) {
            self.begin(name, counter, place, slis, born);
        }
    }

    fn begin(&mut self, name: &str, counter: usize, place: usize, slis: &Slis, born: Moment) {
        let count = slis.count(counter);
        let (all, value) = match name {
            SLI_VALID => (&mut self.counted.valid, count.valid as f64),
            SLI_BAD => (&mut self.counted.bad, count.bad as f64),
            _ => (
                &mut self.counted.last_good,
                count.good_at.unwrap_or(f64::NAN),
            ),
        };
        all.push((counter, place));
        self.push(place, born.at_ms, value);
    }

    /// Takes one sample of each.
    pub(in crate::engine) fn take_counts(&mut self, slis: &Slis, now: Moment) {
        let counted = std::mem::take(&mut self.counted);
        for &(counter, place) in &counted.valid {
            self.push(place, now.at_ms, slis.count(counter).valid as f64);
        }
        for &(counter, place) in &counted.bad {
            self.push(place, now.at_ms, slis.count(counter).bad as f64);
        }
        for &(counter, place) in &counted.last_good {
            if let Some(good_at) = slis.count(counter).good_at {
                self.push(place, now.at_ms, good_at);
            }
        }
        if let Some(place) = counted.uptime {
            self.push(place, now.at_ms, now.uptime);
        }
        self.counted = counted;
    }

    /// All labels of a series that is scraped: what the page calls `job` or `instance` stands back for the target's.
    pub(super) fn labels<'a>(
        &self,
        name: &'a str,
        own: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Labels {
        let Some([job, instance]) = &self.target else {
            return Labels::new(own.chain([(NAME, name)]));
        };
        let own = own.map(|(key, value)| match key {
            "job" => ("exported_job", value),
            "instance" => ("exported_instance", value),
            _ => (key, value),
        });
        let added = [(NAME, name), ("job", job), ("instance", instance)];
        Labels::new(own.chain(added))
    }
}

/// The counters from the place `first` on.
fn new(slis: &Slis, first: usize) -> New<'_> {
    let counts = slis.counts().enumerate().skip(first);
    let places = counts.map(|(at, count)| {
        let mut labels: Vec<_> = count.labels().collect();
        labels.sort_unstable();
        (labels, at)
    });
    places.collect()
}

impl Counted {
    /// Learns which budgets have several counters for a level.
    fn split(&mut self, slis: &Slis, first: usize) {
        for count in slis.counts().skip(first) {
            if count.labels().any(|(key, _)| SPLITTING.contains(&key)) {
                self.split.insert(count.budget.clone());
            }
        }
    }

    /// The counter whose labels a selector gives in full, if it is one of these.
    fn named(&self, selector: &Selector, counters: &New<'_>) -> Option<usize> {
        let matchers = selector.matchers();
        let is_equal = |matcher: &Matcher| matcher.compare() == Compare::Equal;
        if !matchers.iter().all(is_equal) {
            return None;
        }
        let labels = matchers
            .iter()
            .map(|matcher| (matcher.label(), matcher.value()));
        let (none, mut given): (Vec<_>, Vec<_>) = labels.partition(|label| label.1.is_empty());
        given.sort_unstable();
        let counter = *counters.get(&given)?;
        let of_budget = given.iter().find(|label| label.0 == "budget");
        let is_split = of_budget.is_some_and(|label| self.split.contains(label.1));
        (!is_split || !none.is_empty()).then_some(counter)
    }
}
