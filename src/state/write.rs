//! A new file beside the one that it is to replace.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What differs from system to system.
pub(super) struct System {
    /// A new file that nobody else should read.
    pub(super) create_private: fn(&Path) -> io::Result<File>,
    /// Makes a rename last.
    pub(super) sync_folder_of: fn(&Path) -> io::Result<()>,
}

/// Replaces a file as a whole: by these bytes, or not at all.
pub(super) fn replace(path: &Path, bytes: &[u8], system: &System) -> io::Result<()> {
    let temporary = beside(path);
    (system.create_private)(&temporary)
        .and_then(|file| write_whole(file, bytes))
        .and_then(|()| fs::rename(&temporary, path))
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .and_then(|()| (system.sync_folder_of)(path))
}

/// A name in the same folder that no other writer has: not in this process, nor in another one of the same number that
/// sees the folder from another container.
fn beside(path: &Path) -> PathBuf {
    /// Told apart by their numbers alone, so Relaxed.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = now.map_or(0, |since| since.as_nanos());
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}-{nanos}-{number}", std::process::id()));
    name.into()
}

/// All of these bytes, on the disk when it returns.
pub(super) fn write_whole(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
