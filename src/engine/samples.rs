//! The windows of everything that a rule reads, and what expressions are evaluated over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::sli::Slis;
use super::source::Source;
use crate::expr::{
    At, Compare, Dialect, EvalError, Expr, Labels, Reading, Selector, Source as SampleSource, Value,
};
use crate::registry::Instruments;
use crate::window::Series;

/// Samples of the latest ticks, as far back as some rule looks.
#[derive(Debug, Default)]
pub(super) struct Sampled {
    now_ms: i64,
    /// How many of the SLI counters the sources know.
    counters: usize,
    numbers: BTreeMap<Selector, Number>,
}

#[derive(Debug)]
struct Number {
    source: Source,
    /// Whether it may be the sum of further counters.
    open: bool,
    window: Series,
}

/// Places of counters, by all of their labels: a rule names its own, and need not look through all the others.
type Counters<'a> = HashMap<Vec<(&'a str, &'a str)>, usize>;

/// The moment of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Of the instance's clock.
    pub(super) at_ns: u64,
    /// Since 1970, by the same clock.
    pub(super) at_ms: i64,
    /// In seconds.
    pub(super) uptime: f64,
}

impl Moment {
    /// Seconds since 1970.
    pub(super) fn seconds(self) -> f64 {
        self.at_ms as f64 / 1e3
    }

    /// The later of the two.
    pub(super) fn max(self, other: Self) -> Self {
        if self.at_ns < other.at_ns {
            other
        } else {
            self
        }
    }
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
            Reading::Range(range) => {
                let longest = ranges.entry(selector.clone()).or_default();
                *longest = range.max(*longest);
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

    /// What an expression evaluates to at the latest tick.
    pub(super) fn eval(&self, expr: &Expr) -> Result<Value, EvalError> {
        At {
            source: self,
            at_ms: self.now_ms,
            dialect: Dialect::default(),
        }
        .eval(expr)
    }

    /// Takes one sample of everything.
    pub(super) fn take(&mut self, slis: &Slis, now: Moment, instruments: &Instruments) {
        self.now_ms = now.at_ms;
        for (selector, number) in &mut self.numbers {
            number.take(selector, slis, now, instruments);
        }
    }
}

impl Number {
    fn new(selector: &Selector, range: Duration, slis: &Slis, new: &Counters<'_>) -> Self {
        let matchers = selector.matchers().iter();
        let labels = matchers.filter(|matcher| matcher.compare() == Compare::Equal);
        let labels: Vec<_> = labels
            .map(|matcher| (matcher.label(), matcher.value()))
            .collect();
        let named = new
            .get(&labels)
            .filter(|_| labels.len() == selector.matchers().len());
        let mut source = Source::new(selector, named.copied().into_iter().collect());
        if named.is_none() {
            source.learn(selector, slis, 0);
        }
        Self {
            source,
            open: named.is_none(),
            window: Series::new(range),
        }
    }

    fn take(&mut self, selector: &Selector, slis: &Slis, now: Moment, instruments: &Instruments) {
        match self.source.value(selector, slis, now.uptime, instruments) {
            Some(value) => self.window.push(now.at_ms, value),
            None => self.window.push_stale(now.at_ms),
        }
    }
}

impl SampleSource for Sampled {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        if let Some(number) = self.numbers.get(selector) {
            show(&Labels::default(), &number.window);
        }
    }
}
