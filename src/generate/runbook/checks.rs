//! What to ask, in which order, by what was promised: the likely and the cheap first.

use super::causes::{absence, errors, freshness, gone, latency, saturation, throughput};
use super::families::Families;
use super::{Alert, Origin};
use crate::budget::{Budget, Sli};
use crate::expr::Expr;
use crate::slo::{self, Slo};

/// A question, what answers it, and what to do if the answer is yes.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) question: String,
    pub(super) query: String,
    pub(super) action: String,
}

pub(super) fn check(
    question: impl Into<String>,
    query: impl Into<String>,
    action: impl Into<String>,
) -> Check {
    Check {
        question: question.into(),
        query: query.into(),
        action: action.into(),
    }
}

/// All questions about an alert.
pub(super) fn of(alert: &Alert<'_>, families: &Families<'_>) -> Vec<Check> {
    let mut checks = vec![down(families)];
    if !matches!(alert.origin, Origin::Down(_)) {
        checks.extend(where_and_since(alert, families));
    }
    checks.extend(match alert.origin {
        Origin::Budget(budget) => of_budget(budget, families),
        Origin::Slo(slo) => of_slo(slo, families),
        Origin::Down(_) => gone(families).into(),
        Origin::Written => of_condition(alert),
    });
    checks
}

fn down(families: &Families<'_>) -> Check {
    let up = families.of_job("up");
    check(
        "Is an instance down, or none known?",
        format!("{up} == 0 or absent({up})"),
        "Bring it back: look at its log and its last exit; if it runs, at the network and at the configuration of Prometheus",
    )
}

fn where_and_since(alert: &Alert<'_>, families: &Families<'_>) -> [Check; 2] {
    let firing = [
        ("alertname", alert.name.as_str()),
        ("alertstate", "firing"),
        ("scope", "instance"),
    ];
    let firing = families.labelled("ALERTS", &firing);
    [
        check(
            "Is it one instance of several?",
            format!("count by (instance, severity) ({firing})"),
            "Take it out of rotation, then compare it with the others: version, host, load",
        ),
        check(
            "Did an instance start shortly before?",
            format!("{} < 3600", families.of_job("plimsoll_uptime_seconds")),
            "If it was a deployment, roll it back; if a crash, read the log of the one before",
        ),
    ]
}

fn of_budget(budget: &Budget, families: &Families<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if budget.absent_after.is_some() {
        checks.extend(absence(&budget.name, families));
    }
    checks.extend(match &budget.sli {
        Sli::Quantile(select, q) => latency(select.domain, *q, families),
        Sli::ErrorRatio(select) | Sli::SuccessRatio(select) => errors(select.domain, families),
        Sli::Throughput(select) => throughput(select.domain, budget.floor, families),
        Sli::Freshness(select) => freshness(&budget.name, select.domain, families),
        Sli::Age(_) | Sli::Ratio(..) | Sli::Value(_) => saturation(budget, families),
    });
    checks
}

fn of_slo(slo: &Slo, families: &Families<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if slo.absent_after.is_some() {
        checks.extend(absence(&slo.name, families));
    }
    let of = [("slo", slo.name.as_str())];
    let burning = families.labelled("plimsoll_slo_burn_rate", &of);
    checks.push(check(
        "Is it over already: does only the long window burn?",
        format!("max by (window) ({burning})"),
        "Nothing is left to stop: the alert clears by itself. Look for the cause all the same",
    ));
    checks.extend(match &slo.sli {
        slo::Sli::Availability(select) => errors(select.domain, families),
        slo::Sli::Latency(select, _) => {
            latency(select.domain, slo.objective.unwrap_or(0.99), families)
        }
        slo::Sli::Weighted(parts) | slo::Sli::AllOf(parts) => parts
            .iter()
            .map(|(part, _)| of_part(part, families))
            .collect(),
        slo::Sli::Ratio { part, valid, .. } => [part, valid]
            .map(|counter| {
                let asked = Expr::rate(counter.clone(), std::time::Duration::from_secs(300));
                check(
                    format!("Does {} grow otherwise than usual?", counter.name()),
                    asked.to_string(),
                    "Find what counts it, and why it counts more or less",
                )
            })
            .into(),
        slo::Sli::Time(condition)
        | slo::Sli::TimeSlice(condition, _)
        | slo::Sli::RatioSlices(condition, _) => vec![condition_holds(condition)],
    });
    checks
}

fn condition_holds(condition: &Expr) -> Check {
    check(
        "Which part of the condition is not as it should be?",
        condition.to_string(),
        "Follow that part: its family is in the catalogue of metrics",
    )
}

fn of_part(part: &str, families: &Families<'_>) -> Check {
    let left = families.labelled("plimsoll_slo_error_budget_remaining", &[("slo", part)]);
    check(
        format!("Is it {part}?"),
        format!("min({left}) < 1"),
        format!("Go on with the page of {part}, if it has one"),
    )
}

fn of_condition(alert: &Alert<'_>) -> Vec<Check> {
    let rule = alert.rules.first();
    rule.map(|(rule, _)| condition_holds(&rule.expr))
        .into_iter()
        .collect()
}
