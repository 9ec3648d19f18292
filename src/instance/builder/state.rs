//! What is remembered of the process before.

use std::path::PathBuf;
use std::time::Duration;

use super::Builder;

impl Builder {
    /// Keeps what rules and SLOs need of the past in this file: a process that begins reads it, and goes on where the one before
    /// stood. Its folder must exist; see [`state`](crate::state) for what a damaged file does (nothing worse than a
    /// [`Warning`](crate::Warning) of kind `state_file`).
    ///
    /// Kept are the samples of every series that a rule reads a range of, what SLOs counted in their periods, how long alerts have
    /// been pending or firing, what rules recorded, and what [bands](crate::band) have learned. The time in between is a gap: nothing
    /// is in it, and the coverage of SLOs leaves it out. What was declared otherwise by the process before begins anew, and what is not
    /// declared any more is named (kind `state_dropped`).
    ///
    /// Cost: at most [`state::MAX_BYTES`](crate::state::MAX_BYTES), of which a sample of a counter takes two to four bytes, any other
    /// number nine, and what a band learned up to 40 KB. A thread of its own writes the file, so no tick waits for the disk; with
    /// [`manual_tick`](Self::manual_tick) there is none, and the file is written before [`tick`](crate::Plimsoll::tick) returns.
    ///
    /// ```
    /// use plimsoll::{Plimsoll, Select, Slo};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let plimsoll = Plimsoll::builder()
    ///     .slo(Slo::availability("api", Select::http()).objective(0.999))
    ///     .state_file(folder.path().join("shop.state"))
    ///     .build()?;
    /// drop(plimsoll);
    /// assert!(folder.path().join("shop.state").exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.code.state.0 = Some(path.into());
        self
    }

    /// How often the [`state_file`](Self::state_file) is written while the process lives, after the first tick and then after each that
    /// comes so long after; every minute by default. It is written once more when the instance is dropped, which waits for the disk.
    pub fn state_every(mut self, interval: Duration) -> Self {
        self.code.state.1 = Some(interval);
        self
    }
}
