//! From an SLO to its alerts.

use std::time::Duration;

use super::burn::{BurnAlert, Severity, window};
use super::{Sli, Slo};
use crate::budget::{Labels, Level, SLI_BAD, SLI_VALID, wilson};
use crate::expr::{self, Expr, Selector};
use crate::rule::{Rule, RuleGroup, RuleKind};

/// Of a composite's part: whether it is kept now.
const NOW: Duration = Duration::from_secs(300);

/// One alert of an SLO, or of a part of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Alerting {
    /// `None` for the alert on silence.
    pub(crate) burn: Option<BurnAlert>,
    pub(crate) severity: Severity,
    pub(crate) condition: Expr,
    /// What people are shown, in the unit of the limit.
    pub(crate) shown: Expr,
    /// A burn rate, or a number of events.
    pub(crate) limit: f64,
    pub(crate) sustained: Duration,
}

impl Alerting {
    /// What tells it from the other alerts of the SLO.
    pub(crate) fn labels(&self) -> Vec<(&'static str, String)> {
        let severity = ("severity", self.severity.as_str().to_owned());
        match self.burn {
            Some(burn) => vec![
                severity,
                ("long", window(burn.long)),
                ("short", window(burn.short())),
            ],
            None => vec![severity, ("absent", "true".to_owned())],
        }
    }
}

impl Slo {
    /// The burn alerts that it has.
    pub(crate) fn burns(&self) -> Vec<BurnAlert> {
        let usual = || BurnAlert::usual(self.period);
        let mut burns = self.burn_alerts.clone().unwrap_or_else(usual);
        if self.reachable_only {
            let budget = self.error_budget();
            burns.retain(|burn| burn.limit(self.period, budget) < 1.0);
        }
        burns
    }

    /// The windows whose burn rates are read, the shortest first.
    pub(crate) fn windows(&self) -> Vec<Duration> {
        let burns = self.burns().into_iter();
        let mut windows: Vec<_> = burns.flat_map(|burn| [burn.short(), burn.long]).collect();
        windows.sort();
        windows.dedup();
        windows
    }

    /// The alerts of the part that is kept by these labels; of all parts, by their labels, for none.
    pub(crate) fn alertings(&self, labels: &Labels) -> Vec<Alerting> {
        let burns = self.burns().into_iter();
        let burns = burns.map(|burn| self.burning(burn, labels));
        burns.chain(self.absence(labels)).collect()
    }

    fn burning(&self, burn: BurnAlert, labels: &Labels) -> Alerting {
        let limit = burn.limit(self.period, self.error_budget());
        let (long, short) = (burn.long, burn.short());
        let judged = match self.confidence {
            None => self.error_ratio(long, labels),
            Some(confidence) => {
                let count =
                    |family| self.total(family, labels, |counter| Expr::increase(counter, long));
                wilson::lower_bound(count(SLI_BAD), count(SLI_VALID), wilson::z(confidence))
            }
        };
        let mut condition = judged.greater(limit);
        condition = condition.and(self.error_ratio(short, labels).greater(limit));
        if self.min_events > 0 {
            let events = self.total(SLI_VALID, labels, |counter| Expr::increase(counter, long));
            let least = self.min_events.saturating_mul(self.scale());
            condition = condition.and(events.greater_equal(least as f64));
        }
        let sustained = if self.half_window {
            short / 2
        } else {
            Duration::ZERO
        };
        Alerting {
            burn: Some(burn),
            severity: burn.severity,
            condition,
            shown: self.burn_rate(long, labels),
            limit: burn.factor(self.period),
            sustained,
        }
    }

    /// No event in half of the time, for the other half of it.
    fn absence(&self, labels: &Labels) -> Option<Alerting> {
        let half = self.absent_after? / 2;
        let events = self.total(SLI_VALID, labels, |counter| Expr::increase(counter, half));
        let silent = events.clone().binary(expr::Op::Equal, Expr::Number(0.0));
        let nobody = self.total(SLI_VALID, labels, |counter| Expr::select(counter).absent());
        Some(Alerting {
            burn: None,
            severity: Severity::Ticket,
            condition: silent.or(nobody),
            shown: events,
            limit: 0.0,
            sustained: half,
        })
    }

    /// The error ratio over a window.
    pub(crate) fn error_ratio(&self, over: Duration, labels: &Labels) -> Expr {
        let rate = |family| self.total(family, labels, |counter| Expr::rate(counter, over));
        let Sli::Weighted(of) = &self.sli else {
            return rate(SLI_BAD) / rate(SLI_VALID);
        };
        let ratio = |(name, weight): &(String, f64)| Expr::Number(*weight) * ratio_of(name, over);
        let sum = of.iter().map(ratio).reduce(|sum, next| sum + next);
        let weights: f64 = of.iter().map(|part| part.1).sum();
        sum.unwrap_or(Expr::Number(f64::NAN)) / Expr::Number(weights)
    }

    /// The burn rate over a window.
    pub(crate) fn burn_rate(&self, over: Duration, labels: &Labels) -> Expr {
        self.error_ratio(over, labels) / Expr::Number(self.error_budget())
    }

    /// What the counters of a part sum up to, or, for all parts, each by its labels.
    fn total(&self, family: &str, labels: &Labels, of: impl Fn(Selector) -> Expr) -> Expr {
        let names = match &self.sli {
            Sli::Weighted(of) => of.iter().map(|part| &*part.0).collect(),
            _ => vec![&*self.name],
        };
        let sum = |name: &str| {
            let of_parts = of(counter(family, name, labels));
            if labels.is_empty() && !self.per.is_empty() {
                of_parts.sum_by(self.per.iter().map(String::as_str))
            } else {
                of_parts.sum()
            }
        };
        let sums = names.into_iter().map(sum);
        let sums = sums.reduce(|all, next| all + next);
        sums.unwrap_or(Expr::Number(f64::NAN))
    }

    /// What its counters count, in words that are the same in the next process.
    pub(crate) fn counts(&self) -> String {
        let condition = self.condition().map(|condition| condition.to_string());
        format!("{:?} {condition:?} {:?}", self.sli, self.per)
    }

    /// What its ticks are judged by, if it counts ticks or slices.
    pub(crate) fn condition(&self) -> Option<Expr> {
        match &self.sli {
            Sli::Time(condition) | Sli::TimeSlice(condition, _) => Some(condition.clone()),
            Sli::AllOf(of) => {
                let kept = |(name, budget): &(String, f64)| {
                    ratio_of(name, NOW).binary(expr::Op::LessEqual, Expr::Number(*budget))
                };
                of.iter().map(kept).reduce(Expr::and)
            }
            _ => None,
        }
    }

    /// What Prometheus would get: one group with an alert for each burn alert, named after the SLO, with the labels `slo`,
    /// `severity`, `long` and `short`, and one with `absent` if that is asked for.
    ///
    /// ```
    /// use plimsoll::{Select, Slo};
    ///
    /// let api = Slo::availability("api", Select::http()).objective(0.999).rolling(30);
    /// let group = &api.rule_groups()[0];
    /// assert_eq!(group.rules.len(), 4);
    /// assert_eq!(
    ///     group.rules[0].expr.to_string(),
    ///     "((sum(rate(plimsoll_sli_bad_total{budget=\"api\",level=\"target\"}[1h])) / \
    ///      sum(rate(plimsoll_sli_valid_total{budget=\"api\",level=\"target\"}[1h]))) > 0.0144) and \
    ///      ((sum(rate(plimsoll_sli_bad_total{budget=\"api\",level=\"target\"}[5m])) / \
    ///      sum(rate(plimsoll_sli_valid_total{budget=\"api\",level=\"target\"}[5m]))) > 0.0144)",
    /// );
    /// ```
    pub fn rule_groups(&self) -> Vec<RuleGroup> {
        self.rule_groups_by([] as [&str; 0])
    }

    /// The same for each instance by itself: `instances` are the labels that tell them apart, such as `job` and `instance`.
    pub fn rule_groups_by<L: Into<String>>(
        &self,
        instances: impl IntoIterator<Item = L>,
    ) -> Vec<RuleGroup> {
        let instances: Vec<String> = instances.into_iter().map(Into::into).collect();
        let alertings = self.alertings(&Labels::from([])).into_iter();
        let rules = alertings.map(|mut alerting| {
            alerting.condition = each(alerting.condition, &instances);
            self.rule(alerting)
        });
        vec![RuleGroup::new(format!("plimsoll-slo-{}", self.name), rules)]
    }

    fn rule(&self, alerting: Alerting) -> Rule {
        let labels = alerting.labels().into_iter();
        let labels = labels.chain([("slo", self.name.clone())]);
        let labels = expr::Labels::new(labels);
        let mut rule = Rule::alert(&self.name, alerting.condition);
        rule.labels = labels;
        if let RuleKind::Alert(alert) = &mut rule.kind {
            alert.sustained = alerting.sustained;
            let summary = match alerting.burn {
                Some(burn) => format!(
                    "{} burns its error budget more than {} times as fast as it may, over {} and {}",
                    self.name,
                    alerting.limit,
                    window(burn.long),
                    window(burn.short())
                ),
                None => format!("{} has had no events", self.name),
            };
            alert.annotations.push(("summary".to_owned(), summary));
        }
        rule
    }
}

/// For each instance by itself; that nobody counts at all can only be said of all of them.
fn each(condition: Expr, instances: &[String]) -> Expr {
    match (condition.kept_by(instances), condition) {
        (Some(kept), _) => kept,
        (None, Expr::Binary(silent, expr::Op::Or, _, nobody)) => {
            silent.kept_by(instances).unwrap_or(*silent).or(*nobody)
        }
        (None, other) => other,
    }
}

fn counter(family: &str, name: &str, labels: &Labels) -> Selector {
    let of_slo = Selector::new(family)
        .label("budget", name)
        .label("level", Level::Target.as_str());
    labels.iter().fold(of_slo, |selector, (key, value)| {
        selector.label(*key, value.as_str())
    })
}

/// The error ratio of all parts of an SLO together.
fn ratio_of(name: &str, over: Duration) -> Expr {
    let rate = |family| Expr::rate(counter(family, name, &Labels::from([])), over).sum();
    rate(SLI_BAD) / rate(SLI_VALID)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Select;

    fn api() -> Slo {
        Slo::availability("api", Select::http())
            .objective(0.999)
            .rolling(30)
    }

    fn first(slo: &Slo) -> String {
        slo.rule_groups()[0].rules[0].expr.to_string()
    }

    #[test]
    fn alerts_bear_the_name_and_tell_their_windows() {
        let rules = &api().rule_groups()[0].rules;
        let labels: Vec<_> = rules.iter().map(|rule| rule.labels.to_string()).collect();
        assert_eq!(
            labels[0],
            r#"{long="1h", severity="page", short="5m", slo="api"}"#
        );
        assert_eq!(
            labels[3],
            r#"{long="3d", severity="ticket", short="6h", slo="api"}"#
        );
        let RuleKind::Alert(alert) = &rules[0].kind else {
            panic!("an alert")
        };
        assert_eq!((&*alert.name, alert.sustained), ("api", Duration::ZERO));
    }

    #[test]
    fn options_are_part_of_the_expression() {
        let text = first(&api().min_events(100).confidence(0.95));
        assert!(text.ends_with(r#"and (sum(increase(plimsoll_sli_valid_total{budget="api",level="target"}[1h])) >= 100)"#), "{text}");
        assert!(
            text.contains("sqrt(") && text.contains("1.644854"),
            "{text}"
        );
        let rules = api()
            .sustained_half_window()
            .absent_after(Duration::from_secs(600))
            .rule_groups();
        let sustained = |at: usize| match &rules[0].rules[at].kind {
            RuleKind::Alert(alert) => alert.sustained.as_secs(),
            RuleKind::Record(_) => panic!("an alert"),
        };
        assert_eq!((sustained(0), sustained(1), sustained(4)), (150, 900, 300));
        assert_eq!(
            rules[0].rules[4].expr.to_string(),
            r#"(sum(increase(plimsoll_sli_valid_total{budget="api",level="target"}[5m])) == 0) or sum(absent(plimsoll_sli_valid_total{budget="api",level="target"}))"#
        );
    }

    #[test]
    fn parts_are_told_apart_by_their_labels() {
        let by_route = api().per("route");
        assert!(first(&by_route).contains("sum by (route) (rate("));
        let part = Labels::from([("route", "/orders".to_owned())]);
        let of_part = by_route.alertings(&part)[0].condition.to_string();
        assert!(
            of_part.contains(r#"level="target",route="/orders"}"#)
                && !of_part.contains("by (route)")
        );
    }

    #[test]
    fn a_composite_reads_the_counters_of_its_parts() {
        let (a, b) = (api(), Slo::availability("db", Select::db()).objective(0.99));
        let weighted = Slo::weighted("shop", [(&a, 3.0), (&b, 1.0)]).objective(0.999);
        let ratio = weighted
            .error_ratio(Duration::from_secs(60), &Labels::from([]))
            .to_string();
        let of = |name: &str| {
            let labels = format!(r#"{{budget="{name}",level="target"}}[1m]"#);
            format!(
                "(sum(rate(plimsoll_sli_bad_total{labels})) / sum(rate(plimsoll_sli_valid_total{labels})))"
            )
        };
        assert_eq!(
            ratio,
            format!("((3 * {}) + (1 * {})) / 4", of("api"), of("db"))
        );
        let all = Slo::all_of("both", [&a, &b])
            .condition()
            .expect("a condition")
            .to_string();
        assert!(
            all.contains("<= 0.001) and (") && all.ends_with("<= 0.01)"),
            "{all}"
        );
        assert!(all.contains("[5m]"), "{all}");
    }

    #[test]
    fn what_is_shown_is_the_burn_rate_of_the_long_window() {
        let shown = api().alertings(&Labels::from([]))[0].shown.to_string();
        assert!(shown.contains("[1h]") && !shown.contains("[5m]"), "{shown}");
    }

    #[test]
    fn an_error_ratio_of_1_is_out_of_reach() {
        let whole = BurnAlert::new(Severity::Page, 1.0, 3 * Duration::from_secs(86_400));
        let slo = api().objective(0.9).burn_alerts([whole]);
        assert_eq!(
            (slo.burns().len(), slo.reachable_burn_alerts().burns()),
            (1, Vec::new())
        );
    }
}
