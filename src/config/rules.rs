//! Rule files that a configuration names.

use std::path::Path;

use super::{Problem, Settings};
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
