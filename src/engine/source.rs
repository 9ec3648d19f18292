//! Where the value of a selector comes from, found out once.

use super::sli::{SliCount, Slis};
use crate::budget::{SLI_BAD, SLI_LAST_GOOD, SLI_VALID, UPTIME};
use crate::expr::Selector;
use crate::registry::{InstrumentFamily, InstrumentValue, Instruments};

/// An SLI counter, the uptime, or instruments of the service's own.
#[derive(Debug)]
pub(super) enum Source {
    Uptime,
    /// Counters by their place.
    Valid(Vec<usize>),
    Bad(Vec<usize>),
    LastGood(Vec<usize>),
    Instruments(Chosen),
}

impl Source {
    /// `counters` are the places of those that it is the sum of, if it is one.
    pub(super) fn new(selector: &Selector, counters: Vec<usize>) -> Self {
        match selector.name() {
            UPTIME => Self::Uptime,
            SLI_VALID => Self::Valid(counters),
            SLI_BAD => Self::Bad(counters),
            SLI_LAST_GOOD => Self::LastGood(counters),
            _ => Self::Instruments(Chosen::default()),
        }
    }

    /// Learns of the counters from the place `from` on.
    pub(super) fn learn(&mut self, selector: &Selector, slis: &Slis, from: usize) {
        if let Self::Valid(counters) | Self::Bad(counters) | Self::LastGood(counters) = self {
            counters.extend(matching_counters(selector, slis, from));
        }
    }

    /// The present value; `None` if nothing matches.
    pub(super) fn value(
        &mut self,
        selector: &Selector,
        slis: &Slis,
        uptime: f64,
        instruments: &Instruments,
    ) -> Option<f64> {
        match self {
            Self::Uptime => Some(uptime),
            Self::Valid(counters) => sum(counters.iter().map(|&at| slis.count(at).valid as f64)),
            Self::Bad(counters) => sum(counters.iter().map(|&at| slis.count(at).bad as f64)),
            Self::LastGood(counters) => {
                let times = counters.iter().filter_map(|&at| slis.count(at).good_at);
                times.reduce(f64::max)
            }
            Self::Instruments(chosen) => {
                chosen.renew(selector, instruments);
                sum(chosen.values.iter().filter_map(InstrumentValue::number))
            }
        }
    }
}

/// The sum of the values, or `None` if there are none.
fn sum(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(|sum, value| sum + value)
}

/// The places, from `from` on, of the counters with the labels that the selector asks for.
fn matching_counters<'a>(
    selector: &'a Selector,
    slis: &'a Slis,
    from: usize,
) -> impl Iterator<Item = usize> + 'a {
    let matches = |count: &SliCount| selector.has(|key| count.label(key));
    let counts = slis.counts().enumerate().skip(from);
    counts
        .filter(move |(_, count)| matches(count))
        .map(|(at, _)| at)
}

/// The instruments that a selector matches.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// [`Instruments::version`] when they were last looked up.
    version: u64,
    values: Vec<InstrumentValue>,
}

impl Chosen {
    /// Looks them up again if there may be others; `false` if not.
    fn renew(&mut self, selector: &Selector, instruments: &Instruments) -> bool {
        let version = instruments.version();
        if version == self.version {
            return false;
        }
        self.version = version;
        self.values.clear();
        if let Some(family) = instruments.family(selector.name()) {
            self.values.extend(matching(selector, &family).cloned());
        }
        true
    }
}

fn matching<'a>(
    selector: &'a Selector,
    family: &'a InstrumentFamily,
) -> impl Iterator<Item = &'a InstrumentValue> {
    family.series.iter().filter_map(move |(values, series)| {
        let value = |key: &str| {
            let at = family.keys.iter().position(|known| known == key);
            at.map_or("", |at| &*values[at])
        };
        selector.has(value).then_some(&series.value)
    })
}
