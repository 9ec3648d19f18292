//! The windows of everything that a rule reads, and what expressions are evaluated over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::sli::Slis;
use super::source::{OwnHistograms, Source};
use crate::expr::{BucketCounts, Expr, Reading, Samples, Selector};
use crate::registry::Instruments;
use crate::window::CounterWindow;

/// Samples of the latest ticks, as far back as some rule looks.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    now_ns: u64,
    /// How many of the SLI counters the sources know.
    counters: usize,
    numbers: BTreeMap<Selector, Number>,
    histograms: Vec<OwnHistograms>,
}

#[derive(Debug)]
struct Number {
    source: Source,
    /// Whether it may be the sum of further counters.
    open: bool,
    window: CounterWindow,
}

/// Places of counters, by all of their labels: a rule names its own, and need not look through all the others.
type Counters<'a> = HashMap<Vec<(&'a str, &'a str)>, usize>;

/// The moment of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) at_ns: u64,
    /// In seconds.
    pub(super) uptime: f64,
}

impl Sampled {
    /// Samples what these expressions read, from `born` on, and lets all that were added before know the counters that
    /// are new.
    pub(super) fn add<'a>(
        &mut self,
        exprs: impl Iterator<Item = &'a Expr>,
        slis: &Slis,
        born: Moment,
        instruments: &Instruments,
    ) {
        let mut ranges: BTreeMap<Selector, Duration> = BTreeMap::new();
        let mut see = |selector: &Selector, reading: Reading| match reading {
            Reading::Latest => drop(ranges.entry(selector.clone()).or_default()),
            Reading::Increase(range) => {
                let longest = ranges.entry(selector.clone()).or_default();
                *longest = range.max(*longest);
            }
            Reading::Buckets(range) => {
                self.keep_histogram_window(selector, range, born, instruments);
            }
        };
        exprs.for_each(|expr| expr.visit(&mut see));
        let open = self.numbers.iter_mut().filter(|number| number.1.open);
        open.for_each(|(selector, number)| number.source.learn(selector, slis, self.counters));
        let new = slis.counts().enumerate().skip(self.counters);
        let new = new.map(|(at, count)| (count.labels().collect(), at));
        let new: Counters<'_> = new.collect();
        self.counters = slis.counts().len();
        for (selector, range) in ranges {
            let known = self.numbers.entry(selector);
            known
                .and_modify(|known| known.window.keep(range))
                .or_insert_with_key(|selector| {
                    let mut number = Number::new(selector, range, slis, &new);
                    number.take(selector, slis, born, instruments);
                    number
                });
        }
    }

    fn keep_histogram_window(
        &mut self,
        selector: &Selector,
        range: Duration,
        born: Moment,
        instruments: &Instruments,
    ) {
        let known = self.histograms.iter_mut();
        match known.into_iter().find(|known| known.selector() == selector) {
            Some(known) => known.keep_window(range),
            None => {
                let mut new = OwnHistograms::new(selector);
                // What they hold already was recorded before anybody asked.
                new.tick(born.at_ns, instruments);
                new.keep_window(range);
                self.histograms.push(new);
            }
        }
    }

    /// Takes one sample of everything.
    pub(super) fn take(&mut self, slis: &Slis, now: Moment, instruments: &Instruments) {
        self.now_ns = now.at_ns;
        for (selector, number) in &mut self.numbers {
            number.take(selector, slis, now, instruments);
        }
        let histograms = self.histograms.iter_mut();
        histograms.for_each(|histograms| histograms.tick(now.at_ns, instruments));
    }
}

impl Number {
    fn new(selector: &Selector, range: Duration, slis: &Slis, new: &Counters<'_>) -> Self {
        let named = new.get(&selector.labels().collect::<Vec<_>>());
        let mut source = Source::new(selector, named.copied().into_iter().collect());
        if named.is_none() {
            source.learn(selector, slis, 0);
        }
        Self {
            source,
            open: named.is_none(),
            window: CounterWindow::new(range),
        }
    }

    fn take(&mut self, selector: &Selector, slis: &Slis, now: Moment, instruments: &Instruments) {
        match self.source.value(selector, slis, now.uptime, instruments) {
            Some(value) => self.window.push(now.at_ns, value),
            None => self.window.clear(),
        }
    }
}

impl Samples for Sampled {
    fn latest(&self, selector: &Selector) -> Option<f64> {
        self.numbers.get(selector)?.window.latest()
    }

    fn increase(&self, selector: &Selector, range: Duration) -> Option<f64> {
        let window = &self.numbers.get(selector)?.window;
        window.increase(self.now_ns, range)
    }

    fn rate(&self, selector: &Selector, range: Duration) -> Option<f64> {
        let window = &self.numbers.get(selector)?.window;
        window.rate(self.now_ns, range)
    }

    fn buckets(&self, selector: &Selector, range: Duration) -> Option<BucketCounts> {
        let mut known = self.histograms.iter();
        let counts = known
            .find(|known| known.selector() == selector)?
            .window(range)?
            .counts();
        Some(BucketCounts {
            bounds: counts.buckets().bounds().collect(),
            counts: counts
                .cumulative()
                .into_iter()
                .map(|count| count as f64)
                .collect(),
            total: counts.count() as f64,
        })
    }
}
