//! A process that is down counts nothing, so what it promises about availability needs somebody outside who looks.

use std::time::Duration;

use super::Scoped;
use super::scope::Scope;
use super::texts::description;
use crate::expr::{Expr, Op, Selector};
use crate::rule::{Rule, RuleGroup};
use crate::slo::{Sli, Slo};

/// A scrape may get lost, two in a row hardly do.
const SUSTAINED: Duration = Duration::from_secs(60);

/// What the alert is called that tells that nobody counts for an SLO any more, if there is one.
pub(in crate::generate) fn alert_of_down(slo: &Slo) -> Option<String> {
    let is_there = matches!(slo.sli, Sli::Availability(_) | Sli::Time(_));
    is_there.then(|| format!("{}-down", slo.name))
}

impl Scoped<'_> {
    /// Of an SLO of availability: `<slo>-down`, a page when no instance is there, a ticket for each that is not.
    pub(super) fn down(self, slo: &Slo) -> Option<RuleGroup> {
        let alert = alert_of_down(slo)?;
        let none = |up: Expr| up.binary(Op::Equal, Expr::Number(0.0));
        // With the job, which `absent` gives to its element.
        let up = || Expr::select(Selector::new("up").label("job", self.job));
        let (condition, severity, said) = match self.scope {
            Scope::Instance => (none(up()), "ticket", "it does not answer the scrape."),
            Scope::Fleet => (
                none(up().sum()).or(up().absent()),
                "page",
                "none answers the scrape, so nothing is counted and no other alert can fire.",
            ),
        };
        let rule = Rule::alert(alert, condition)
            .sustained(SUSTAINED)
            .label("slo", &slo.name)
            .label("severity", severity)
            .annotation("summary", format!("{} cannot be judged: {said}", slo.name));
        let texts = vec![description(&self.of(&slo.name, &[]), said)];
        let name = format!("plimsoll-slo-{}-{}-down", slo.name, self.scope.as_str());
        Some(RuleGroup::new(
            name,
            self.escalated(self.alert(rule, texts)),
        ))
    }
}
