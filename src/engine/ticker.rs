//! The thread that ticks.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::Engine;

/// Ends its thread when dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    stop: Arc<(Mutex<bool>, Condvar)>,
}

impl Ticker {
    /// Ticks `engine` every `interval` for as long as both live.
    ///
    /// # Errors
    ///
    /// If the system has no thread to give.
    pub(crate) fn start(engine: &Arc<Engine>, interval: Duration) -> std::io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let (stopped, engine) = (stop.clone(), Arc::downgrade(engine));
        thread::Builder::new()
            .name("plimsoll-tick".into())
            .spawn(move || run(&stopped, &engine, interval))?;
        Ok(Self { stop })
    }
}

fn run(stop: &(Mutex<bool>, Condvar), engine: &Weak<Engine>, interval: Duration) {
    let mut next = Instant::now() + interval;
    let mut stopped = stop.0.lock();
    loop {
        while !*stopped && !stop.1.wait_until(&mut stopped, next).timed_out() {}
        let Some(engine) = engine.upgrade().filter(|_| !*stopped) else {
            return;
        };
        parking_lot::MutexGuard::unlocked(&mut stopped, || engine.tick());
        // A late tick is not made up for: its sample says when it was taken.
        let now = Instant::now();
        while next <= now {
            next += interval;
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
    }
}
