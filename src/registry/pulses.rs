//! What has to be looked at once a tick because nobody else would: silence is no event.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

/// Something that changes by the passing of time.
pub(crate) trait Pulse: Send + Sync {
    /// Looks at the clock, counts what it finds. Must not register anything here, nor block.
    fn pulse(&self, now_ns: u64);
}

/// Everything that has a pulse, for as long as somebody else keeps it.
#[derive(Default)]
pub(crate) struct Pulses(Mutex<Vec<Weak<dyn Pulse>>>);

impl Pulses {
    #[cfg(feature = "modbus")]
    pub(crate) fn add(&self, pulse: Weak<dyn Pulse>) {
        self.0.lock().push(pulse);
    }

    /// One tick. Cost: that of each, under a lock that only [`add`](Self::add) takes beside it.
    pub(crate) fn tick(&self, now_ns: u64) {
        let alive = |weak: &mut Weak<dyn Pulse>| {
            let pulse: Option<Arc<dyn Pulse>> = weak.upgrade();
            pulse.inspect(|pulse| pulse.pulse(now_ns)).is_some()
        };
        self.0.lock().retain_mut(alive);
    }
}

impl fmt::Debug for Pulses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pulses").field(&self.0.lock().len()).finish()
    }
}
