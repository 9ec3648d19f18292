//! The windows of everything that a rule reads, and what expressions are evaluated over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::sli::{Asker, Counted};
use super::watch::Watch;
use crate::budget::{Budget, Rule, SLI_BAD, SLI_VALID, Shown, UPTIME};
use crate::expr::{BucketCounts, Reading, Samples, Selector};
use crate::histogram::{Buckets, Snapshot};
use crate::registry::{InstrumentFamily, InstrumentValue, Instruments};
use crate::window::{CounterWindow, HistogramWindow};

/// Samples of the latest ticks, as far back as some rule looks.
#[derive(Debug)]
pub(super) struct Sampled {
    now_ns: u64,
    numbers: BTreeMap<Selector, CounterWindow>,
    /// The windows of quantile budgets and of watches.
    distributions: HashMap<Asker, Vec<(Duration, Option<HistogramWindow>)>>,
    /// Histograms of the service's own, by selector and range.
    histograms: Vec<(Selector, Duration, Option<HistogramWindow>)>,
}

impl Sampled {
    pub(super) fn new(rules: &[Rule], budgets: &[Budget], watches: &[Watch]) -> Self {
        let mut ranges: BTreeMap<Selector, Duration> = BTreeMap::new();
        let mut histograms: Vec<(Selector, Duration, Option<HistogramWindow>)> = Vec::new();
        let mut see = |selector: &Selector, reading: Reading| match reading {
            Reading::Latest => drop(ranges.entry(selector.clone()).or_default()),
            Reading::Increase(range) => {
                let longest = ranges.entry(selector.clone()).or_default();
                *longest = range.max(*longest);
            }
            Reading::Buckets(range) => {
                if !histograms
                    .iter()
                    .any(|known| known.0 == *selector && known.1 == range)
                {
                    histograms.push((selector.clone(), range, None));
                }
            }
        };
        for rule in rules {
            rule.condition.visit(&mut see);
            if let Shown::Value(value) = &rule.shown {
                value.visit(&mut see);
            }
        }
        let numbers = ranges
            .into_iter()
            .map(|(selector, range)| (selector, CounterWindow::new(range)))
            .collect();
        let of_budgets = budgets.iter().map(|budget| {
            (
                Asker::Budget(budget.name.clone()),
                vec![(budget.over, None)],
            )
        });
        let of_watches = watches.iter().map(|watch| {
            let windows = watch.windows.iter().map(|&over| (over, None)).collect();
            (Asker::Watch(watch.name.clone()), windows)
        });
        let distributions = of_budgets.chain(of_watches).collect();
        Self {
            now_ns: 0,
            numbers,
            distributions,
            histograms,
        }
    }

    /// Takes one sample of everything.
    pub(super) fn take(
        &mut self,
        now_ns: u64,
        counted: &Counted,
        uptime: f64,
        instruments: &Instruments,
    ) {
        self.now_ns = now_ns;
        for (selector, window) in &mut self.numbers {
            match number(selector, counted, uptime, instruments) {
                Some(value) => window.push(now_ns, value),
                None => window.clear(),
            }
        }
        for (asker, snapshot) in &counted.distributions {
            for (over, window) in self.distributions.get_mut(asker).into_iter().flatten() {
                grow(window, *over, now_ns, snapshot);
            }
        }
        for (selector, range, window) in &mut self.histograms {
            if let Some(snapshot) = instruments
                .family(selector.name())
                .and_then(|family| merged(selector, &family))
            {
                grow(window, *range, now_ns, &snapshot);
            }
        }
    }

    /// One of the windows of a quantile budget or of a watch; `None` for the first.
    pub(super) fn window(&self, asker: &Asker, over: Option<Duration>) -> Option<&HistogramWindow> {
        let windows = self.distributions.get(asker)?;
        let wanted = |window: &&(Duration, _)| over.is_none_or(|over| window.0 == over);
        windows.iter().find(wanted)?.1.as_ref()
    }
}

fn grow(window: &mut Option<HistogramWindow>, over: Duration, now_ns: u64, cumulative: &Snapshot) {
    window
        .get_or_insert_with(|| HistogramWindow::new(cumulative.buckets().clone(), over))
        .push(now_ns, cumulative);
}

/// The present value of a selector: an SLI counter, the uptime, or instruments of the service's own.
fn number(
    selector: &Selector,
    counted: &Counted,
    uptime: f64,
    instruments: &Instruments,
) -> Option<f64> {
    match selector.name() {
        UPTIME => Some(uptime),
        name @ (SLI_VALID | SLI_BAD) => {
            let asked = |key| {
                selector
                    .labels()
                    .find(|label| label.0 == key)
                    .map(|label| label.1)
            };
            let matching = counted.counts.iter().filter(|count| {
                asked("budget").is_none_or(|budget| budget == count.budget)
                    && asked("level").is_none_or(|level| level == count.level.as_str())
            });
            sum(matching.map(|count| if name == SLI_VALID { count.valid } else { count.bad } as f64))
        }
        name => {
            let family = instruments.family(name)?;
            sum(matching(selector, &family).filter_map(InstrumentValue::number))
        }
    }
}

/// The sum of the values, or `None` if there are none.
fn sum(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(|sum, value| sum + value)
}

fn matching<'a>(
    selector: &'a Selector,
    family: &'a InstrumentFamily,
) -> impl Iterator<Item = &'a InstrumentValue> {
    family.series.iter().filter_map(move |(values, series)| {
        let has = |(key, value): (&str, &str)| {
            family
                .keys
                .iter()
                .position(|known| known == key)
                .map_or(value.is_empty(), |at| values[at] == value)
        };
        selector.labels().all(has).then_some(series)
    })
}

/// All matching histograms of a family in one.
fn merged(selector: &Selector, family: &InstrumentFamily) -> Option<Snapshot> {
    let mut merged: Option<Snapshot> = None;
    for value in matching(selector, family) {
        if let InstrumentValue::Histogram(histogram) = value {
            let buckets = histogram.buckets();
            histogram.add_to(
                &histogram.reading(),
                merged.get_or_insert_with(|| Snapshot::empty(buckets.clone())),
            );
        }
    }
    merged
}

impl Samples for Sampled {
    fn latest(&self, selector: &Selector) -> Option<f64> {
        self.numbers.get(selector)?.latest()
    }

    fn increase(&self, selector: &Selector, range: Duration) -> Option<f64> {
        self.numbers.get(selector)?.increase(self.now_ns, range)
    }

    fn rate(&self, selector: &Selector, range: Duration) -> Option<f64> {
        self.numbers.get(selector)?.rate(self.now_ns, range)
    }

    fn buckets(&self, selector: &Selector, range: Duration) -> Option<BucketCounts> {
        let known = self
            .histograms
            .iter()
            .find(|known| known.0 == *selector && known.1 == range)?;
        let counts = known.2.as_ref()?.counts();
        let buckets: &Buckets = counts.buckets();
        Some(BucketCounts {
            bounds: buckets.bounds().collect(),
            counts: counts
                .cumulative()
                .into_iter()
                .map(|count| count as f64)
                .collect(),
            total: counts.count() as f64,
        })
    }
}
