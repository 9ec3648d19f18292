//! The thread that writes, so that no tick waits for a disk.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};

use super::writer::Writer;
use crate::engine::Engine;

/// Writes when it is rung for. What is rung for while it writes is written once, afterwards.
#[derive(Debug)]
pub(super) struct Worker {
    bell: Arc<Bell>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<Rung>,
    changed: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Rung {
    #[default]
    Not,
    Write,
    Stop,
}

impl Worker {
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(super) fn start(engine: &Arc<Engine>, writer: &Arc<Writer>) -> io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (rung, engine, writer) = (bell.clone(), engine.clone(), writer.clone());
        let thread = thread::Builder::new()
            .name("plimsoll-state".into())
            .spawn(move || {
                while rung.wait() == Rung::Write {
                    writer.write(&engine);
                }
            })?;
        Ok(Self {
            bell,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Lets it write; waits for nothing.
    pub(super) fn ring(&self) {
        let mut rung = self.bell.rung.lock();
        if *rung == Rung::Not {
            *rung = Rung::Write;
            self.bell.changed.notify_one();
        }
    }

    /// Ends the thread, after what it is writing.
    pub(super) fn stop(&self) {
        *self.bell.rung.lock() = Rung::Stop;
        self.bell.changed.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // What it died of was told by whoever caught the panic.
            let _ = thread.join();
        }
    }
}

impl Bell {
    /// Waits until it is rung; it is silent then, but for good if it is over.
    fn wait(&self) -> Rung {
        let mut rung = self.rung.lock();
        self.changed
            .wait_while(&mut rung, |rung| *rung == Rung::Not);
        let heard = *rung;
        if heard == Rung::Write {
            *rung = Rung::Not;
        }
        heard
    }
}
