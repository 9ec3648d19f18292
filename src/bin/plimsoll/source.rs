//! The declaration that a command is about.

use std::path::{Path, PathBuf};
use std::slice;

use plimsoll::Problem;
use plimsoll::generate::Declaration;

use crate::failure::Failure;
use crate::specs;

/// The file of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The TOML that the service reads, or a spec of OpenSLO or sloth (.yaml, .yml)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    pub(crate) fn read(&self) -> Result<Declaration, Failure> {
        match specs::is_spec(&self.file) {
            true => specs::declaration(slice::from_ref(&self.file), &[], None),
            false => declared(&self.file),
        }
    }

    /// A problem, and where it is.
    pub(crate) fn placed(&self, problem: &Problem, kind: &str) -> String {
        placed(&self.file, problem, kind)
    }
}

/// What a TOML file declares.
pub(crate) fn declared(path: &Path) -> Result<Declaration, Failure> {
    Declaration::read(path).map_err(|error| {
        let mut problems: Vec<_> = error.problems().iter().collect();
        problems.sort_by_key(|problem| problem.line);
        Failure::all(problems.into_iter().map(|problem| {
            // A file that cannot be read is named by the problem itself.
            if problem.field.starts_with("toml file ") {
                return format!("{}: {}", path.display(), problem.message);
            }
            placed(path, problem, "")
        }))
    })
}

fn placed(path: &Path, problem: &Problem, kind: &str) -> String {
    let line = problem.line.map(|line| format!("{line}:"));
    let (path, line) = (path.display(), line.unwrap_or_default());
    format!("{path}:{line} {kind}{} {}", problem.field, problem.message)
}
