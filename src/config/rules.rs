//! PromQL in a configuration: rule files that it names, and conditions of budgets.

use std::path::Path;

use super::{Problem, Settings};
use crate::budget::Budget;
use crate::expr::{Expr, Matching, Op};
use crate::rule::RuleFile;

/// Reads each file, from `folder` on where its path is relative.
pub(super) fn read(
    paths: &[String],
    folder: &Path,
    settings: &mut Settings,
    problems: &mut Vec<Problem>,
) {
    for path in paths {
        let report = |message| Problem::new(format!("rules {path:?}"), message);
        let text = match std::fs::read_to_string(folder.join(path)) {
            Ok(text) => text,
            Err(error) => {
                problems.push(report(format!("cannot be read: {error}")));
                continue;
            }
        };
        match RuleFile::parse(&text) {
            Ok(file) => settings.rules.push(file),
            Err(error) => {
                let refusals = error.refusals.iter();
                problems.extend(refusals.map(|refusal| report(refusal.to_string())));
            }
        }
    }
}

/// A condition, or whatever else is written in PromQL.
pub(super) fn expr(text: &str) -> Result<Expr, String> {
    Expr::parse(text).map_err(|error| error.to_string())
}

/// A budget whose limit is part of its condition: it is breached while that holds.
pub(super) fn budget(name: &str, condition: &str) -> Result<Budget, String> {
    if let Expr::Binary(value, op, matching, limit) = expr(condition)?
        && let (Expr::Number(limit), true) = (*limit, matching == Matching::default())
    {
        let budget = Budget::value(name, *value);
        match op {
            Op::Greater => return Ok(budget.at_most(limit)),
            Op::Less => return Ok(budget.at_least(limit)),
            _ => {}
        }
    }
    let mend = "write `value > limit` or `value < limit`, or make it an alert of a rule file";
    Err(format!("{condition:?} has no limit to show: {mend}"))
}
