//! One writer for each file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// A lock on a file beside the state file, which is replaced as a whole and cannot be locked itself. The system lets go of it when
/// the process ends, however it does.
#[derive(Debug, Default)]
pub(super) enum Lock {
    #[default]
    Free,
    Held {
        _file: File,
    },
    /// There are no locks here: whoever writes last is right.
    Impossible,
    /// Nothing is written any more.
    Over,
}

impl Lock {
    /// Takes it; `false` while another one has it.
    pub(super) fn hold(&mut self, path: &Path) -> bool {
        if matches!(self, Self::Free) {
            let mut beside = OsString::from(path);
            beside.push(".lock");
            let mut options = OpenOptions::new();
            // A folder that cannot be written is told of by whoever writes the file itself.
            let Ok(file) = options.create(true).append(true).open(&beside) else {
                return true;
            };
            *self = match file.try_lock() {
                Ok(()) => Self::Held { _file: file },
                Err(TryLockError::WouldBlock) => return false,
                Err(TryLockError::Error(_)) => Self::Impossible,
            };
        }
        true
    }
}
