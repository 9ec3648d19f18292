//! What an instance writes through `tracing`.

use std::io::Write;
use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Builds an instance under a subscriber of its own.
pub(crate) fn listening<T>(build: impl FnOnce() -> T) -> (T, Log) {
    // With a single dispatcher in the process, `tracing` asks the thread that meets an event first whether anybody wants
    // it, and that may be a worker of another test. With two it asks them all.
    let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    std::mem::forget(second);
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time();
    let subscriber = subscriber.with_writer(move || written.clone()).finish();
    (tracing::subscriber::with_default(subscriber, build), log)
}
