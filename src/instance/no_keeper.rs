//! The state file, in a build without it.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::{Problem, Settings};
use crate::engine::{Engine, Memory};

/// Nobody.
#[derive(Debug)]
pub(super) struct Keeper;

/// Nothing.
#[derive(Debug)]
pub(super) struct Kept;

impl Keeper {
    /// Reports a file.
    pub(super) fn problems(settings: &Settings) -> Option<Problem> {
        let (path, _) = &settings.state;
        let message = "takes the feature state of this crate: add it";
        path.as_ref().map(|_| Problem::new("state_file", message))
    }

    pub(super) fn open(_: &Settings, _: SystemTime) -> (Option<Self>, Memory) {
        (None, Memory::default())
    }

    pub(super) fn start(self, _: &Arc<Engine>, _: bool) -> io::Result<Kept> {
        Ok(Kept)
    }
}
