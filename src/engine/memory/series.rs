//! The samples of series.
//!
//! Of a sample the moment takes a byte or two, as the difference from the gap before; a count takes what it grew by, and any other
//! value eight bytes.

use std::collections::{BTreeMap, HashMap};

use super::identity;
use super::loss::{Loss, Losses};
use super::table::{Entry, Table, moment};
use crate::budget::{SLI_BAD, SLI_LAST_GOOD, SLI_VALID};
use crate::expr::{Labels, NAME, Selector};
use crate::state::{Decoder, Encoder};
use crate::window::{SavedSeries, Series};

/// Series that nobody has asked for yet.
#[derive(Debug, Default)]
pub(in crate::engine) struct SeriesMemory {
    families: HashMap<String, BTreeMap<Labels, Remembered>>,
    /// What the counters of each budget count.
    identities: HashMap<String, u64>,
    pub(super) dropped: Losses,
}

#[derive(Debug)]
struct Remembered {
    identity: u64,
    counter: bool,
    series: SavedSeries,
}

impl SeriesMemory {
    /// Of what a table holds; nothing of it comes from a later moment than this one.
    pub(super) fn of(table: Table, now_ms: i64) -> Self {
        let mut memory = Self::default();
        for (key, entry) in table.entries {
            let series = read(&mut Decoder::new(&entry.bytes));
            let (Some(labels), Some((counter, mut series))) = (Decoder::new(&key).labels(), series)
            else {
                continue;
            };
            series.cut(now_ms);
            if series.floats.is_empty() {
                continue;
            }
            let family = memory.families.entry(labels.get(NAME).to_owned());
            let remembered = Remembered {
                identity: entry.identity,
                counter,
                series,
            };
            family.or_default().insert(labels, remembered);
        }
        memory
    }

    /// Of a budget's counters only those are taken up that counted what it counts now.
    pub(in crate::engine) fn meet(&mut self, budget: &str, text: impl FnOnce() -> String) {
        let now = identity(&text());
        self.identities.insert(budget.to_owned(), now);
        let mut dropped = 0;
        for name in [SLI_VALID, SLI_BAD, SLI_LAST_GOOD] {
            if let Some(family) = self.families.get_mut(name) {
                let before = family.len();
                family.retain(|labels, known| {
                    labels.get("budget") != budget || known.identity == now
                });
                dropped += before - family.len();
            }
        }
        if dropped > 0 {
            self.dropped.add(Loss::Windows, budget);
        }
    }

    /// What a family's rules record now, or what a budget counts.
    fn identity(&self, labels: &Labels) -> u64 {
        let owner = match labels.get(NAME) {
            SLI_VALID | SLI_BAD | SLI_LAST_GOOD => labels.get("budget"),
            name => name,
        };
        self.identities.get(owner).copied().unwrap_or(0)
    }

    /// Says what a family's series are; those that were something else are dropped.
    pub(super) fn meet_family(&mut self, name: &str, text: &str) {
        let now = identity(text);
        self.identities.insert(name.to_owned(), now);
        let Some(family) = self.families.get_mut(name) else {
            return;
        };
        let before = family.len();
        family.retain(|_, known| known.identity == now);
        if family.len() < before {
            self.dropped.add(Loss::Recorded, name);
        }
    }

    /// The series that a selector reads, and whether each is a counter.
    pub(in crate::engine) fn matching(&self, selector: &Selector) -> Vec<(Labels, bool)> {
        let family = self.families.get(selector.name());
        let all = family.into_iter().flatten();
        let matching = all.filter(|(labels, _)| selector.matches(labels));
        matching
            .map(|(labels, known)| (labels.clone(), known.counter))
            .collect()
    }

    /// Begins a series with what is remembered of it, which ended with the process that saw it; returns when.
    pub(in crate::engine) fn recall(
        &mut self,
        labels: &Labels,
        series: &mut Series,
    ) -> Option<i64> {
        let mut saved = self.take(labels)?;
        let ended_ms = saved.newest_ms()?;
        if saved.ends_ms.last() != Some(&ended_ms) {
            saved.ends_ms.push(ended_ms + 1);
        }
        series.resume(saved);
        Some(ended_ms + 1)
    }

    fn take(&mut self, labels: &Labels) -> Option<SavedSeries> {
        let family = self.families.get_mut(labels.get(NAME))?;
        Some(family.remove(labels)?.series)
    }

    /// All series of a family.
    pub(super) fn family(&mut self, name: &str) -> Vec<Labels> {
        let family = self.families.get(name);
        family.map_or_else(Vec::new, |family| family.keys().cloned().collect())
    }

    /// An entry for a series that is there; `None` if it holds nothing.
    pub(super) fn entry(
        &self,
        labels: &Labels,
        counter: bool,
        series: &SavedSeries,
    ) -> Option<(Vec<u8>, Entry)> {
        entry(labels, self.identity(labels), counter, series)
    }

    /// Those that nobody has asked for, and are not too old.
    pub(super) fn waiting(&self, now_ms: i64) -> impl Iterator<Item = (Vec<u8>, Entry)> {
        let waiting = self.all().filter_map(|(labels, known)| {
            entry(labels, known.identity, known.counter, &known.series)
        });
        waiting.filter(move |(_, entry)| entry.until_ms >= now_ms)
    }

    fn all(&self) -> impl Iterator<Item = (&Labels, &Remembered)> {
        self.families.values().flatten()
    }

    /// The labels of those that nobody has asked for.
    pub(super) fn left(&self) -> impl Iterator<Item = &Labels> {
        self.all().map(|(labels, _)| labels)
    }
}

/// `None` for a series that holds nothing.
fn entry(
    labels: &Labels,
    identity: u64,
    counter: bool,
    series: &SavedSeries,
) -> Option<(Vec<u8>, Entry)> {
    let newest_ms = series.newest_ms()?;
    let mut key = Encoder::default();
    key.labels(labels.iter());
    let mut out = Encoder::default();
    out.flag(counter);
    out.signed(series.keep_ms);
    write_samples(&mut out, &series.floats);
    write_samples(&mut out, &series.drops);
    out.number(series.ends_ms.len() as u64);
    series.ends_ms.iter().for_each(|end| out.signed(*end));
    let entry = Entry {
        identity,
        until_ms: newest_ms.saturating_add(series.keep_ms),
        bytes: out.finish(),
    };
    Some((key.finish(), entry))
}

fn read(read: &mut Decoder<'_>) -> Option<(bool, SavedSeries)> {
    let counter = read.flag()?;
    let series = SavedSeries {
        keep_ms: moment(read)?,
        floats: read_samples(read)?,
        drops: read_samples(read)?,
        ends_ms: (0..read.count()?)
            .map(|_| moment(read))
            .collect::<Option<_>>()?,
    };
    let ordered = series.ends_ms.is_sorted() && series.keep_ms >= 0;
    (ordered && read.is_empty()).then_some((counter, series))
}

/// A whole number that is one as a float too.
fn whole(value: f64) -> Option<i64> {
    let whole = value as i64;
    let same = (whole as f64).to_bits() == value.to_bits();
    (same && whole.unsigned_abs() <= super::LARGEST).then_some(whole)
}

fn write_samples(out: &mut Encoder, samples: &[(i64, f64)]) {
    out.number(samples.len() as u64);
    let (mut before_ms, mut gap_ms, mut before) = (0, 0, 0);
    for &(at_ms, value) in samples {
        let gap = at_ms - before_ms;
        let known = whole(value);
        // The lowest bit says whether the value is whole.
        out.signed(((gap - gap_ms) << 1) | i64::from(known.is_some()));
        match known {
            Some(count) => {
                out.signed(count - before);
                before = count;
            }
            None => out.float(value),
        }
        (before_ms, gap_ms) = (at_ms, gap);
    }
}

/// `None` unless each is later than the one before.
fn read_samples(read: &mut Decoder<'_>) -> Option<Vec<(i64, f64)>> {
    let count = read.count()?;
    let mut samples: Vec<(i64, f64)> = Vec::with_capacity(count);
    let (mut before_ms, mut gap_ms, mut before) = (0_i64, 0_i64, 0_i64);
    for _ in 0..count {
        let step = read.signed()?;
        let gap = gap_ms.checked_add(step >> 1)?;
        let at_ms = before_ms.checked_add(gap)?;
        let value = if step & 1 == 1 {
            before = before.checked_add(read.signed()?)?;
            before as f64
        } else {
            read.float()?
        };
        let later = samples.last().is_none_or(|last| last.0 < at_ms);
        if !later || at_ms.unsigned_abs() > super::LARGEST {
            return None;
        }
        samples.push((at_ms, value));
        (before_ms, gap_ms) = (at_ms, gap);
    }
    Some(samples)
}
