//! What is wrong with a spec, and what of it is not kept.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};

/// One thing in a spec that is wrong, or that no [`Slo`](crate::Slo) could say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mistake {
    /// The file, as it was called; empty where there was only a text.
    pub file: String,
    /// The line in the file, from 1; 0 where it has none.
    pub line: usize,
    /// The document: `SLO "checkout"`; empty where there is none yet.
    pub document: String,
    /// What in the document: `spec.objectives[1].target`.
    pub path: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

/// Something that is not kept in translation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Note {
    /// The file, as it was called; empty where there was only a text, or where something is written.
    pub file: String,
    /// The line in the file, from 1; 0 where something is written.
    pub line: usize,
    /// The document, or the SLO: `SLO "checkout"`.
    pub document: String,
    /// What of it: `spec.description`, `min_events`.
    pub path: String,
    /// What becomes of it.
    pub message: String,
}

/// Everything that is wrong with a spec.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecError {
    /// In the order of the file, at least one.
    pub mistakes: Vec<Mistake>,
}

/// What was found while reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    mistakes: RefCell<Vec<Mistake>>,
    notes: RefCell<Vec<Note>>,
    noted: RefCell<HashSet<Note>>,
}

impl Report {
    pub(super) fn refuse(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(super) fn note(&self, note: Note) {
        if self.noted.borrow_mut().insert(note.clone()) {
            self.notes.borrow_mut().push(note);
        }
    }

    /// The notes, if nothing is wrong. What is referred to twice is read twice, and wrong once.
    pub(super) fn finish(self) -> Result<Vec<Note>, SpecError> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort();
        mistakes.dedup();
        match mistakes.is_empty() {
            true => Ok(self.notes.into_inner()),
            false => Err(SpecError { mistakes }),
        }
    }
}

/// `slos.yaml:12: SLO "checkout": spec.objectives[1].target: ..`
impl Display for Mistake {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        placed(f, &self.file, self.line)?;
        said(f, &self.document, &self.path, &self.message)
    }
}

impl Display for Note {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        placed(f, &self.file, self.line)?;
        said(f, &self.document, &self.path, &self.message)
    }
}

fn placed(f: &mut Formatter<'_>, file: &str, line: usize) -> fmt::Result {
    match (file, line) {
        ("", 0) => Ok(()),
        ("", line) => write!(f, "line {line}: "),
        (file, 0) => write!(f, "{file}: "),
        (file, line) => write!(f, "{file}:{line}: "),
    }
}

fn said(f: &mut Formatter<'_>, document: &str, path: &str, message: &str) -> fmt::Result {
    for part in [document, path] {
        if !part.is_empty() {
            write!(f, "{part}: ")?;
        }
    }
    f.write_str(message)
}

/// One line for each.
impl Display for SpecError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.mistakes.iter().enumerate() {
            write!(f, "{}{mistake}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {}
