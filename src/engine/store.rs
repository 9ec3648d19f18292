//! The samples of every series that a rule reads, each kept as long as the longest range that is asked of it.
//!
//! A selector is looked up by its hash; which series it matches is found out once, when either of them is new.

mod alerts;
mod counted;
mod plan;
mod rows;
#[cfg(feature = "state")]
mod saved;
mod traced;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::exports::{Sampling, Wanted};
use super::files::World;
use super::memory::SeriesMemory;
use super::moment::Moment;
use super::sli::Slis;
use crate::expr::{At, Dialect, EvalError, Expr, Labels, NAME, Reading, Selector, Source, Value};
use crate::rule::Evaluator;
use crate::window::Series;
pub(super) use alerts::Marks;
use alerts::{ALERTS, ALERTS_FOR_STATE};
use counted::Counted;
pub(super) use plan::Plan;
use rows::Rows;
pub(super) use traced::Traced;

/// Samples of the latest ticks or pages, as far back as some rule looks.
#[derive(Debug)]
pub(super) struct Store {
    sampling: Sampling,
    /// `job` and `instance`, which Prometheus adds to every series that it scrapes.
    target: Option<[String; 2]>,
    now_ms: i64,
    selections: Vec<Selection>,
    by_selector: HashMap<Selector, usize, RandomState>,
    families: HashMap<String, Family, RandomState>,
    places: Vec<Option<Kept>>,
    free: Vec<usize>,
    /// Those of series that ended.
    ended: Vec<usize>,
    /// What is read of the page.
    wanted: Arc<Wanted>,
    counted: Counted,
    rows: Rows,
    /// Of the process before.
    pub(super) memory: SeriesMemory,
}

/// What one selector reads.
#[derive(Debug)]
struct Selection {
    selector: Selector,
    range: Duration,
    places: Vec<usize>,
    /// Whether what is there at the moment was looked at: what comes now is new.
    looked: bool,
}

/// What is known of the series of one name.
#[derive(Debug, Default)]
struct Family {
    /// The selections that further series may belong to.
    open: Vec<usize>,
    known: HashMap<Labels, usize, RandomState>,
}

/// One series.
#[derive(Debug)]
struct Kept {
    labels: Labels,
    range: Duration,
    series: Series,
    /// Whether all growth is reckoned from its first sample, ...
    counter: bool,
    /// ... which was taken then: nothing else of that moment takes its place.
    born_ms: Option<i64>,
    ended_ms: Option<i64>,
    /// The latest page that it was on.
    page: u64,
    /// Whether it is only what is remembered of the process before: none of this one has come yet.
    remembered: bool,
}

/// A series that somebody reads.
struct Found {
    place: usize,
    /// Whether nothing was kept of it, though somebody who reads it has looked before.
    new: bool,
    /// Whether nothing was kept of it in this process.
    empty: bool,
}

impl Store {
    pub(super) fn new(
        sampling: Sampling,
        target: Option<[String; 2]>,
        memory: SeriesMemory,
    ) -> Self {
        Self {
            sampling,
            target,
            now_ms: i64::MIN,
            selections: Vec::new(),
            by_selector: HashMap::default(),
            families: HashMap::default(),
            places: Vec::new(),
            free: Vec::new(),
            ended: Vec::new(),
            wanted: Arc::default(),
            counted: Counted::default(),
            rows: Rows::default(),
            memory,
        }
    }

    /// Samples what these expressions read, from `born` on, and lets all that were added before know the counters that
    /// are new. They are evaluated as of up to `back` ago.
    pub(super) fn add<'a>(
        &mut self,
        exprs: impl Iterator<Item = &'a Expr>,
        slis: &Slis,
        born: Moment,
        back: Duration,
    ) {
        let mut new = Vec::new();
        for expr in exprs {
            expr.visit(&mut |selector, reading| {
                let range = match reading {
                    Reading::Latest => back,
                    Reading::Range(range) => range.saturating_add(back),
                };
                match self.by_selector.get(selector) {
                    Some(&known) => self.keep(known, range),
                    None => new.push(self.select(selector.clone(), range)),
                }
            });
        }
        self.learn(&new, slis, born);
    }

    fn select(&mut self, selector: Selector, range: Duration) -> usize {
        let at = self.selections.len();
        self.by_selector.insert(selector.clone(), at);
        self.selections.push(Selection {
            selector,
            range,
            places: Vec::new(),
            looked: false,
        });
        at
    }

    /// Keeps what a selection reads for at least so long.
    fn keep(&mut self, selection: usize, range: Duration) {
        let selection = &mut self.selections[selection];
        selection.range = selection.range.max(range);
        for &place in &selection.places {
            if let Some(kept) = &mut self.places[place] {
                kept.range = kept.range.max(range);
                kept.series.keep(range);
            }
        }
    }

    /// Further series of this name may be read by a selection.
    fn open(&mut self, selection: usize) {
        let name = self.selections[selection].selector.name();
        let family = self.families.entry(name.to_owned()).or_default();
        family.open.push(selection);
        let places: Vec<usize> = family.known.values().copied().collect();
        for place in places {
            self.give(selection, place);
        }
        let remembered = self.memory.matching(&self.selections[selection].selector);
        for (labels, counter) in remembered {
            self.revive(selection, labels, counter);
        }
    }

    /// What the process before saw of a series is read, whether it comes again or not.
    fn revive(&mut self, selection: usize, labels: Labels, counter: bool) {
        let place = self.make(labels, counter);
        self.give(selection, place);
        if let Some(kept) = &mut self.places[place] {
            kept.remembered = true;
            self.ended.extend(kept.ended_ms.map(|_| place));
        }
    }

    /// Whether a series comes again of which only the process before knew.
    fn returns(&mut self, place: usize) -> bool {
        let kept = self.places[place].as_mut();
        kept.is_some_and(|kept| std::mem::take(&mut kept.remembered))
    }

    /// Lets a selection read a series, if that is one of those that it asks for.
    fn give(&mut self, selection: usize, place: usize) -> bool {
        let selection = &mut self.selections[selection];
        let Some(kept) = &mut self.places[place] else {
            return false;
        };
        if !selection.selector.matches(&kept.labels) {
            return false;
        }
        if !selection.places.contains(&place) {
            selection.places.push(place);
            kept.range = kept.range.max(selection.range);
            kept.series.keep(selection.range);
        }
        true
    }

    /// The series with these labels, which include its name; `None` if nobody reads it.
    fn find(&mut self, labels: &Labels, counter: bool) -> Option<Found> {
        let family = self.families.get(labels.get(NAME))?;
        let known = family.known.get(labels).copied();
        let waits = |at: usize| self.places[at].as_ref().is_some_and(|kept| kept.remembered);
        if let Some(place) = known.filter(|at| !waits(*at)) {
            return Some(Found {
                place,
                new: false,
                empty: false,
            });
        }
        let asks = |at: &&usize| self.selections[**at].selector.matches(labels);
        let readers: Vec<usize> = family.open.iter().filter(asks).copied().collect();
        if readers.is_empty() {
            return None;
        }
        let new = readers.iter().any(|&at| self.selections[at].looked);
        let place = known.unwrap_or_else(|| self.make(labels.clone(), counter));
        self.returns(place);
        for reader in readers {
            self.give(reader, place);
        }
        Some(Found {
            place,
            new,
            empty: true,
        })
    }

    /// A place for a series, with what is remembered of it.
    fn make(&mut self, labels: Labels, counter: bool) -> usize {
        let mut series = match self.sampling {
            Sampling::Tick => Series::new(Duration::ZERO),
            Sampling::Scrape => Series::exact(Duration::ZERO),
        };
        let ended_ms = self.memory.recall(&labels, &mut series);
        let kept = Some(Kept {
            labels: labels.clone(),
            range: Duration::ZERO,
            series,
            counter,
            born_ms: None,
            ended_ms,
            page: 0,
            remembered: false,
        });
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place] = kept;
                place
            }
            None => {
                self.places.push(kept);
                self.places.len() - 1
            }
        };
        let family = self.families.entry(labels.get(NAME).to_owned());
        family.or_default().known.insert(labels, place);
        place
    }

    /// Appends a sample.
    fn push(&mut self, place: usize, at_ms: i64, value: f64) {
        if let Some(kept) = &mut self.places[place] {
            if kept.born_ms == Some(at_ms) {
                return;
            }
            if kept.counter && kept.born_ms.is_none() {
                kept.born_ms = Some(at_ms);
            }
            kept.series.push(at_ms, value);
            kept.ended_ms = None;
        }
    }

    /// The series is not there any more.
    fn end(&mut self, place: usize, at_ms: i64) {
        if let Some(kept) = &mut self.places[place]
            && kept.ended_ms.is_none()
        {
            kept.series.push_stale(at_ms);
            kept.ended_ms = Some(at_ms);
            self.ended.push(place);
        }
    }

    /// Forgets series that ended so long ago that nobody reads of them.
    fn forget(&mut self) {
        let ended = std::mem::take(&mut self.ended);
        for place in ended {
            let kept = self.places[place].as_ref();
            let Some((kept, ended_ms)) = kept.and_then(|kept| Some((kept, kept.ended_ms?))) else {
                continue;
            };
            let keep = kept.range.max(Dialect::LOOKBACK).as_millis() as i64;
            if self.now_ms.saturating_sub(ended_ms) <= keep {
                self.ended.push(place);
                continue;
            }
            if let Some(family) = self.families.get_mut(kept.labels.get(NAME)) {
                family.known.remove(&kept.labels);
                for &reader in &family.open {
                    self.selections[reader].places.retain(|at| *at != place);
                }
            }
            self.rows.leave(place);
            self.places[place] = None;
            self.free.push(place);
        }
    }

    /// Everything that follows belongs to this moment.
    pub(super) fn come_to(&mut self, now: Moment) {
        self.now_ms = now.at_ms;
        self.forget();
    }

    /// What an expression evaluates to at the latest tick.
    pub(super) fn eval(&self, expr: &Expr, rules: &[Evaluator]) -> Result<Value, EvalError> {
        let world = World {
            store: self,
            before: rules,
            behind: &[],
        };
        At {
            source: &world,
            at_ms: self.now_ms,
            dialect: Dialect::default(),
        }
        .eval(expr)
    }

    /// Shows every series that a selection reads.
    fn each_of(&self, selection: usize, show: &mut dyn FnMut(&Labels, &Series)) {
        for &place in &self.selections[selection].places {
            if let Some(kept) = &self.places[place] {
                show(&kept.labels, &kept.series);
            }
        }
    }

    /// Every name that is read, and how far back.
    pub(super) fn each_range(&self, mut show: impl FnMut(&str, Duration)) {
        let selections = self.selections.iter();
        selections.for_each(|selection| show(selection.selector.name(), selection.range));
    }

    /// The names of samples of the page that are read.
    pub(super) fn wanted(&self) -> &Arc<Wanted> {
        &self.wanted
    }
}

impl Source for Store {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        if let Some(&at) = self.by_selector.get(selector) {
            self.each_of(at, show);
        }
    }
}

#[cfg(test)]
mod tests;
