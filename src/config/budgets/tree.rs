//! Budget trees from TOML.

use std::time::Duration;

use crate::budget::{BudgetStage, BudgetTree, Select, Share};
use crate::config::fields::{Fields, Numbered};
use crate::config::{Problem, Settings, subject};

/// Reads a total with its shares, and theirs.
pub(in crate::config) fn tree(
    table: Numbered,
    settings: &mut Settings,
    problems: &mut Vec<Problem>,
) {
    let (name, mut fields) = Fields::named("budget_tree", table, problems);
    let total = fields.duration("total");
    let total = fields.needed("total", total, "write the duration that is shared out");
    let mut tree = BudgetTree::new(name, total.unwrap_or(Duration::ZERO));
    if let Some(q) = fields.number("quantile") {
        tree = tree.quantile(q);
    }
    if fields.boolean("sure") == Some(true) {
        tree = tree.sure();
    }
    if let Some(select) = select(&mut fields) {
        tree = tree.on(select);
    }
    if let Some(name) = fields.string("remainder") {
        tree = tree.remainder(name);
    }
    let mut sound = total.is_some();
    for stage in fields.each("share", |fields| stage(fields, &mut sound)) {
        tree = tree.stage(stage);
    }
    sound &= !fields.is_wrong("share");
    let budgets = match sound {
        true => tree.budgets(),
        false => Ok(Vec::new()),
    };
    match budgets {
        Ok(budgets) => settings.budgets.extend(budgets),
        Err(error) => fields.report("share", format!("of {:?} {}", error.stage, error.message)),
    }
    fields.finish();
}

/// Reads a share; `sound` no longer if what is told of sums would be wrong.
fn stage(mut fields: Fields<'_>, sound: &mut bool) -> BudgetStage {
    let name = fields.string("name").unwrap_or_default();
    if name.is_empty() {
        fields.report("name", "is missing: every share needs one");
        *sound = false;
    }
    let share = fields.share("of");
    let mend = "write \"30ms\", or 0.5 for half of what is shared out";
    let share = fields.needed("of", share, mend);
    *sound &= share.is_some();
    let mut stage = BudgetStage::new(name, share.unwrap_or(Share::Part(1.0)));
    if let Some(select) = select(&mut fields) {
        stage = stage.on(select);
    }
    if let Some(name) = fields.string("remainder") {
        stage = stage.remainder(name);
    }
    for part in fields.each("share", |fields| self::stage(fields, sound)) {
        stage = stage.stage(part);
    }
    *sound &= !fields.is_wrong("share");
    fields.finish();
    stage
}

fn select(fields: &mut Fields<'_>) -> Option<Select> {
    let (on, labels) = (fields.string("on"), fields.strings("labels"));
    subject::select(fields, &on?, &labels)
}
