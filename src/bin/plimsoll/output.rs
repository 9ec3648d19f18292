//! Where a command's text goes: standard output, or files that are replaced as a whole.

use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
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
            None => print(text)?,
        }
        Ok(Verdict::Well)
    }
}

/// A line on standard output.
pub(crate) fn say(line: impl Display) -> Result<(), Failure> {
    print(&format!("{line}\n"))
}

/// Whoever closes standard output has read enough.
fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The whole file or, where that is not possible, the one that was there before. What is no file (a pipe, a device) is written
/// to, and a link is followed.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| cannot(path, &error);
    let there = fs::metadata(path);
    if there.as_ref().is_ok_and(|there| there.is_dir()) {
        return Err(is_folder(path));
    }
    if there.as_ref().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, text).map_err(failed);
    }
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(&target);
    let written = put_beside(&beside, &target, text).and_then(|()| fs::rename(&beside, &target));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// All files of a folder, or none: each is written beside its place first, and takes it when all are there.
pub(crate) fn write_folder(folder: &Path, files: Vec<(String, String)>) -> Result<(), Failure> {
    let mut pending = Pending::default();
    for (name, text) in files {
        pending.add(folder.join(name), &text)?;
    }
    pending.take_places()
}

/// Files that are written beside their places, and folders that were made for them: gone again unless they are taken.
#[derive(Default)]
struct Pending {
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, PathBuf)>,
}

impl Pending {
    fn add(&mut self, path: PathBuf, text: &str) -> Result<(), Failure> {
        if path.is_dir() {
            return Err(is_folder(&path));
        }
        self.make_folder(path.parent().unwrap_or(Path::new("")))?;
        let beside = beside(&path);
        self.files.push((beside.clone(), path.clone()));
        put_beside(&beside, &path, text).map_err(|error| cannot(&path, &error))
    }

    fn make_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<_> = folder.ancestors().take_while(missing).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(|error| cannot(folder, &error))?;
            self.folders.push(folder.to_owned());
        }
        match folder.as_os_str().is_empty() || folder.is_dir() {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "{}: is a file, and a folder is wanted: name another one, or move it away",
                folder.display()
            ))),
        }
    }

    fn take_places(mut self) -> Result<(), Failure> {
        for (beside, path) in &self.files {
            fs::rename(beside, path).map_err(|error| cannot(path, &error))?;
        }
        self.files.clear();
        self.folders.clear();
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        for (beside, _) in &self.files {
            let _ = fs::remove_file(beside);
        }
        // Those that are not empty stay.
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// As whoever may read the file that it replaces may go on to.
fn put_beside(beside: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::write(beside, text)?;
    match fs::metadata(path) {
        Ok(there) => fs::set_permissions(beside, there.permissions()),
        Err(_) => Ok(()),
    }
}

fn is_folder(path: &Path) -> Failure {
    let path = path.display();
    Failure::new(format!(
        "{path}: is a folder, and a file is wanted: name another one, or move it away"
    ))
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    Failure::new(match error.kind() {
        ErrorKind::NotFound => format!("{shown}: its folder is not there: make it first"),
        ErrorKind::NotADirectory => format!("{shown}: what should be its folder is a file"),
        _ => format!("{shown}: {error}"),
    })
}

/// Where a file is written before it takes its place.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
