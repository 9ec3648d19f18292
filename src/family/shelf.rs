//! Where an exit keeps what it wants to find again, without the instance knowing what that is.

use std::any::Any;
use std::fmt;

use parking_lot::Mutex;

/// How many things are kept: as many as are usually in use at once.
const KEPT: usize = 2;

/// Things of one kind that nobody uses at the moment.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Vec<Box<dyn Any + Send>>>);

impl Shelf {
    /// One of the things, if there is one and it is of this kind.
    pub(crate) fn take<T: 'static>(&self) -> Option<Box<T>> {
        self.0.lock().pop()?.downcast().ok()
    }

    /// Keeps a thing, unless there are enough.
    pub(crate) fn put(&self, thing: Box<dyn Any + Send>) {
        let mut kept = self.0.lock();
        if kept.len() < KEPT {
            kept.push(thing);
        }
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").finish_non_exhaustive()
    }
}
