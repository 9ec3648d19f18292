//! The declaration that a command is about.

use std::path::{Path, PathBuf};

use plimsoll::Problem;
use plimsoll::generate::Declaration;

use crate::failure::Failure;

/// The file of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// The TOML that the service reads
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Source {
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    pub(crate) fn read(&self) -> Result<Declaration, Failure> {
        let path = self.file.display();
        Declaration::read(&self.file).map_err(|error| {
            let line = |problem: &Problem| {
                problem
                    .line
                    .map(|line| format!("{line}:"))
                    .unwrap_or_default()
            };
            let mut problems: Vec<_> = error.problems().iter().collect();
            problems.sort_by_key(|problem| problem.line);
            Failure::all(problems.into_iter().map(|problem| {
                // A file that cannot be read is named by the problem itself.
                if problem.field.starts_with("toml file ") {
                    return format!("{path}: {}", problem.message);
                }
                format!(
                    "{path}:{} {} {}",
                    line(problem),
                    problem.field,
                    problem.message
                )
            }))
        })
    }
}
