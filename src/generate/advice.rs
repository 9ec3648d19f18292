//! What is no mistake, and yet hardly meant: a promise that nothing can break, or that nobody hears of.

mod budgets;
mod slos;

pub(crate) use budgets::is_silent;

use super::{Declaration, RuleOptions, Variables};
use crate::config::{Problem, UNNAMED};
use crate::rule::RuleKind;

/// Everything that is worth a warning, in the order of the declaration.
pub(super) fn of(declaration: &Declaration) -> Vec<Problem> {
    if declaration.budgets.is_empty() && declaration.slos.is_empty() {
        let message = "is missing, and so is any slo: nothing is promised, so nothing is judged";
        return vec![Problem::new("budget", message)];
    }
    let mut warnings: Vec<_> = nameless(declaration).into_iter().collect();
    let scrape = declaration.extras.operations.scrape_interval;
    for budget in &declaration.budgets {
        warnings.extend(budgets::of(budget, scrape));
    }
    for slo in &declaration.slos {
        warnings.extend(slos::of(slo, scrape));
    }
    warnings.extend(forgotten(declaration));
    warnings.extend(never_read(declaration));
    warnings.extend(never_escalated(declaration));
    warnings
}

/// A service without a name, by which its rules and dashboards could be told from those of others.
fn nameless(declaration: &Declaration) -> Option<Problem> {
    let message = "is missing: dashboards, groups of rules and, without generate.job, the job that rules look for are called \"service\"; write service = \"shop\"";
    (declaration.service == UNNAMED).then(|| Problem::new("service", message))
}

/// What takes longer to know than most processes live.
fn forgotten(declaration: &Declaration) -> Vec<Problem> {
    if declaration.remembers {
        return Vec::new();
    }
    let warn = |names: Vec<String>, one: &str, several: &str| {
        let what = if names.len() == 1 { one } else { several };
        let message = format!("is missing: {} {what} at each restart", names.join(", "));
        (!names.is_empty()).then(|| Problem::new("state_file", message))
    };
    let learned = declaration.budgets.iter();
    let learned = learned.filter(|budget| budget.dynamic.is_some());
    let learned = learned.map(|budget| format!("{:?}", budget.name));
    let counted = declaration.slos.iter().map(|slo| format!("{:?}", slo.name));
    let warnings = [
        warn(
            learned.collect(),
            "learns its limits anew",
            "learn their limits anew",
        ),
        warn(
            counted.collect(),
            "begins with a full error budget",
            "begin with a full error budget",
        ),
    ];
    warnings.into_iter().flatten().collect()
}

/// Families that are announced, and read by no rule and no panel.
fn never_read(declaration: &Declaration) -> Vec<Problem> {
    if declaration.expected.is_empty() {
        return Vec::new();
    }
    let groups = declaration.rules(RuleOptions::new()).into_groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let mut texts: Vec<String> = rules.map(|rule| rule.expr.to_string()).collect();
    let conditions = declaration.slos.iter().map(|slo| slo.read().to_string());
    texts.extend(conditions);
    let read = declaration.budgets.iter().flat_map(|budget| budget.read());
    texts.extend(read.map(|expr| expr.to_string()));
    for dashboard in declaration.dashboards() {
        let queries = dashboard.queries(&Variables::new());
        texts.extend(queries.into_iter().map(|query| query.expr));
    }
    let unread = declaration.expected.iter();
    let unread = unread.filter(|family| !texts.iter().any(|text| text.contains(&***family)));
    let message = "is read by no promise, rule or panel: correct its name, or leave it out";
    unread
        .map(|family| Problem::new(format!("expect_families {family:?}"), message))
        .collect()
}

/// Levels of escalation for alerts that there are none of.
fn never_escalated(declaration: &Declaration) -> Option<Problem> {
    if declaration.extras.operations.escalation.is_empty() {
        return None;
    }
    let groups = declaration.rules(RuleOptions::new()).into_groups();
    let mut rules = groups.iter().flat_map(|group| &group.rules);
    let escalates = rules.any(|rule| {
        let is_alert = matches!(rule.kind, RuleKind::Alert(_));
        is_alert && !rule.labels.get("escalation").is_empty()
    });
    let message =
        "is for critical and page alerts, of which there is none: give a budget a critical level";
    (!escalates).then(|| Problem::new("generate: escalation", message))
}
