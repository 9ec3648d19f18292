//! The windows of everything that a rule reads, and what expressions are evaluated over.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sli::Slis;
use super::source::{OwnHistograms, Source};
use crate::budget::{Rule, Shown};
use crate::expr::{BucketCounts, Reading, Samples, Selector};
use crate::registry::Instruments;
use crate::window::CounterWindow;

/// Samples of the latest ticks, as far back as some rule looks.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    now_ns: u64,
    numbers: BTreeMap<Selector, Number>,
    histograms: Vec<OwnHistograms>,
}

#[derive(Debug)]
struct Number {
    source: Source,
    window: CounterWindow,
}

impl Sampled {
    pub(super) fn new<'a>(rules: impl Iterator<Item = &'a Rule>, slis: &Slis) -> Self {
        let mut sampled = Self::default();
        let mut ranges: BTreeMap<Selector, Duration> = BTreeMap::new();
        let mut see = |selector: &Selector, reading: Reading| match reading {
            Reading::Latest => drop(ranges.entry(selector.clone()).or_default()),
            Reading::Increase(range) => {
                let longest = ranges.entry(selector.clone()).or_default();
                *longest = range.max(*longest);
            }
            Reading::Buckets(range) => sampled.keep_histogram_window(selector, range),
        };
        for rule in rules {
            rule.condition.visit(&mut see);
            if let Shown::Value(value) = &rule.shown {
                value.visit(&mut see);
            }
        }
        for (selector, range) in ranges {
            let source = Source::new(&selector, slis);
            let window = CounterWindow::new(range);
            sampled.numbers.insert(selector, Number { source, window });
        }
        sampled
    }

    fn keep_histogram_window(&mut self, selector: &Selector, range: Duration) {
        let known = self.histograms.iter_mut();
        match known.into_iter().find(|known| known.selector() == selector) {
            Some(known) => known.keep_window(range),
            None => {
                let mut new = OwnHistograms::new(selector);
                new.keep_window(range);
                self.histograms.push(new);
            }
        }
    }

    /// Takes one sample of everything.
    pub(super) fn take(
        &mut self,
        now_ns: u64,
        slis: &Slis,
        uptime: f64,
        instruments: &Instruments,
    ) {
        self.now_ns = now_ns;
        for (selector, number) in &mut self.numbers {
            match number.source.value(selector, slis, uptime, instruments) {
                Some(value) => number.window.push(now_ns, value),
                None => number.window.clear(),
            }
        }
        let histograms = self.histograms.iter_mut();
        histograms.for_each(|histograms| histograms.tick(now_ns, instruments));
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
