//! Files that could not be read: kept for people to look at, but not for ever.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many files that were set aside are kept: the latest ones.
pub const KEPT_ASIDE: usize = 3;

const SUFFIX: &str = ".set-aside-";

/// Renames a file to `NAME.set-aside-UNIX_SECONDS`; to a later second if there is one as late already.
pub(super) fn rename(path: &Path) -> io::Result<PathBuf> {
    let mut earlier = earlier(path)?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let after = earlier
        .last()
        .map_or(0, |(seconds, _)| seconds.saturating_add(1));
    let mut aside = OsString::from(path);
    aside.push(format!("{SUFFIX}{}", now.max(after)));
    let aside = PathBuf::from(aside);
    if fs::symlink_metadata(&aside).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(path, &aside)?;
    earlier.truncate((earlier.len() + 1).saturating_sub(KEPT_ASIDE));
    for (_, old) in earlier {
        // One too many is no reason to say that this one was not set aside.
        let _ = fs::remove_file(old);
    }
    Ok(aside)
}

/// The files that were set aside before, by their seconds.
fn earlier(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(OsStr::to_str))
    else {
        return Ok(Vec::new());
    };
    let here = folder.as_os_str().is_empty();
    let mut earlier: Vec<(u64, PathBuf)> =
        fs::read_dir(if here { Path::new(".") } else { folder })?
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let found = entry.file_name();
                let seconds = found.to_str()?.strip_prefix(name)?.strip_prefix(SUFFIX)?;
                Some((seconds.parse().ok()?, entry.path()))
            })
            .collect();
    earlier.sort();
    Ok(earlier)
}
