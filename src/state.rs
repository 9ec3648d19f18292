//! Why it exists: a restart must not forget four weeks of learning, and a damaged file must not stop a service.
//!
//! One file of named sections of bytes. It is replaced as a whole: whoever reads it finds either the state before or
//! the one after, whenever the process or the machine stops. What cannot be read is set aside, with a [`Warning`] that
//! says what was wrong, and the service starts afresh; nothing is ever deleted but the oldest of many files set aside.
//!
//! ```
//! use plimsoll::band::{Band, Dynamic};
//! use plimsoll::state::StateFile;
//!
//! let folder = tempfile::tempdir()?;
//! let file = StateFile::new(folder.path().join("plimsoll.state"));
//! assert!(file.load().sections.is_empty()); // a fresh start
//!
//! let band = Band::new(Dynamic::default())?;
//! file.store(&[("band/checkout", &band.save())])?;
//!
//! let loaded = file.load();
//! let restored = Band::restore(Dynamic::default(), &loaded.sections["band/checkout"])?;
//! assert_eq!(restored.ignored(), 0);
//! assert!(loaded.warnings.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Both calls block on the disk; `store` takes as long as two `fsync`. The bytes of a section are its owner's
//! business: a section of an owner that is gone, or that somebody else understands, is loaded like any other.
//! Of two processes that write to one file the later one wins, and the file is whole all the time.

mod aside;
mod bytes;
mod error;
mod format;
#[cfg(all(test, unix))]
mod portable;
#[cfg(not(unix))]
#[path = "state/portable.rs"]
mod system;
#[cfg(unix)]
#[path = "state/unix.rs"]
mod system;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use aside::KEPT_ASIDE;
pub(crate) use bytes::{Decoder, Encoder};
pub use error::{StoreError, Warning};
pub use format::{Damage, MAX_BYTES, MAX_NAME_BYTES};
use write::replace;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

/// What a file held.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// Bytes by the section's name; empty on a fresh start.
    pub sections: BTreeMap<String, Vec<u8>>,
    /// What an operator should hear of.
    pub warnings: Vec<Warning>,
}

impl StateFile {
    /// The file at this path; nothing is touched yet. Its folder must exist by the time of the first
    /// [`store`](Self::store), which makes a temporary file beside it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The sections of the file; none if there is no file, or if it had to be set aside.
    ///
    /// Never fails: what went wrong is in [`Loaded::warnings`]. At most [`MAX_BYTES`] are read. A file that is torn, damaged,
    /// foreign, too large or of a newer version is renamed to `NAME.set-aside-UNIX_SECONDS`, and the latest
    /// [`KEPT_ASIDE`] of such files are kept. A folder or a device in its place is left alone.
    pub fn load(&self) -> Loaded {
        let mut loaded = Loaded::default();
        match self.read() {
            Ok(None) => {}
            Ok(Some(Ok(sections))) => loaded.sections = sections,
            Ok(Some(Err(damage))) => loaded.warnings.push(self.set_aside(damage)),
            Err(error) => loaded.warnings.push(Warning::Unreadable {
                path: self.path.clone(),
                error,
            }),
        }
        loaded
    }

    /// `None` without a file.
    fn read(&self) -> io::Result<Option<Result<format::Sections, Damage>>> {
        let metadata = match fs::metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata?,
        };
        if !metadata.is_file() {
            return Err(io::Error::other("this is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&self.path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
        Ok(Some(format::decode(&bytes)))
    }

    fn set_aside(&self, damage: Damage) -> Warning {
        let path = self.path.clone();
        match aside::rename(&path) {
            Ok(aside) => Warning::SetAside {
                path,
                damage,
                aside,
            },
            Err(error) => Warning::Left {
                path,
                damage,
                error,
            },
        }
    }

    /// Replaces the file by these sections.
    ///
    /// They are written to a new file in the same folder, readable by the owner alone, which is then renamed; both the file
    /// and the folder are synchronised, so that afterwards a loss of power finds the new state.
    ///
    /// # Errors
    ///
    /// [`StoreError::Section`] and [`StoreError::TooLarge`] if the sections do not fit into a state file, [`StoreError::Io`] if
    /// the system refuses. The file that was there is then as it was, unless only the folder could not be
    /// synchronised, and no temporary file is left behind. A process that is killed while it writes leaves
    /// `NAME.new-…` behind, which nobody reads. A symbolic link is replaced, not followed.
    pub fn store(&self, sections: &[(&str, &[u8])]) -> Result<(), StoreError> {
        let bytes = format::encode(sections)?;
        let failed = |error| StoreError::Io {
            path: self.path.clone(),
            error,
        };
        if self.path.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        replace(&self.path, &bytes, &system::SYSTEM).map_err(failed)
    }
}
