//! A rule, tick by tick.

#[cfg(feature = "state")]
mod saved;

use std::sync::Arc;
use std::time::SystemTime;

use super::breach::Breach;
use super::cell::StateCell;
use super::reader::Reader;
use super::sli::{Place, Slis};
use super::state::BudgetReading;
use super::store::{Marks, Plan, Store};
use crate::alert::{Event, EventKind};
use crate::budget::{Level, Rule, Shown};
use crate::registry::Registry;
use crate::rule::{AlertState, Evaluator, Machine};
#[cfg(feature = "state")]
pub(super) use saved::SavedJudged;

/// What a rule is judged by at a tick.
pub(super) struct Judging<'a> {
    pub(super) registry: &'a Registry,
    pub(super) store: &'a mut Store,
    pub(super) rules: &'a [Evaluator],
    pub(super) slis: &'a Slis,
    pub(super) now_ns: u64,
    /// What a duration may lack and be over.
    pub(super) slack_ns: u64,
    pub(super) now: SystemTime,
}

impl Judging<'_> {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            store: self.store,
            rules: self.rules,
        }
    }
}

/// A rule and where it stands.
#[derive(Debug)]
pub(super) struct Judged {
    rule: Rule,
    machine: Machine,
    /// The window that its quantile is read from.
    window: Option<Place>,
    reading: BudgetReading,
    /// Whether the subscribers know that it fires.
    told: bool,
    /// Where it is told to whoever acts on it.
    cell: StateCell,
    /// The one that goes on.
    breach: Option<Breach>,
    /// Whether its breaches are among those whose durations are kept.
    is_timed: bool,
    /// Since when one fires that began in the process before.
    resumed_ns: Option<i64>,
    /// When it last stopped firing.
    recovered_ns: Option<u64>,
    /// What other rules read of it.
    marks: Marks,
    plans: Plans,
}

/// How its expressions are evaluated.
#[derive(Debug, Default)]
struct Plans {
    condition: Plan,
    shown: Plan,
    limit: Plan,
}

impl Judged {
    pub(super) fn new(rule: Rule, window: Option<Place>, cell: StateCell) -> Self {
        let machine = Machine::new(rule.sustained, rule.keep_firing);
        let is_timed = !Breach::is_judged_by(&rule.condition);
        let reading = BudgetReading {
            budget: rule.budget.to_string(),
            labels: rule.labels.clone(),
            level: rule.level,
            state: machine.state(),
            folded: false,
            value: None,
            limit: rule.limit,
            unit: rule.unit,
            since: None,
        };
        Self {
            rule,
            machine,
            window,
            reading,
            told: false,
            cell,
            breach: None,
            is_timed,
            resumed_ns: None,
            recovered_ns: None,
            marks: Marks::default(),
            plans: Plans::default(),
        }
    }

    pub(super) fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Where it stood at the latest tick.
    pub(super) fn reading(&self) -> &BudgetReading {
        &self.reading
    }

    /// Judges once.
    pub(super) fn step(&mut self, tick: &mut Judging<'_>) {
        let (reader, plans) = (tick.reader(), &mut self.plans);
        let holds = plans.condition.holds(&self.rule.condition, reader);
        self.reading.value = match &self.rule.shown {
            Shown::Quantile(q) => self
                .window
                .and_then(|place| tick.slis.window(place).counts().quantile(*q)),
            Shown::Value(value) => plans.shown.number(value, reader),
        };
        if let Some(limit) = &self.rule.limit_now {
            let limit = plans.limit.number(limit, reader);
            self.reading.limit = limit.unwrap_or(self.rule.limit);
        }
        let (now_ns, now) = (tick.now_ns, tick.now);
        let Rule { budget, level, .. } = &self.rule;
        let begin = |since_ns| match self.is_timed {
            true => Breach::begin(tick.registry, budget, *level, since_ns),
            false => None,
        };
        if let Some(since_ns) = self.resumed_ns.take() {
            self.breach = begin(since_ns);
        }
        let before = self.machine.state();
        self.machine.step(holds, now_ns as i64, tick.slack_ns);
        let after = self.machine.state();
        self.reading.state = after;
        tick.store.mark(&mut self.marks, &self.rule, before, after);
        if before == AlertState::Inactive && after != AlertState::Inactive {
            self.reading.since = Some(now);
        }
        match (before == AlertState::Firing, after == AlertState::Firing) {
            (false, true) => {
                self.breach = begin(now_ns as i64);
            }
            (true, false) => {
                self.recovered_ns = Some(now_ns);
                if let Some(breach) = self.breach.take() {
                    breach.end(now_ns);
                }
            }
            _ => {}
        }
        let quiet = self.recovered_ns.map(|since_ns| now_ns - since_ns);
        self.cell.store(after, quiet);
    }

    /// Whether it is another level of the same part.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.rule.budget, &other.rule.budget)
    }

    fn fires(&self) -> bool {
        self.reading.state == AlertState::Firing
    }

    /// What is to be announced: an edge that nobody was told of, unless it is folded now.
    pub(super) fn announce(&mut self, folded: bool, now: SystemTime) -> Option<Event> {
        self.reading.folded = folded;
        let edge = (!folded && self.told != self.fires()).then(|| {
            self.told = self.fires();
            match self.told {
                true => EventKind::Breach,
                false => EventKind::Recovery,
            }
        });
        let event = edge.map(|kind| self.event(kind, now));
        if self.reading.state == AlertState::Inactive {
            self.reading.since = None;
        }
        event
    }

    fn event(&self, kind: EventKind, now: SystemTime) -> Event {
        Event {
            kind,
            budget: self.rule.budget.clone(),
            labels: self.rule.labels.clone(),
            level: self.rule.level,
            value: self.reading.value,
            limit: self.reading.limit,
            unit: self.rule.unit,
            since: self.reading.since.unwrap_or(now),
            at: now,
        }
    }
}

/// What the levels of one part have to announce. Only the gravest that fires is told of; what changes beneath it is told
/// once it is over, so that every breach that was announced has its recovery.
pub(super) fn announce(levels: &mut [Judged], now: SystemTime) -> Vec<Event> {
    let firing = levels.iter().filter(|judged| judged.fires());
    let gravest = firing.map(|judged| judged.rule.level).max();
    let mut events = Vec::new();
    for judged in levels {
        let level = judged.rule.level;
        let folded = level != Level::Absent && gravest.is_some_and(|gravest| level < gravest);
        events.extend(judged.announce(folded, now));
    }
    events
}
