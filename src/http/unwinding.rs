//! A measurement ends as soon as a panic comes by.

use std::mem;

/// Lent out while somebody else's code runs. If that panics, the unwinding itself takes the measurement and drops it, so
/// that it counts as an error, even where somebody catches the panic and drops the rest later.
///
/// Not a function that takes a closure: what that captures and returns would be copied.
pub(super) struct Unwinding<'a, T: Default>(pub(super) &'a mut T);

impl<'a, T: Default> Unwinding<'a, T> {
    #[inline]
    pub(super) fn lend(measured: &'a mut T) -> Self {
        Self(measured)
    }

    /// Nothing panicked.
    #[inline]
    pub(super) fn back(self) {
        mem::forget(self);
    }
}

impl<T: Default> Drop for Unwinding<'_, T> {
    #[cold]
    fn drop(&mut self) {
        drop(mem::take(self.0));
    }
}
