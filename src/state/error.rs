//! What can go wrong, in words.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{Damage, MAX_BYTES, MAX_NAME_BYTES};

/// Why state begins anew.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// The file was no whole state file and was renamed.
    SetAside {
        /// The state file.
        path: PathBuf,
        /// What was wrong with it.
        damage: Damage,
        /// What it is called now.
        aside: PathBuf,
    },
    /// The file was no whole state file and could not be renamed: the next `store` replaces it.
    Left {
        /// The state file.
        path: PathBuf,
        /// What was wrong with it.
        damage: Damage,
        /// Why it could not be renamed.
        error: io::Error,
    },
    /// The file is there and could not be read; it was left as it is.
    Unreadable {
        /// The state file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// Why state was not stored.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The name of this section is empty, longer than [`MAX_NAME_BYTES`], or given twice.
    Section(String),
    /// All sections together take this many bytes, more than [`MAX_BYTES`].
    TooLarge(u64),
    /// The system refused.
    Io {
        /// The state file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Section(name) => write!(
                f,
                "{name:?} is no name for a section: it takes 1 to {MAX_NAME_BYTES} bytes, each name once"
            ),
            Self::TooLarge(bytes) => write!(
                f,
                "the state takes {bytes} bytes, more than the {MAX_BYTES} of a state file: keep fewer bands, or shorter windows"
            ),
            Self::Io { path, error } => write!(
                f,
                "the state file {} was not written ({error}): check that its folder exists, is writable and not full",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetAside {
                path,
                damage,
                aside,
            } => write!(
                f,
                "the state file {} {damage}: it is now {}, and what was learned begins anew",
                path.display(),
                aside.display()
            ),
            Self::Left {
                path,
                damage,
                error,
            } => write!(
                f,
                "the state file {} {damage} and could not be set aside ({error}): what was learned begins anew",
                path.display()
            ),
            Self::Unreadable { path, error } => write!(
                f,
                "the state file {} cannot be read ({error}): give a regular file that this process may read",
                path.display()
            ),
        }
    }
}
