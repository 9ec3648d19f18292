//! Where the value of a selector comes from, found out once.

use std::sync::Arc;
use std::time::Duration;

use super::sli::{SliCount, Slis};
use crate::budget::{SLI_BAD, SLI_VALID, UPTIME};
use crate::expr::Selector;
use crate::histogram::{Follower, Histogram, Snapshot};
use crate::registry::{InstrumentFamily, InstrumentValue, Instruments};
use crate::window::HistogramWindow;

/// An SLI counter, the uptime, or instruments of the service's own.
#[derive(Debug)]
pub(super) enum Source {
    Uptime,
    /// Counters by their place.
    Valid(Vec<usize>),
    Bad(Vec<usize>),
    Instruments(Chosen),
}

impl Source {
    /// `counters` are the places of those that it is the sum of, if it is one.
    pub(super) fn new(selector: &Selector, counters: Vec<usize>) -> Self {
        match selector.name() {
            UPTIME => Self::Uptime,
            SLI_VALID => Self::Valid(counters),
            SLI_BAD => Self::Bad(counters),
            _ => Self::Instruments(Chosen::default()),
        }
    }

    /// Learns of the counters from the place `from` on.
    pub(super) fn learn(&mut self, selector: &Selector, slis: &Slis, from: usize) {
        if let Self::Valid(counters) | Self::Bad(counters) = self {
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
    let matches = |count: &SliCount| {
        let mut asked = selector.labels();
        asked.all(|(key, value)| count.label(key) == value)
    };
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
        let has = |(key, value): (&str, &str)| {
            family
                .keys
                .iter()
                .position(|known| known == key)
                .map_or(value.is_empty(), |at| values[at] == value)
        };
        selector.labels().all(has).then_some(&series.value)
    })
}

/// Histograms of the service's own that a selector matches, and windows over all of them in one.
#[derive(Debug)]
pub(super) struct OwnHistograms {
    selector: Selector,
    chosen: Chosen,
    followed: Vec<(Arc<Histogram>, Follower)>,
    /// Room for what was recorded since the latest tick, and for the present cells, once there is a histogram.
    room: Option<[Snapshot; 2]>,
    windows: Vec<(Duration, Option<HistogramWindow>)>,
}

impl OwnHistograms {
    pub(super) fn new(selector: &Selector) -> Self {
        Self {
            selector: selector.clone(),
            chosen: Chosen::default(),
            followed: Vec::new(),
            room: None,
            windows: Vec::new(),
        }
    }

    pub(super) fn selector(&self) -> &Selector {
        &self.selector
    }

    /// Keeps a window of this length, once.
    pub(super) fn keep_window(&mut self, range: Duration) {
        if !self.windows.iter().any(|known| known.0 == range) {
            self.windows.push((range, None));
        }
    }

    pub(super) fn window(&self, range: Duration) -> Option<&HistogramWindow> {
        let known = self.windows.iter().find(|known| known.0 == range)?;
        known.1.as_ref()
    }

    pub(super) fn tick(&mut self, now_ns: u64, instruments: &Instruments) {
        if self.chosen.renew(&self.selector, instruments) {
            self.follow_chosen();
        }
        let Some((first, _)) = self.followed.first() else {
            return;
        };
        let buckets = first.buckets().clone();
        let empty = |_| Snapshot::empty(buckets.clone());
        let [grown, room] = self.room.get_or_insert_with(|| [(), ()].map(empty));
        for (histogram, follower) in &mut self.followed {
            let reading = histogram.reading();
            let grow = |cell, by| grown.grow(cell, by);
            let sum = histogram.follow(&reading, follower, room, grow);
            grown.grow_sum(sum.unwrap_or(0));
        }
        for (range, window) in &mut self.windows {
            window
                .get_or_insert_with(|| HistogramWindow::new(buckets.clone(), *range))
                .push(now_ns, grown);
        }
        grown.clear();
    }

    /// Follows the chosen ones, from where it stood those that it followed before.
    fn follow_chosen(&mut self) {
        let mut before = std::mem::take(&mut self.followed);
        for value in &self.chosen.values {
            if let InstrumentValue::Histogram(histogram) = value {
                let is_same = |known: &(Arc<Histogram>, _)| Arc::ptr_eq(&known.0, histogram);
                let known = before.iter().position(is_same);
                let new = || (histogram.clone(), Follower::default());
                self.followed
                    .push(known.map_or_else(new, |at| before.swap_remove(at)));
            }
        }
    }
}
