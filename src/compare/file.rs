//! A recording in a file: JSON that a person can read, a diff can show, and nobody can misread.
//!
//! The same recording gives the same bytes. What is read is looked through before anybody relies on it.

mod layout;
pub(super) mod moment;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::baseline::SCHEMA;
use super::{Baseline, Cell, CompareError, Recorded};
use crate::registry::Domain;

/// Bytes that a file may have: thousands of operations.
const MAX_BYTES: u64 = 8 << 20;

impl Baseline {
    /// Writes it to a file, all or nothing: what was there stays until the new one is whole.
    ///
    /// # Errors
    ///
    /// [`CompareError::File`] if that fails, [`CompareError::Field`] if it would be more than 8 MiB, which
    /// [`load`](Self::load) would refuse.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CompareError> {
        let path = path.as_ref();
        let text = self.to_json();
        check_size(text.len() as u64)?;
        let failed = |error| CompareError::File {
            path: path.to_owned(),
            error,
        };
        replace(path, text.as_bytes()).map_err(failed)
    }

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    ///
    /// [`CompareError::File`] if there is no such file, or it is none; [`CompareError::Field`] if it is torn, of another
    /// schema, or was changed into something that cannot have been recorded.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CompareError> {
        let path = path.as_ref();
        let failed = |error| CompareError::File {
            path: path.to_owned(),
            error,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(failed)?;
        // One byte more tells a file that is too long from one that just fits; a pipe has no length.
        file.take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(failed)?;
        Self::from_json(&text)
    }

    /// What [`save`](Self::save) writes: the same text for the same recording.
    pub fn to_json(&self) -> String {
        let mut text = Vec::new();
        let mut printer =
            serde_json::Serializer::with_formatter(&mut text, layout::Lines::default());
        // Strings, numbers and lists of them, into memory: there is nothing that could fail.
        let printed = self.serialize(&mut printer);
        debug_assert!(printed.is_ok());
        text.push(b'\n');
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Reads such a text.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub fn from_json(text: &str) -> Result<Self, CompareError> {
        check_size(text.len() as u64)?;
        let Head { schema } = parse(text)?;
        if schema != u64::from(SCHEMA) {
            let message = format!(
                "{schema} is not {SCHEMA}, which this version of plimsoll reads: record the baseline anew"
            );
            return Err(CompareError::field("schema", message));
        }
        let baseline: Self = parse(text)?;
        baseline.check()?;
        Ok(baseline)
    }

    fn check(&self) -> Result<(), CompareError> {
        for (at, operation) in self.operations.iter().enumerate() {
            let field = |name: &str| format!("operations[{at}]{name}");
            if at > 0 && self.operations[at - 1].key() >= operation.key() {
                let message =
                    format!("{operation} is not behind the one before it, by kind and labels");
                return Err(CompareError::field(field(""), message));
            }
            operation
                .check()
                .map_err(|(name, message)| CompareError::field(field(name.as_str()), message))?;
        }
        Ok(())
    }
}

/// What is read first: the rest of another schema may look different.
#[derive(Deserialize)]
struct Head {
    schema: u64,
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, CompareError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = match error.path().to_string() {
            path if path == "." => "file".to_owned(),
            path => path,
        };
        CompareError::field(field, error.inner().to_string())
    })?;
    let rest = reader.end();
    rest.map_err(|error| CompareError::field("file", error.to_string()))?;
    Ok(parsed)
}

fn check_size(bytes: u64) -> Result<(), CompareError> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let mib = MAX_BYTES >> 20;
    let message = format!("has more than {mib} MiB: capture only the operations that matter");
    Err(CompareError::field("file", message))
}

/// Puts a file in the place of another, once it is whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, path));
    if moved.is_err() {
        // There is nothing to do about one that stays.
        let _ = fs::remove_file(&beside);
    }
    moved
}

impl Recorded {
    /// What cannot have been recorded: the field, and why.
    fn check(&self) -> Result<(), (String, String)> {
        let Some(domain) = Domain::ALL
            .into_iter()
            .find(|domain| domain.as_str() == self.kind)
        else {
            let known = Domain::ALL.map(Domain::as_str).join(", ");
            return Err((
                ".kind".into(),
                format!("{:?} is none of {known}", self.kind),
            ));
        };
        let cells = &self.durations.cells;
        for (at, cell) in cells.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &cells[before]);
            if let Some(message) = cell.problem(before) {
                return Err((format!(".durations.cells_ns[{at}]"), message));
            }
        }
        let outcomes = self.outcomes;
        let ways = [
            outcomes.ok,
            outcomes.error,
            outcomes.cancelled,
            outcomes.shed,
            outcomes.broken,
        ];
        let too_many = |field: &str| (field.to_owned(), "are more than there can be".to_owned());
        total(ways).ok_or_else(|| too_many(".outcomes"))?;
        let counts = cells.iter().map(|cell| cell.count);
        let timed = total(counts).ok_or_else(|| too_many(".durations.cells_ns"))?;
        let expected = if domain.is_timed() {
            outcomes.valid()
        } else {
            0
        };
        if timed != expected {
            let message = format!(
                "count {timed} durations, but {expected} operations ended with one (ok, error and cancelled)"
            );
            return Err((".durations.cells_ns".into(), message));
        }
        let (least, greatest) = self.durations.sum_bounds();
        if !(least..=greatest.min(u64::MAX.into())).contains(&self.durations.sum_ns.into()) {
            let message = format!(
                "{} is not between {least} and {greatest}, as the cells have it",
                self.durations.sum_ns
            );
            return Err((".durations.sum_ns".into(), message));
        }
        Ok(())
    }
}

/// `None` if there are more than a number can hold.
fn total(counts: impl IntoIterator<Item = u64>) -> Option<u64> {
    counts.into_iter().try_fold(0, u64::checked_add)
}

impl Cell {
    fn problem(&self, before: Option<&Self>) -> Option<String> {
        let [least, greatest, count] = (*self).into();
        if least > greatest {
            Some(format!(
                "ends at {greatest} ns, before it begins at {least} ns"
            ))
        } else if count == 0 {
            Some("counts nothing: leave it out".to_owned())
        } else if let Some(before) = before.filter(|before| before.greatest_ns >= least) {
            let end = before.greatest_ns;
            Some(format!(
                "begins at {least} ns, inside the one before, which ends at {end} ns"
            ))
        } else {
            None
        }
    }
}
