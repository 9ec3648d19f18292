//! Who is told after each tick, when nothing is locked: to keep what the next process is to remember.

use std::fmt::Debug;

use super::Engine;

/// Keeps what the next process is to remember.
pub(crate) trait Keep: Debug + Send + Sync {
    /// A tick is over, and the next one waits for this.
    fn ticked(&self, engine: &Engine);
}
