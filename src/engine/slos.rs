//! SLOs, tick by tick: what they count by themselves, their error budgets and their alerts.
//!
//! Operations are counted by the [`Promise`] of each SLO, as for a budget that is not judged; this adds whatever is counted in
//! ticks or slices, keeps a [`Ledger`] for each part, and judges burn alerts as rules.

#[cfg(feature = "state")]
mod saved;
mod source;

use std::time::{Duration, SystemTime};

use super::cell::StateCell;
use super::judged::{Judged, Judging};
use super::memory::SloMemory;
use super::moment::Moment;
use super::promise::Promise;
use super::reader::Reader;
use super::sli::Slis;
use crate::alert::Event;
use crate::budget::{Labels, Level, Rule, Shown};
use crate::expr::Expr;
use crate::rule::AlertState;
use crate::slo::{
    AlertReading, Alerting, BurnRateReading, Ledger, Period, Severity, Slo, SloReading, SloState,
    Standing, Tally, millis_since_1970, window_name,
};
use source::{Look, Source};

/// All SLOs of an instance.
#[derive(Debug)]
pub(crate) struct Slos {
    all: Vec<Kept>,
    /// How many of the SLI counters were looked at.
    counters: usize,
    latest: Now,
    /// By the wall clock, when counters were brought up to date last.
    looked_ms: i64,
    /// What is to be sampled for what is new.
    unread: Vec<Expr>,
    /// Of the process before.
    pub(super) memory: SloMemory,
}

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Never goes back.
    pub(super) moment: Moment,
    /// What the calendar says.
    pub(super) wall: SystemTime,
}

impl Now {
    fn wall_ms(self) -> i64 {
        millis_since_1970(self.wall)
    }

    /// By the clock that a period goes by.
    fn of(self, period: Period) -> i64 {
        match period {
            Period::Calendar(..) => self.wall_ms(),
            _ => self.moment.at_ms,
        }
    }
}

/// An SLO, and what it is kept as.
#[derive(Debug)]
struct Kept {
    slo: Slo,
    /// Its place among the promises.
    promise: usize,
    source: Source,
    parts: Vec<Part>,
    /// When it was counted last, and how long after the time before.
    latest_ms: i64,
    latest_gap_ms: i64,
}

/// What has an error budget of its own.
#[derive(Debug)]
pub(super) struct Part {
    labels: Labels,
    /// The place of its counters; `None` for a weighted composite.
    counter: Option<usize>,
    /// What the counters held when the ledger was last added to.
    seen: Tally,
    ledger: Ledger,
    standing: Standing,
    alerts: Vec<Alert>,
    burn_rates: Vec<(String, Expr)>,
    state: (SloState, SystemTime),
}

/// An alert of a part.
#[derive(Debug)]
struct Alert {
    alerting: Alerting,
    judged: Judged,
    cell: StateCell,
}

impl Slos {
    pub(super) fn new(now: Now, memory: SloMemory) -> Self {
        Self {
            all: Vec::new(),
            counters: 0,
            latest: now,
            looked_ms: now.wall_ms(),
            unread: Vec::new(),
            memory,
        }
    }

    /// What comes from now on begins now.
    pub(super) fn come_to(&mut self, now: Now) {
        self.latest = now;
    }

    /// All of them, as they are declared.
    pub(super) fn declared(&self) -> impl Iterator<Item = &Slo> {
        self.all.iter().map(|kept| &kept.slo)
    }

    /// The latest SLO counts what counters of the service's own count from now on; `sampled` if those that there are have a
    /// sample of now.
    pub(super) fn begin_latest(&mut self, reader: Reader<'_>, sampled: bool) {
        if let Some(kept) = self.all.last_mut() {
            kept.source.begin(reader, sampled);
        }
    }

    /// Changes the maintenance of an SLO as of the latest look; `None` if there is no such SLO.
    pub(super) fn maintain<T>(
        &mut self,
        slo: &str,
        change: impl FnOnce(&mut Slo, i64) -> T,
    ) -> Option<T> {
        let mut all = self.all.iter_mut();
        let kept = all.find(|kept| kept.slo.name == slo)?;
        Some(change(&mut kept.slo, self.looked_ms))
    }

    /// Takes up an SLO, whose promise is the one at this place.
    pub(super) fn add(&mut self, mut slo: Slo, promise: usize, slis: &mut Slis) {
        self.memory
            .resume_maintenance(&mut slo, self.latest.moment.at_ms);
        let source = Source::new(&slo);
        if source.counts_by_hand() {
            slis.count_by_hand(&slo.name);
        }
        source.exprs(&mut self.unread);
        let counts = !source.is_composite();
        self.all.push(Kept {
            promise,
            source,
            parts: Vec::new(),
            latest_ms: self.latest.moment.at_ms,
            latest_gap_ms: i64::MAX / 2,
            slo,
        });
        if !counts {
            self.take_up(self.all.len() - 1, Labels::from([]), None);
        }
    }

    /// Takes up the parts whose counters are new; returns everything that is to be sampled for what is new.
    pub(super) fn adopt(&mut self, slis: &Slis) -> Vec<Expr> {
        let new = slis.counts().enumerate().skip(self.counters);
        for (at, count) in new {
            let of_it = |kept: &Kept| *kept.slo.name == *count.budget;
            if let Some(kept) = self.all.iter().position(of_it) {
                self.take_up(kept, count.labels.clone(), Some(at));
            }
        }
        self.counters = slis.counts().len();
        std::mem::take(&mut self.unread)
    }

    fn take_up(&mut self, kept: usize, labels: Labels, counter: Option<usize>) {
        let kept = &mut self.all[kept];
        let mut part = Part::new(&kept.slo, labels, counter, self.latest);
        self.memory.resume(&kept.slo, &mut part);
        for alert in &mut part.alerts {
            self.memory
                .alerts
                .resume(&mut alert.judged, self.latest.moment);
        }
        let conditions = part
            .alerts
            .iter()
            .map(|alert| &alert.judged.rule().condition);
        let rates = part.burn_rates.iter().map(|rate| &rate.1);
        self.unread.extend(conditions.chain(rates).cloned());
        kept.parts.push(part);
    }

    /// What is counted between the latest look and this one is left out where all of it lies within maintenance.
    pub(super) fn exclude(&mut self, slis: &mut Slis, wall: SystemTime) {
        let (from_ms, to_ms) = (self.looked_ms, millis_since_1970(wall));
        self.looked_ms = to_ms;
        for kept in &self.all {
            let mut times = kept.slo.maintenance.iter();
            let excluding = times.any(|time| time.covers(from_ms, to_ms));
            let counters = kept.parts.iter().filter_map(|part| part.counter);
            counters.for_each(|at| slis.exclude(at, excluding));
        }
    }

    /// Counts ticks and slices, by the samples of this tick; they are in the samples of the next one.
    pub(super) fn count(&mut self, slis: &mut Slis, reader: Reader<'_>, now: Now) {
        self.latest = now;
        for kept in &mut self.all {
            kept.count(slis, reader, now);
        }
        for at in 0..self.all.len() {
            let weighed = self.weigh(at);
            let kept = &mut self.all[at];
            if let (Some(standing), [part]) = (weighed, &mut kept.parts[..]) {
                part.standing = standing;
            }
        }
    }

    /// Where a weighted composite stands; `None` for anything else.
    fn weigh(&self, at: usize) -> Option<Standing> {
        let of = self.all[at].source.weights()?;
        let (mut sum, mut weights, mut coverage) = (Some(0.0), 0.0, 1.0_f64);
        for (name, weight) in of {
            let part = self.all.iter().position(|kept| kept.slo.name == *name)?;
            let covered = self.all[part].parts.first()?.standing.coverage;
            sum = sum
                .zip(self.all[part].error_ratio())
                .map(|(sum, ratio)| sum + weight * ratio);
            weights += weight;
            coverage = coverage.min(covered);
        }
        let ratio = sum.map(|sum| sum / weights);
        Some(Standing::new(
            &self.all[at].slo,
            Tally::default(),
            ratio,
            coverage,
        ))
    }

    /// Judges every alert.
    pub(super) fn judge(
        &mut self,
        tick: &mut Judging<'_>,
        promises: &[Promise],
        events: &mut Vec<Event>,
    ) {
        for kept in &mut self.all {
            for part in &mut kept.parts {
                part.judge(tick, events);
                promises[kept.promise].tell(&part.labels, || part.pages());
            }
        }
    }

    /// How many alerts there are.
    pub(super) fn rules(&self) -> usize {
        let parts = self.all.iter().flat_map(|kept| &kept.parts);
        parts.map(|part| part.alerts.len()).sum()
    }

    /// Shows where every part stands.
    pub(super) fn each(&self, mut show: impl FnMut(&Slo, &Labels, Standing)) {
        for kept in &self.all {
            let parts = kept.parts.iter();
            parts.for_each(|part| show(&kept.slo, &part.labels, part.standing));
        }
    }

    /// Shows every burn rate that has a value, by the samples of the latest tick.
    pub(super) fn each_burn_rate(
        &self,
        reader: Reader<'_>,
        mut show: impl FnMut(&Slo, &Labels, &str, f64),
    ) {
        for kept in &self.all {
            for part in &kept.parts {
                for (window, rate) in &part.burn_rates {
                    if let Some(rate) = reader.number(rate) {
                        show(&kept.slo, &part.labels, window, rate);
                    }
                }
            }
        }
    }

    /// The places of all counters of SLOs.
    pub(super) fn counter_places(&self) -> impl Iterator<Item = usize> {
        let parts = self.all.iter().flat_map(|kept| &kept.parts);
        parts.filter_map(|part| part.counter)
    }

    /// Everything there is to say, by the samples of the latest tick.
    pub(super) fn readings(&self, reader: Reader<'_>) -> Vec<SloReading> {
        let reading = |kept: &'_ Kept| {
            let parts = kept.parts.iter();
            parts
                .map(|part| part.reading(&kept.slo, reader))
                .collect::<Vec<_>>()
        };
        self.all.iter().flat_map(reading).collect()
    }
}

impl Kept {
    fn count(&mut self, slis: &mut Slis, reader: Reader<'_>, now: Now) {
        let at_ms = now.moment.at_ms;
        let gap_ms = at_ms - self.latest_ms;
        self.latest_ms = at_ms;
        // Where ticks are counted, those that were missed were not looked at.
        let usual_ms = gap_ms.min(self.latest_gap_ms.saturating_mul(2));
        self.latest_gap_ms = gap_ms.max(1);
        let by_hand = self.parts.first().and_then(|part| part.counter);
        let observed_ms = match by_hand.filter(|_| self.source.counts_by_hand()) {
            Some(counter) => {
                let look = Look {
                    at_ms,
                    gap_ms,
                    usual_ms,
                };
                self.source.count(slis, counter, reader, look)
            }
            None => gap_ms,
        };
        for part in &mut self.parts {
            part.enter(&self.slo, slis, now.of(self.slo.period), observed_ms);
        }
    }

    /// Of the period, for one that is kept as one.
    fn error_ratio(&self) -> Option<f64> {
        self.parts.first()?.standing.error_ratio
    }
}

impl Part {
    fn new(slo: &Slo, labels: Labels, counter: Option<usize>, now: Now) -> Self {
        let now_ms = now.of(slo.period);
        let ledger = Ledger::new(slo.period, now_ms);
        let alertings = slo.alertings(&labels).into_iter();
        let windows = slo.windows().into_iter();
        let burn_rate = |over| (window_name(over), slo.burn_rate(over, &labels));
        Self {
            counter,
            seen: Tally::default(),
            standing: Standing::of(slo, &ledger, now_ms),
            ledger,
            alerts: alertings
                .map(|alerting| Alert::new(slo, &labels, alerting))
                .collect(),
            burn_rates: windows.map(burn_rate).collect(),
            state: (SloState::InsufficientData, now.wall),
            labels,
        }
    }

    /// Adds what was counted since the latest tick to the ledger.
    fn enter(&mut self, slo: &Slo, slis: &Slis, now_ms: i64, observed_ms: i64) {
        let count = self.counter.map(|at| slis.count(at));
        let counted = count.map_or(Tally::default(), |count| Tally {
            valid: count.valid,
            bad: count.bad,
            excluded: count.excluded,
            observed_ms: 0,
        });
        let seen = std::mem::replace(&mut self.seen, counted);
        let grown = Tally {
            valid: counted.valid - seen.valid,
            bad: counted.bad - seen.bad,
            excluded: counted.excluded - seen.excluded,
            observed_ms: observed_ms.max(0) as u64,
        };
        self.ledger.add(now_ms, grown);
        self.standing = Standing::of(slo, &self.ledger, now_ms);
    }

    /// While a page fires nobody is told of tickets.
    fn judge(&mut self, tick: &mut Judging<'_>, events: &mut Vec<Event>) {
        let alerts = &mut self.alerts;
        alerts.iter_mut().for_each(|alert| alert.judged.step(tick));
        let paging = alerts.iter().any(|alert| alert.pages() && alert.fires());
        for alert in alerts.iter_mut() {
            let folded = paging && !alert.pages();
            events.extend(alert.judged.announce(folded, tick.now));
        }
        let burning = alerts.iter().any(Alert::fires);
        let Standing {
            error_ratio,
            remaining,
            ..
        } = self.standing;
        let state = SloState::of(error_ratio, remaining, burning);
        if state != self.state.0 {
            self.state = (state, tick.now);
        }
    }

    /// Where those alerts stand that somebody is called for.
    fn pages(&self) -> impl Iterator<Item = &StateCell> {
        let pages = self.alerts.iter().filter(|alert| alert.pages());
        pages.map(|alert| &alert.cell)
    }

    fn reading(&self, slo: &Slo, reader: Reader<'_>) -> SloReading {
        let burn_rate = |(window, rate): &(String, Expr)| BurnRateReading {
            window: window.clone(),
            rate: reader.number(rate),
        };
        let burn_rates = self.burn_rates.iter().map(burn_rate).collect();
        let alerts = self.alerts.iter().map(Alert::reading).collect();
        slo.reading(
            &self.labels,
            &self.ledger,
            self.standing,
            burn_rates,
            alerts,
            self.state,
        )
    }
}

impl Alert {
    fn new(slo: &Slo, labels: &Labels, alerting: Alerting) -> Self {
        let cell = StateCell::new();
        let rule = Rule {
            budget: slo.name.as_str().into(),
            labels: labels.iter().cloned().chain(alerting.labels()).collect(),
            level: match alerting.severity {
                Severity::Page => Level::Critical,
                Severity::Ticket => Level::Warning,
            },
            condition: alerting.condition.clone(),
            shown: Shown::Value(alerting.shown.clone()),
            limit: alerting.limit,
            unit: "",
            sustained: alerting.sustained,
            keep_firing: Duration::ZERO,
            limit_now: None,
        };
        Self {
            judged: Judged::new(rule, None, cell.clone()),
            alerting,
            cell,
        }
    }

    /// Whether somebody is called for it.
    fn pages(&self) -> bool {
        self.alerting.severity == Severity::Page
    }

    fn fires(&self) -> bool {
        self.judged.reading().state == AlertState::Firing
    }

    fn reading(&self) -> AlertReading {
        let stands = self.judged.reading();
        let burn = self.alerting.burn;
        AlertReading {
            severity: self.alerting.severity,
            long: burn.map(|burn| window_name(burn.long)),
            short: burn.map(|burn| window_name(burn.short())),
            limit: self.alerting.limit,
            state: stands.state,
            since: stands.since,
        }
    }
}

#[cfg(test)]
mod tests;
