//! Rule files, in a build that cannot read them.

use std::path::Path;

use super::{Problem, Settings};

/// Reports each.
pub(super) fn read(paths: &[String], _: &Path, _: &mut Settings, problems: &mut Vec<Problem>) {
    let message = "is a rule file, which takes the feature promql of this crate: add it";
    let problem = |path| Problem::new(format!("rules {path:?}"), message);
    problems.extend(paths.iter().map(problem));
}
