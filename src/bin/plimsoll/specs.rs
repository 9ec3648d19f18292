//! Specs of SLOs, by OpenSLO or sloth.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use plimsoll::Slo;
use plimsoll::generate::Declaration;
use plimsoll::generate::spec::{self, SpecError};

use crate::failure::Failure;

/// What stands for standard input.
const STDIN: &str = "-";

/// Whether a file is a spec rather than a declaration of ours.
pub(crate) fn is_spec(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml"))
}

/// The SLOs of one service, out of files that may refer to each other. What is not kept is said on standard error.
pub(crate) fn declaration(
    paths: &[PathBuf],
    known: &[Slo],
    service: Option<&str>,
) -> Result<Declaration, Failure> {
    let files: Vec<_> = paths.iter().map(|path| read(path)).collect();
    let unread = files.iter().filter_map(|file| file.as_ref().err().cloned());
    let unread: Vec<_> = unread.collect();
    if !unread.is_empty() {
        return Err(Failure::all(unread));
    }
    let files: Vec<_> = files.into_iter().flatten().collect();
    let texts: Vec<_> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    let import = spec::from_files(&texts, known).map_err(failure)?;
    let declaration = import.declaration(service).map_err(failure)?;
    let mut notes = import.notes_of(service);
    notes.sort_by_key(|note| (&note.file, note.line));
    for note in notes {
        eprintln!("{note}");
    }
    Ok(declaration)
}

/// What it is called, and what it says; or why it cannot be read.
fn read(path: &Path) -> Result<(String, String), String> {
    let (name, text) = match path.to_str() {
        Some(STDIN) => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            ("standard input".to_owned(), read.map(|_| text))
        }
        _ => (path.display().to_string(), fs::read_to_string(path)),
    };
    match text {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(format!("{name}: cannot be read: {error}")),
    }
}

fn failure(error: SpecError) -> Failure {
    Failure::all(error.mistakes.iter().map(ToString::to_string))
}
