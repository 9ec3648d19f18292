//! SLOs with the names and labels of sloth, for dashboards that were made for it.
//!
//! Its ratio over the period is the mean of the five-minute ratios, in which a quiet hour weighs as much as a busy one: OpenSLO
//! calls that ratio time slices. It is another number than events over events, and what those dashboards show.

use std::time::Duration;

use super::recorded::constant;
use super::texts::{description, plain, plain_labels};
use super::{Scoped, narrowed};
use crate::budget::Labels;
use crate::expr::{Aggregation, Expr, Group, Grouping, Matching, Op, Over, Selector};
use crate::rule::{Rule, RuleGroup, RuleKind};
use crate::slo::{Alerting, BurnAlert, Slo};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The windows that its dashboards know.
const WINDOWS: [u64; 7] = [
    5 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    6 * HOUR,
    DAY,
    3 * DAY,
];

const ID: [&str; 3] = ["sloth_id", "sloth_service", "sloth_slo"];
const WINDOW: &str = "sloth_window";

impl Scoped<'_> {
    pub(super) fn sloth(self, slo: &Slo) -> Vec<RuleGroup> {
        let id = self.id(slo);
        let group = |what: &str, rules| RuleGroup::new(format!("sloth-slo-{what}-{id}"), rules);
        let mut groups = vec![
            group("sli-recordings", self.slis(slo)),
            group("meta-recordings", self.meta(slo)),
        ];
        let alerts = self.sloth_alerts(slo);
        if !alerts.is_empty() {
            groups.push(group("alerts", alerts));
        }
        groups
    }

    fn id(self, slo: &Slo) -> String {
        format!("{}-{}", self.service, slo.name)
    }

    fn values(self, slo: &Slo) -> [String; 3] {
        [self.id(slo), self.service.to_owned(), slo.name.clone()]
    }

    /// A recorded family of this SLO.
    fn family(self, slo: &Slo, name: impl Into<String>) -> Selector {
        let labels = ID.into_iter().zip(self.values(slo));
        labels.fold(Selector::new(name), |selector, (key, value)| {
            selector.label(key, value)
        })
    }

    fn sli(self, slo: &Slo, over: Duration) -> Selector {
        self.family(slo, format!("slo:sli_error:ratio_rate{}", window(over)))
    }

    fn labelled(self, slo: &Slo, rule: Rule) -> Rule {
        let labels = ID.into_iter().zip(self.values(slo));
        labels.fold(rule, |rule, (key, value)| rule.label(key, &value))
    }

    fn slis(self, slo: &Slo) -> Vec<Rule> {
        let mut windows = slo.windows();
        windows.extend(WINDOWS.map(Duration::from_secs));
        windows.sort();
        windows.dedup();
        let period = slo.period.nominal();
        windows.retain(|over| *over != period);
        let record = |over: Duration| {
            let ratio = slo.error_ratio(over, &Labels::from([]));
            let ratio = narrowed(&ratio, self.job, self.scope);
            let rule = Rule::record(self.sli(slo, over).name(), ratio);
            self.labelled(slo, rule.label(WINDOW, &window(over)))
        };
        let mut rules: Vec<Rule> = windows.into_iter().map(record).collect();
        let five = || self.sli(slo, Duration::from_secs(5 * MINUTE));
        let sum = Expr::Over(Over::Sum, five(), period);
        let count = Expr::Over(Over::Count, five(), period);
        let mean = sum.binary_on(Op::Div, Matching::ignoring([WINDOW]), count);
        let rule = Rule::record(self.sli(slo, period).name(), mean);
        rules.push(self.labelled(slo, rule.label(WINDOW, &window(period))));
        rules
    }

    fn meta(self, slo: &Slo) -> Vec<Rule> {
        let budget = slo.error_budget();
        let objective = slo.objective.unwrap_or(f64::NAN);
        let period = slo.period.nominal();
        let burns = |over: Duration| {
            let matching = Matching::on(["sloth_id", "sloth_slo", "sloth_service"]);
            let matching = matching.group(Group::Left(Vec::new()));
            let ratio = Expr::select(self.sli(slo, over));
            ratio.binary_on(
                Op::Div,
                matching,
                Expr::select(self.family(slo, "slo:error_budget:ratio")),
            )
        };
        let spent = Expr::select(self.family(slo, "slo:period_burn_rate:ratio"));
        let days = period.as_secs_f64() / DAY as f64;
        let rules = [
            ("slo:objective:ratio", constant(objective)),
            ("slo:error_budget:ratio", constant(budget)),
            ("slo:time_period:days", constant(days)),
            (
                "slo:current_burn_rate:ratio",
                burns(Duration::from_secs(5 * MINUTE)),
            ),
            ("slo:period_burn_rate:ratio", burns(period)),
            (
                "slo:period_error_budget_remaining:ratio",
                Expr::Number(1.0) - spent,
            ),
        ];
        let rules = rules
            .into_iter()
            .map(|(name, expr)| Rule::record(name, expr));
        let percent = (objective * 1e14).round() / 1e12;
        let info = Rule::record("sloth_slo_info", constant(1.0))
            .label("sloth_mode", "plimsoll")
            .label("sloth_objective", &percent.to_string())
            .label("sloth_spec", "prometheus/v1")
            .label("sloth_version", "plimsoll");
        rules
            .chain([info])
            .map(|rule| self.labelled(slo, rule))
            .collect()
    }

    /// One alert for each severity, of all its pairs of windows, as sloth has them.
    fn sloth_alerts(self, slo: &Slo) -> Vec<Rule> {
        let mut alerts: Vec<(Alerting, Expr)> = Vec::new();
        let mut silence = Vec::new();
        for alerting in slo.alertings(&Labels::from([])) {
            let Some(burn) = alerting.burn else {
                silence.push(alerting);
                continue;
            };
            let pair = self.pair(slo, burn, &alerting);
            let same = |known: &&mut (Alerting, Expr)| {
                (known.0.severity, known.0.sustained) == (alerting.severity, alerting.sustained)
            };
            match alerts.iter_mut().find(same) {
                Some((_, any)) => {
                    let either = any.clone();
                    *any = either.binary_on(Op::Or, Matching::ignoring([WINDOW]), pair);
                }
                None => alerts.push((alerting, pair)),
            }
        }
        let of_silence = silence.into_iter().map(|alerting| {
            let silent = narrowed(&alerting.condition, self.job, self.scope);
            (alerting, silent)
        });
        let alerts = alerts.into_iter().chain(of_silence);
        let rules = alerts.map(|(alerting, expr)| self.sloth_alert(slo, &alerting, expr));
        rules.flat_map(|rule| self.escalated(rule)).collect()
    }

    fn pair(self, slo: &Slo, burn: BurnAlert, alerting: &Alerting) -> Expr {
        let limit = Expr::Number(burn.factor(slo.period)) * Expr::Number(slo.error_budget());
        let above = |over| Expr::select(self.sli(slo, over)).binary(Op::Greater, limit.clone());
        let matching = Matching::ignoring([WINDOW]);
        let both = above(burn.short()).binary_on(Op::And, matching, above(burn.long));
        if slo.min_events == 0 && slo.confidence.is_none() {
            return both;
        }
        // What sloth cannot say is said by our own condition beside it.
        let guard = narrowed(&alerting.condition, self.job, self.scope);
        both.binary_on(Op::And, Matching::on(&slo.per), guard)
    }

    fn sloth_alert(self, slo: &Slo, alerting: &Alerting, expr: Expr) -> Rule {
        let severity = alerting.severity.as_str();
        // Which pair of windows it is may change while it lasts, and an alert with other labels would begin to wait anew.
        let expr = match self.operations.escalation.is_empty() {
            true => expr,
            false => expr.aggregate(Aggregation::Max, Grouping::without([WINDOW])),
        };
        let mut rule = Rule::alert(&slo.name, expr).sustained(alerting.sustained);
        rule = rule
            .label("slo", &slo.name)
            .label("severity", severity)
            .label("sloth_severity", severity)
            .label("scope", self.scope.as_str())
            .label("job", self.job);
        rule = match alerting.burn {
            None => rule.label("absent", "true"),
            // Each pair of windows has a patience of its own then, and an alert of its own.
            Some(burn) if slo.half_window => rule
                .label("long", &window(burn.long))
                .label("short", &window(burn.short())),
            Some(_) => rule,
        };
        rule = self.labelled(slo, rule);
        rule.labels = plain_labels(&rule.labels);
        let said = match alerting.burn {
            Some(_) => {
                "{{ $value | humanizePercentage }} are bad: the error budget burns too fast."
            }
            None => "there have been no events.",
        };
        let of = self.of(&slo.name, &slo.per);
        if let RuleKind::Alert(alert) = &mut rule.kind {
            let title = "{{ $labels.sloth_service }} {{ $labels.sloth_slo }}";
            let title = format!("({severity}) {title} SLO error budget burn rate is too fast.");
            alert.annotations = vec![
                ("title".to_owned(), title),
                (
                    "summary".to_owned(),
                    format!("{}: {said}", plain(&slo.name)),
                ),
                description(&of, said),
            ];
            alert.annotations.extend(self.links(&slo.name));
        }
        rule
    }
}

/// A window as sloth names it: in weeks where they are whole ones.
fn window(length: Duration) -> String {
    let secs = length.as_secs();
    match secs.is_multiple_of(7 * DAY) && length.subsec_nanos() == 0 {
        true => format!("{}w", secs / (7 * DAY)),
        false => crate::slo::window_name(length),
    }
}
