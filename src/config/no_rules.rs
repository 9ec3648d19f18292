//! PromQL in a configuration, in a build that cannot read it.

use std::path::Path;

use super::{Problem, Settings};
use crate::budget::Budget;
use crate::expr::Expr;

const PROMQL: &str = "is PromQL, which takes the feature promql of this crate: add it";

/// Reports each.
pub(super) fn read(paths: &[String], _: &Path, _: &mut Settings, problems: &mut Vec<Problem>) {
    let message = "is a rule file, which takes the feature promql of this crate: add it";
    let problem = |path| Problem::new(format!("rules {path:?}"), message);
    problems.extend(paths.iter().map(problem));
}

/// Says so.
pub(super) fn expr(_: &str) -> Result<Expr, String> {
    Err(PROMQL.to_owned())
}

/// Says so.
pub(super) fn budget(_: &str, _: &str) -> Result<Budget, String> {
    Err(PROMQL.to_owned())
}
