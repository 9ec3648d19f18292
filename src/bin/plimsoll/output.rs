//! Where a command's text goes: standard output, or a file that is replaced as a whole.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Verdict;
use crate::failure::Failure;

/// Where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Writes to this file instead of standard output
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
}

impl Output {
    pub(crate) fn write(&self, text: &str) -> Result<Verdict, Failure> {
        match &self.output {
            Some(path) => replace(path, text)?,
            None => std::io::stdout()
                .write_all(text.as_bytes())
                .map_err(|error| Failure::new(format!("standard output: {error}")))?,
        }
        Ok(Verdict::Well)
    }
}

/// The whole file or, where that is not possible, the one that was there before.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
