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
    let beside = beside(path);
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// All files of a folder, or none: each is written beside its place first, and takes it when all are there.
pub(crate) fn write_folder(folder: &Path, files: Vec<(String, String)>) -> Result<(), Failure> {
    let failed = |path: &Path, error| Failure::new(format!("{}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut written: Vec<(PathBuf, PathBuf)> = Vec::new();
    let put = |(name, text): (String, String), written: &mut Vec<(PathBuf, PathBuf)>| {
        let path = folder.join(name);
        if path.is_dir() {
            return Err(Failure::new(format!(
                "{}: is a folder: move it away",
                path.display()
            )));
        }
        let beside = beside(&path);
        written.push((beside.clone(), path.clone()));
        fs::write(&beside, text).map_err(|error| failed(&path, error))
    };
    let all = files
        .into_iter()
        .try_for_each(|file| put(file, &mut written));
    let moved = all.and_then(|()| {
        let mut files = written.iter();
        files.try_for_each(|(beside, path)| {
            fs::rename(beside, path).map_err(|error| failed(path, error))
        })
    });
    if moved.is_err() {
        written
            .iter()
            .for_each(|(beside, _)| drop(fs::remove_file(beside)));
    }
    moved
}

/// Where a file is written before it takes its place.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
