//! What came of a simulation, as lines.

use std::fmt::Write;

use plimsoll::AlertState;
use plimsoll::simulate::{AlertChange, Simulated};

use super::hours::Hours;

pub(super) fn of(service: &str, hours: Hours, result: &Simulated) -> String {
    let mut text = String::new();
    let sum = |of: fn(&plimsoll::simulate::SimulatedStep) -> u64| {
        result.steps.iter().map(of).sum::<u64>()
    };
    let (all, errors, slow) = (
        sum(|step| step.operations),
        sum(|step| step.errors),
        sum(|step| step.slow),
    );
    let _ = writeln!(
        text,
        "{service}: {}, {all} operations, {errors} failed, {slow} slow",
        hours.words()
    );
    for operation in &result.operations {
        let _ = writeln!(text, "  {operation}");
    }
    text += "\n";
    text += &changes(&result.changes, hours);
    text += &budgets(result);
    if !result.untouched.is_empty() {
        let _ = writeln!(
            text,
            "\nNothing was made up for what these read (--set gives values to gauges of the service): {}",
            result.untouched.join(", ")
        );
    }
    text
}

fn changes(changes: &[AlertChange], hours: Hours) -> String {
    if changes.is_empty() {
        return "No alert changed.\n".to_owned();
    }
    let width = hours.width();
    let mut text = format!("{:>width$}  {:8}  {}\n", hours.head(), "state", "alert");
    for change in changes {
        let _ = writeln!(
            text,
            "{:>width$}  {:8}  {}",
            hours.moment(change.at),
            word(change),
            change.alert
        );
    }
    text
}

/// As Alertmanager would say it.
pub(super) fn word(change: &AlertChange) -> &'static str {
    match (change.from, change.to) {
        (_, AlertState::Pending) => "pending",
        (_, AlertState::Firing) => "firing",
        (AlertState::Firing, _) => "resolved",
        _ => "dropped",
    }
}

fn budgets(result: &Simulated) -> String {
    let mut text = String::new();
    if !result.error_budgets.is_empty() {
        let _ = writeln!(text, "\n{:>10}  {:>10}  error budget of", "before", "after");
    }
    for budget in &result.error_budgets {
        let (before, after) = (percent(budget.before), percent(budget.after));
        let _ = writeln!(text, "{before:>10}  {after:>10}  {}", budget.slo);
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
