//! Dynamic limits, tick by tick: what is observed, and what the limits are.

#[cfg(feature = "state")]
mod saved;

use std::sync::Arc;

use super::cell::StateCell;
use super::memory::BandMemory;
use super::moment::Moment;
use super::reader::Reader;
use super::sli::{Place, Slis};
use super::store::{Store, Traced};
use crate::band::{Band, Limits};
use crate::budget::{BAND, Budget, Labels, OBSERVED, Shown};
use crate::expr::Expr;
use crate::rule::{AlertState, Evaluator};

/// The bands of all parts of budgets whose limits are learned.
#[derive(Debug, Default)]
pub(super) struct Bands {
    all: Vec<Kept>,
    /// Of the process before.
    pub(super) memory: BandMemory,
}

/// The band of a part.
#[derive(Debug)]
struct Kept {
    band: Band,
    /// 1, or -1 where less is worse.
    sign: f64,
    judged: Expr,
    value: Shown,
    /// The window that its quantile is read from.
    window: Option<Place>,
    /// Of the levels that have a limit.
    cells: Vec<StateCell>,
    every_ms: i64,
    over_ms: i64,
    /// When the first tick was, ...
    since_ms: Option<i64>,
    /// ... and the interval that the latest one was in.
    interval: i64,
    reading: BandReading,
    traced: [Traced; 4],
}

/// Where a band stood at the latest tick, in the unit of the budget.
#[derive(Debug)]
pub(crate) struct BandReading {
    pub(crate) budget: Arc<str>,
    pub(crate) labels: Labels,
    /// What is judged; `None` while nothing is.
    pub(crate) value: Option<f64>,
    /// `None` until enough was learned.
    pub(crate) limits: Option<Limits>,
    pub(crate) coverage: f64,
}

impl BandReading {
    /// Each of its limits, with the label `level`.
    pub(crate) fn levels(&self) -> [(&'static str, Option<f64>); 3] {
        let limit = |of: fn(Limits) -> f64| self.limits.map(of);
        [
            ("baseline", limit(|limits| limits.baseline)),
            ("warning", limit(|limits| limits.warning)),
            ("critical", limit(|limits| limits.critical)),
        ]
    }
}

impl Bands {
    pub(super) fn new(memory: BandMemory) -> Self {
        Self {
            all: Vec::new(),
            memory,
        }
    }

    /// Begins to learn for a part that is new, or goes on from what is remembered of it.
    pub(super) fn add(
        &mut self,
        budget: &Budget,
        labels: &Labels,
        window: Option<Place>,
        cells: Vec<StateCell>,
        born: Moment,
    ) {
        let Some(learned) = budget.learned(labels) else {
            return;
        };
        let part = (&*budget.name, labels);
        let learns = || budget.learns();
        let before = self.memory.recall(part, &learned.dynamic, learns, born);
        let every_ms = learned.dynamic.every.as_millis().max(1) as i64;
        let reading = BandReading {
            budget: budget.name.as_str().into(),
            labels: labels.clone(),
            value: None,
            limits: None,
            coverage: 0.0,
        };
        let band = match before.map_or_else(|| Band::new(learned.dynamic), Ok) {
            Ok(band) => band,
            // Refused with the budget.
            Err(_) => return,
        };
        self.all.push(Kept {
            band,
            sign: if learned.floor { -1.0 } else { 1.0 },
            judged: learned.judged,
            value: learned.value,
            window,
            cells,
            every_ms,
            over_ms: learned.over.as_millis() as i64,
            since_ms: None,
            interval: i64::MIN,
            reading,
            traced: Default::default(),
        });
    }

    /// Everything that is evaluated from the band with this index on.
    pub(super) fn exprs(&self, from: usize) -> impl Iterator<Item = &Expr> {
        self.all[from..].iter().flat_map(|kept| {
            let value = match &kept.value {
                Shown::Value(value) => Some(value),
                Shown::Quantile(_) => None,
            };
            [Some(&kept.judged), value].into_iter().flatten()
        })
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Takes the values of this tick, and the limits that they are judged by.
    pub(super) fn measure(
        &mut self,
        store: &mut Store,
        rules: &[Evaluator],
        slis: &Slis,
        now: Moment,
    ) {
        for kept in &mut self.all {
            kept.measure(Reader { store, rules }, slis, now);
            kept.trace(store);
        }
    }

    /// Learns from the values of this tick, once it is judged.
    pub(super) fn learn(&mut self, now: Moment) {
        self.all.iter_mut().for_each(|kept| kept.learn(now));
    }

    /// Where they stood at the latest tick.
    pub(super) fn readings(&self) -> impl Iterator<Item = &BandReading> {
        self.all.iter().map(|kept| &kept.reading)
    }
}

impl Kept {
    fn measure(&mut self, reader: Reader<'_>, slis: &Slis, now: Moment) {
        let judged = reader.holds(&self.judged);
        self.reading.value = match &self.value {
            _ if !judged => None,
            Shown::Quantile(q) => self
                .window
                .and_then(|place| slis.window(place).counts().quantile(*q)),
            Shown::Value(value) => reader.number(value),
        };
        let limits = self.band.limits(now.at_ms);
        self.reading.limits = limits.map(|limits| Limits {
            baseline: self.sign * limits.baseline,
            warning: self.sign * limits.warning,
            critical: self.sign * limits.critical,
        });
    }

    /// Lets rules read it.
    fn trace(&mut self, store: &mut Store) {
        let BandReading { budget, labels, .. } = &self.reading;
        let kept_by = labels.iter().map(|(key, value)| (*key, value.as_str()));
        let own = || std::iter::once(("budget", &**budget)).chain(kept_by.clone());
        let [of_value, of_levels @ ..] = &mut self.traced;
        store.trace(of_value, (OBSERVED, own()), self.reading.value);
        for (traced, (level, limit)) in of_levels.iter_mut().zip(self.reading.levels()) {
            store.trace(traced, (BAND, own().chain([("level", level)])), limit);
        }
    }

    /// Once in each interval, from the first window on that was lived through.
    fn learn(&mut self, now: Moment) {
        let since_ms = *self.since_ms.get_or_insert(now.at_ms);
        let interval = now.at_ms.div_euclid(self.every_ms);
        if std::mem::replace(&mut self.interval, interval) == interval {
            return;
        }
        let whole = now.at_ms - since_ms >= self.over_ms;
        if let Some(value) = self.reading.value.filter(|_| whole) {
            let fires = |cell: &StateCell| cell.state() == AlertState::Firing;
            let breached = self.cells.iter().any(fires);
            self.band.observe(now.at_ms, self.sign * value, breached);
        }
        self.reading.coverage = self.band.coverage(now.at_ms);
    }
}

#[cfg(test)]
mod tests;
