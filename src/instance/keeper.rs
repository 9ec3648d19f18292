//! The state file of an instance: read before it begins, written every minute and at the end.

mod lock;
mod worker;
mod writer;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::alert::Warning;
use crate::config::{Problem, Settings};
use crate::engine::{Memory, Sections};
use crate::histogram::nanos;
use crate::state::{Decoder, StateFile};
pub(super) use writer::Kept;

/// How often it is written, unless something else is said.
const EVERY: Duration = Duration::from_secs(60);
/// A file from further ahead says that one of the two clocks is wrong.
const AHEAD_MS: i64 = 3_600_000;
/// The section that says when the file was written.
const WRITTEN: &str = "written";

/// A file that was read, and what was wrong with it.
#[derive(Debug)]
pub(super) struct Keeper {
    file: StateFile,
    every_ns: u64,
    /// It holds what was written then, which is not overwritten before.
    from_ms: i64,
    warnings: Vec<Warning>,
}

impl Keeper {
    pub(super) fn problems(settings: &Settings) -> Option<Problem> {
        let (path, every) = &settings.state;
        if path.as_ref().is_some_and(|path| path.file_name().is_none()) {
            return Some(Problem::new(
                "state_file",
                "names no file: give the path of one",
            ));
        }
        let zero = every.is_some_and(|every| every.is_zero());
        zero.then(|| Problem::new("state_every", "is 0: give a minute, or at least a second"))
    }

    /// Reads the file, if there is to be one.
    pub(super) fn open(settings: &Settings, now: SystemTime) -> (Option<Self>, Memory) {
        let (Some(path), every) = &settings.state else {
            return (None, Memory::default());
        };
        let now_ms = now
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let mut keeper = Self {
            file: StateFile::new(path),
            every_ns: nanos(every.unwrap_or(EVERY)),
            from_ms: i64::MIN,
            warnings: Vec::new(),
        };
        let loaded = keeper.file.load();
        for warning in &loaded.warnings {
            let mend = "look at it, and delete what was set aside; what was remembered begins anew";
            keeper.warn("state_file", "read", warning.to_string(), mend);
        }
        let memory = keeper.read(&loaded.sections, now_ms);
        (Some(keeper), memory)
    }

    fn read(&mut self, sections: &Sections, now_ms: i64) -> Memory {
        let written = sections.get(WRITTEN);
        let written_ms = written.and_then(|bytes| Decoder::new(bytes).signed());
        if let Some(written_ms) = written_ms.filter(|ms| *ms > now_ms.saturating_add(AHEAD_MS)) {
            self.from_ms = written_ms;
            let what = format!(
                "was written {} s from now by this clock: nothing of it is taken up, and it is not overwritten before then",
                (written_ms - now_ms) / 1000
            );
            self.warn(
                "state_dropped",
                "clock",
                what,
                "set the clock, or delete the file if its clock was wrong",
            );
            return Memory::default();
        }
        let (memory, unread) = Memory::read(sections, now_ms);
        for name in unread {
            let what = format!(
                "has a section {name:?} that this version does not understand: it begins anew"
            );
            self.warn(
                "state_dropped",
                name,
                what,
                "nothing is to be done after a change of version",
            );
        }
        memory
    }

    fn warn(&mut self, kind: &'static str, part: &str, what: String, mend: &'static str) {
        self.warnings
            .push(warning(&self.file, kind, part, what, mend));
    }
}

fn warning(
    file: &StateFile,
    kind: &'static str,
    part: &str,
    what: String,
    mend: &'static str,
) -> Warning {
    Warning {
        kind,
        subject: format!("{} ({part})", file.path().display()),
        what,
        mend,
    }
}
