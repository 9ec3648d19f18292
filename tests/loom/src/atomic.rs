//! What the crate takes from the standard library and from parking_lot, as the model checker has it.

pub(super) use loom::alloc::{alloc, dealloc};
pub(super) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// parking_lot's mutex, as far as it is used.
#[derive(Debug)]
pub(super) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(self.0.lock().expect("no panic"))
    }
}

#[derive(Debug)]
pub(super) struct MutexGuard<'a, T>(loom::sync::MutexGuard<'a, T>);

impl<T> MutexGuard<'_, T> {
    pub(super) fn bump(_: &mut Self) {}
}
