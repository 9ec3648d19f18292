//! Rules that outlive the process.

use super::{Evaluator, Judged};
use crate::expr::Labels;
use crate::rule::alerts::Alert;
use crate::rule::{Rule, RuleKind, Timer};
use crate::window::Series;

/// What is remembered of an alert that is pending or firing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SavedAlert {
    pub(crate) labels: Labels,
    pub(crate) timer: Timer,
    pub(crate) active_at_ms: i64,
}

impl Evaluator {
    /// Shows every rule that alerts, with the name of its group and its alerts that are pending or firing.
    pub(crate) fn each_alerting(&self, mut show: impl FnMut(&str, &Rule, Vec<SavedAlert>)) {
        for group in &self.groups {
            for judged in group.rules.iter().filter(|judged| judged.alerts()) {
                let saved = judged.alerts.active().filter_map(Alert::save);
                show(&group.name, &judged.rule, saved.collect());
            }
        }
    }

    /// Lets every rule that alerts go on with the alerts that it is given.
    pub(crate) fn resume_alerts(&mut self, mut give: impl FnMut(&str, &Rule) -> Vec<SavedAlert>) {
        for group in &mut self.groups {
            for judged in group.rules.iter_mut().filter(|judged| judged.alerts()) {
                if let RuleKind::Alert(alert) = &judged.rule.kind {
                    judged.alerts.resume(alert, give(&group.name, &judged.rule));
                }
            }
        }
    }

    /// Shows every family that rules record, with the expressions that do.
    pub(crate) fn each_family(&self, mut show: impl FnMut(&str, String)) {
        let rules = || self.groups.iter().flat_map(|group| &group.rules);
        for name in self.recorded.names() {
            let exprs = rules().filter(|judged| match &judged.rule.kind {
                RuleKind::Record(recorded) => recorded == name,
                RuleKind::Alert(_) => false,
            });
            let exprs: Vec<_> = exprs.map(|judged| judged.rule.expr.to_string()).collect();
            show(name, exprs.join(" "));
        }
    }

    /// Every series that rules recorded.
    pub(crate) fn recorded(&self) -> impl Iterator<Item = (&Labels, &Series)> {
        self.recorded.all()
    }

    /// Lets a series that rules record go on; `recall` begins it, and says when it ended.
    pub(crate) fn resume_recorded(
        &mut self,
        labels: &Labels,
        recall: impl FnOnce(&mut Series) -> Option<i64>,
    ) {
        self.recorded.resume(labels, recall);
    }
}

impl Judged {
    fn alerts(&self) -> bool {
        matches!(self.rule.kind, RuleKind::Alert(_))
    }
}
