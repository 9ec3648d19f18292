//! Budgets from TOML, in the words that Rust has for them.

mod about;
mod dynamic;
mod kpi;
mod schedule;
mod tree;

pub(super) use kpi::kpi;
pub(super) use tree::tree;

use super::fields::{Fields, Numbered};
use super::{Adjustment, Problem, Settings, rules};
use crate::budget::Level;
use crate::expr::Expr;
use about::About;

/// Reads a budget: a new one, or a change to one that the code declares.
pub(super) fn budget(table: Numbered, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("budget", table, problems);
    let about = About::read(&mut fields);
    let (at_most, at_least) = (fields.limit("at_most"), fields.limit("at_least"));
    let higher = fields.boolean("higher_is_better");
    if at_most.is_some() && at_least.is_some() {
        fields.report("at_least", "stands beside at_most: keep one of the two");
    }
    let target = at_most.or(at_least).map(|limit| (Level::Target, limit));
    let warning = fields.limit("warning").map(|limit| (Level::Warning, limit));
    let critical = fields.limit("critical");
    let critical = critical.map(|limit| (Level::Critical, limit));
    let adjustment = Adjustment {
        limits: [target, warning, critical].into_iter().flatten().collect(),
        budget: name.clone(),
        ..options(&mut fields)
    };
    let adjusts = about.says_nothing(&fields);
    if about.condition.is_some() && target.is_some() {
        fields.report("condition", "stands beside a limit: it has one itself");
    }
    if adjusts {
        about.report_orphans(&mut fields);
        if !fields.is_wrong("name") {
            settings.adjustments.push(adjustment);
        }
        fields.finish();
        return;
    }
    let declared = about.declare(&mut fields, &name);
    fields.finish();
    let budget = match declared {
        Ok(mut budget) => {
            let floor = at_least.is_some() || (at_most.is_none() && budget.floor);
            budget.floor = higher.unwrap_or(floor);
            adjustment.apply(&mut budget, problems);
            budget
        }
        Err(stand_in) => adjustment.check(*stand_in),
    };
    settings.budgets.push(budget);
}

/// How it is judged, whatever it is about and whatever its limits are.
fn options(fields: &mut Fields<'_>) -> Adjustment {
    let (dynamic, floor) = dynamic::read(fields).unzip();
    Adjustment {
        over: fields.duration("over"),
        sustained: fields.duration("for"),
        keep_firing: fields.duration("keep_firing_for"),
        min_events: fields.integer("min_events"),
        min_bad: fields.integer("min_bad"),
        confidence: fields.number("confidence"),
        absent_after: fields.duration("absent_after"),
        schedule: schedule::read(fields),
        dynamic,
        floor: floor.flatten(),
        warm_up: fields.duration("warm_up"),
        when: when(fields),
        ..Adjustment::default()
    }
}

/// While which condition it is judged.
fn when(fields: &mut Fields<'_>) -> Option<Expr> {
    let condition = fields.string("when")?;
    let parsed = rules::expr(&condition);
    parsed
        .map_err(|message| fields.report("when", message))
        .ok()
}

#[cfg(test)]
mod tests;
