//! What is remembered of things that nobody has declared this time.

use std::collections::{HashMap, HashSet};

use super::loss::{Loss, Losses};
use super::table::{Table, name, names};
use crate::engine::UNMATCHED_AFTER;
use crate::engine::judge::Judge;
use crate::engine::moment::Moment;
use crate::expr::NAME;
use crate::histogram::nanos;

/// When it is time to look for them: once, when what is declared late is there.
#[derive(Debug, Default)]
pub(in crate::engine) struct Gone {
    /// What was too old when it was read.
    pub(super) late: Losses,
    first_ns: Option<u64>,
    looked: bool,
}

impl Gone {
    pub(super) fn is_due(&mut self, now: Moment) -> bool {
        let first_ns = *self.first_ns.get_or_insert(now.at_ns);
        let due = !self.looked && now.at_ns - first_ns >= nanos(UNMATCHED_AFTER);
        self.looked |= due;
        due
    }
}

impl Judge {
    /// Names everything that waits for something that is not there.
    pub(super) fn find_gone(&self, losses: &mut Losses) {
        self.find_gone_slos(losses);
        self.find_gone_budgets(losses);
        self.find_gone_rules(losses);
    }

    /// Each budget and SLO, and whether it is kept as one: then nothing of it is still to come.
    fn declared_names(&self) -> HashMap<&str, bool> {
        let promises = self.promises().iter();
        promises
            .map(|promise| (&*promise.budget.name, promise.is_kept_as_one()))
            .collect()
    }

    /// The names that only SLOs have left something of.
    fn left_by_slos(&self) -> HashSet<&str> {
        let memory = &self.slos.memory;
        owners(&memory.ledgers)
            .chain(owners(&memory.alerts.0))
            .chain(owners(&memory.maintenance))
            .collect()
    }

    fn find_gone_slos(&self, losses: &mut Losses) {
        let declared = self.declared_names();
        for slo in self.left_by_slos() {
            if !declared.contains_key(slo) {
                losses.add(Loss::Slo, slo);
            }
        }
        find_gone_alerts(&self.slos.memory.alerts.0, &declared, losses);
    }

    fn find_gone_budgets(&self, losses: &mut Losses) {
        let (declared, slos) = (self.declared_names(), self.left_by_slos());
        let (book, ours) = (&self.book, "plimsoll_");
        let series = book.store.memory.left();
        let (of_budgets, others): (Vec<_>, Vec<_>) = series.partition(|labels| {
            labels.get(NAME).starts_with(ours) && !labels.get("budget").is_empty()
        });
        let counted = of_budgets.iter().map(|labels| labels.get("budget"));
        let left = counted
            .chain(owners(&book.timers.0))
            .chain(owners(&book.bands.memory.0));
        for budget in left {
            if !declared.contains_key(budget) && !slos.contains(budget) {
                losses.add(Loss::Budget, budget);
            }
        }
        for family in others {
            losses.add(Loss::Family, family.get(NAME));
        }
        find_gone_alerts(&book.timers.0, &declared, losses);
        for budget in owners(&book.bands.memory.0) {
            if declared.get(budget) == Some(&true) {
                losses.add(Loss::Limits, budget);
            }
        }
    }

    fn find_gone_rules(&self, losses: &mut Losses) {
        let memory = &self.book.files.memory;
        for (group, rule) in memory.alerts.entries.keys().filter_map(|key| names(key)) {
            losses.add(Loss::Rule, format!("{group}/{rule}"));
        }
        // An alert's own series say nothing that its rule's name does not.
        let recorded = memory.recorded.left().map(|labels| labels.get(NAME));
        for family in recorded.filter(|name| !name.starts_with("ALERTS")) {
            losses.add(Loss::Rule, family);
        }
    }
}

fn owners(table: &Table) -> impl Iterator<Item = &str> {
    table.entries.keys().filter_map(|key| name(key))
}

/// Alerts of what is declared and kept as one, and has no such alert any more.
fn find_gone_alerts(alerts: &Table, declared: &HashMap<&str, bool>, losses: &mut Losses) {
    for (owner, level) in alerts.entries.keys().filter_map(|key| names(key)) {
        if declared.get(owner) == Some(&true) {
            losses.add(Loss::Alert, format!("{owner}/{level}"));
        }
    }
}
