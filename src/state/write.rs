//! A new file beside the one that it is to replace.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::system;

/// A name in the same folder that no other writer has: not in this process, nor in another one of the same number that
/// sees the folder from another container.
pub(super) fn beside(path: &Path) -> PathBuf {
    /// Told apart by their numbers alone, so Relaxed.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = now.map_or(0, |since| since.as_nanos());
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}-{nanos}-{number}", std::process::id()));
    name.into()
}

/// A file of these bytes, on the disk when it returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_whole(system::create_private(path)?, bytes)
}

pub(super) fn write_whole(mut file: File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_all()
}
