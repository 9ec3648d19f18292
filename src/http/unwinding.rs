//! A measurement ends as soon as a panic comes by.

use std::mem::ManuallyDrop;

/// Lent out while somebody else's code runs. If that panics, the unwinding itself takes the measurement and drops it, so
/// that it counts as an error, even where somebody catches the panic and drops the rest later.
pub(super) struct Unwinding<'a, T>(&'a mut Option<T>);

impl<T> Unwinding<'_, T> {
    /// Runs `work`, which may look at the measurement.
    #[inline]
    pub(super) fn guard<R>(measured: &mut Option<T>, work: impl FnOnce(&mut Option<T>) -> R) -> R {
        let lent = Unwinding(measured);
        let result = work(lent.0);
        let _ = ManuallyDrop::new(lent);
        result
    }
}

impl<T> Drop for Unwinding<'_, T> {
    #[cold]
    fn drop(&mut self) {
        self.0.take();
    }
}
