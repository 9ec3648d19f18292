//! Who writes the state file, and when.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::lock::Lock;
use super::worker::Worker;
use super::{Keeper, WRITTEN, warning};
use crate::engine::{Engine, Keep};
use crate::state::{Encoder, StateFile};

/// Writes the file once more when it is dropped.
#[derive(Debug)]
pub(in crate::instance) struct Kept {
    engine: Arc<Engine>,
    writer: Arc<Writer>,
    worker: Option<Arc<Worker>>,
}

/// What a tick tells of.
#[derive(Debug)]
struct Clerk {
    every_ns: u64,
    due_ns: Mutex<u64>,
    writer: Arc<Writer>,
    /// `None` where ticks are made by hand: then it is written before they return.
    worker: Option<Arc<Worker>>,
}

/// Writes one file.
#[derive(Debug)]
pub(super) struct Writer {
    file: StateFile,
    from_ms: i64,
    /// Held while the file is written.
    lock: Mutex<Lock>,
}

impl Keeper {
    /// Tells what was wrong, and writes from now on: within the tick if that is made by hand, else on a thread of its own.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(in crate::instance) fn start(
        self,
        engine: &Arc<Engine>,
        by_hand: bool,
    ) -> io::Result<Kept> {
        self.warnings
            .into_iter()
            .for_each(|warning| engine.warn(warning));
        let writer = Arc::new(Writer {
            file: self.file,
            from_ms: self.from_ms,
            lock: Mutex::default(),
        });
        let worker = match by_hand {
            true => None,
            false => Some(Arc::new(Worker::start(engine, &writer)?)),
        };
        engine.keep(Box::new(Clerk {
            every_ns: self.every_ns,
            due_ns: Mutex::default(),
            writer: writer.clone(),
            worker: worker.clone(),
        }));
        Ok(Kept {
            engine: engine.clone(),
            writer,
            worker,
        })
    }
}

impl Keep for Clerk {
    fn ticked(&self, engine: &Engine) {
        let now_ns = engine.now_ns();
        {
            let mut due_ns = self.due_ns.lock();
            if now_ns < *due_ns {
                return;
            }
            *due_ns = now_ns.saturating_add(self.every_ns);
        }
        match &self.worker {
            Some(worker) => worker.ring(),
            None => self.writer.write(engine),
        }
    }
}

impl Writer {
    /// Writes what there is to remember; waits for whoever is writing.
    pub(super) fn write(&self, engine: &Engine) {
        let mut lock = self.lock.lock();
        if matches!(*lock, Lock::Over) {
            return;
        }
        if !lock.hold(self.file.path()) {
            let what = "is kept by another instance: this one has read it and does not write it as long as that one lives";
            self.warn(engine, "lock", what, "give each instance a file of its own");
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
            self.warn(engine, "write", &error.to_string(), mend);
        }
    }

    /// Said once, however often it happens.
    fn warn(&self, engine: &Engine, part: &str, what: &str, mend: &'static str) {
        let what = what.to_owned();
        engine.warn(warning(&self.file, "state_file", part, what, mend));
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.stop();
        }
        self.writer.write(&self.engine);
        // A tick that is late does not write any more, and another instance may.
        *self.writer.lock.lock() = Lock::Over;
    }
}
