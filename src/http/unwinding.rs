//! A measurement ends as soon as a panic comes by.

use std::mem::{self, ManuallyDrop};

/// Lent out while somebody else's code runs. If that panics, the unwinding itself takes the measurement and drops it, so
/// that it counts as an error, even where somebody catches the panic and drops the rest later.
pub(super) struct Unwinding<'a, T: Default>(&'a mut T);

impl<T: Default> Unwinding<'_, T> {
    /// Runs `work`, which may look at the measurement.
    #[inline]
    pub(super) fn guard<R>(measured: &mut T, work: impl FnOnce(&mut T) -> R) -> R {
        let lent = Unwinding(measured);
        let result = work(lent.0);
        let _ = ManuallyDrop::new(lent);
        result
    }
}

impl<T: Default> Drop for Unwinding<'_, T> {
    #[cold]
    fn drop(&mut self) {
        drop(mem::take(self.0));
    }
}
