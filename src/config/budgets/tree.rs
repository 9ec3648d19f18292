//! Budget trees from TOML.

use std::time::Duration;

use toml::Table;

use crate::budget::{BudgetStage, BudgetTree, Select, Share};
use crate::config::fields::Fields;
use crate::config::{Problem, Settings, subject};

/// Reads a total with its shares, and theirs.
pub(in crate::config) fn tree(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("budget_tree", table, problems);
    let total = fields.duration("total");
    if total.is_none() {
        fields.report("total", "is missing: write the duration that is shared out");
    }
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
    for table in fields.tables("share") {
        tree = tree.stage(stage(fields.beside("share: ", table)));
    }
    let budgets = match total {
        Some(_) => tree.budgets(),
        None => Ok(Vec::new()),
    };
    match budgets {
        Ok(budgets) => settings.budgets.extend(budgets),
        Err(error) => fields.report("share", format!("of {:?} {}", error.stage, error.message)),
    }
    fields.finish();
}

fn stage(mut fields: Fields<'_>) -> BudgetStage {
    let name = fields.string("name").unwrap_or_default();
    if name.is_empty() {
        fields.report("name", "is missing: every share needs one");
    }
    let share = fields.share("of");
    if share.is_none() {
        let message = "is missing: write \"30ms\", or 0.5 for half of what is shared out";
        fields.report("of", message);
    }
    let mut stage = BudgetStage::new(name, share.unwrap_or(Share::Part(1.0)));
    if let Some(select) = select(&mut fields) {
        stage = stage.on(select);
    }
    if let Some(name) = fields.string("remainder") {
        stage = stage.remainder(name);
    }
    for table in fields.tables("share") {
        stage = stage.stage(self::stage(fields.beside("share: ", table)));
    }
    fields.finish();
    stage
}

fn select(fields: &mut Fields<'_>) -> Option<Select> {
    let (on, labels) = (fields.string("on"), fields.strings("labels"));
    subject::select(fields, &on?, &labels)
}
