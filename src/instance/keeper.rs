//! The state file of an instance: read before it begins, written by the tick and at the end.

mod lock;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::alert::Warning;
use crate::config::{Problem, Settings};
use crate::engine::{Engine, Keep, Memory, Sections};
use crate::histogram::nanos;
use crate::state::{Decoder, Encoder, StateFile};
use lock::Lock;

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

/// Writes the file once more when it is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    engine: Arc<Engine>,
    writer: Arc<Writer>,
}

#[derive(Debug)]
struct Writer {
    file: StateFile,
    every_ns: u64,
    from_ms: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lock: Lock,
    due_ns: u64,
    /// The last time is over: a tick that is late does not write any more.
    over: bool,
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

    /// Tells what was wrong, and writes from now on.
    pub(super) fn start(self, engine: &Arc<Engine>) -> Kept {
        self.warnings
            .into_iter()
            .for_each(|warning| engine.warn(warning));
        let writer = Arc::new(Writer {
            file: self.file,
            every_ns: self.every_ns,
            from_ms: self.from_ms,
            state: Mutex::default(),
        });
        engine.keep(Box::new(writer.clone()));
        Kept {
            engine: engine.clone(),
            writer,
        }
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

impl Keep for Arc<Writer> {
    fn ticked(&self, engine: &Engine) {
        let mut state = self.state.lock();
        let now_ns = engine.now_ns();
        if !state.over && now_ns >= state.due_ns {
            state.due_ns = now_ns.saturating_add(self.every_ns);
            self.write(engine, &mut state);
        }
    }
}

impl Writer {
    fn write(&self, engine: &Engine, state: &mut State) {
        if !state.lock.hold(self.file.path()) {
            let what = "is kept by another instance: this one has read it and does not write it as long as that one lives";
            let mend = "give each instance a file of its own";
            engine.warn(warning(
                &self.file,
                "state_file",
                "lock",
                what.to_owned(),
                mend,
            ));
            return;
        }
        let (mut sections, now_ms) = engine.remember();
        if now_ms < self.from_ms {
            return;
        }
        let mut written = Encoder::default();
        written.signed(now_ms);
        sections.insert(WRITTEN.to_owned(), written.finish());
        let sections: Vec<(&str, &[u8])> = sections
            .iter()
            .map(|(name, bytes)| (&**name, &**bytes))
            .collect();
        if let Err(error) = self.file.store(&sections) {
            let mend = "until it can be written the next process remembers what the file holds now";
            engine.warn(warning(
                &self.file,
                "state_file",
                "write",
                error.to_string(),
                mend,
            ));
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut state = self.writer.state.lock();
        self.writer.write(&self.engine, &mut state);
        *state = State {
            over: true,
            ..State::default()
        };
    }
}
