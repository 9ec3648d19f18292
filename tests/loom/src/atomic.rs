//! What the crate takes from the standard library and from parking_lot, as the model checker has it.

use std::alloc::Layout;

pub(super) use loom::alloc::alloc;
pub(super) use loom::sync::atomic::Ordering;

use loom::sync::atomic;

/// Frees what [`alloc`] gave, and spoils it before: an atomic that is used later is none that loom knows.
///
/// # Safety
///
/// That of the standard library's.
pub(super) unsafe fn dealloc(at: *mut u8, layout: Layout) {
    // SAFETY: it is the caller's until it is freed.
    unsafe {
        at.write_bytes(0xa5, layout.size());
        loom::alloc::dealloc(at, layout);
    }
}

/// An atomic that touches another one before every access.
///
/// loom remembers the last access to an atomic only. Where a thread loads and then stores, its own load is in the place
/// of another thread's, and loom does not try that one later. Relaxed additions are a conflict that it sees every time,
/// and they order nothing.
#[derive(Debug)]
pub(super) struct Touched<A> {
    value: A,
    touched: atomic::AtomicUsize,
}

impl<A> Touched<A> {
    fn touch(&self) -> &A {
        self.touched.fetch_add(1, Ordering::Relaxed);
        &self.value
    }

    fn around(value: A) -> Self {
        let touched = atomic::AtomicUsize::new(0);
        Self { value, touched }
    }
}

macro_rules! touched {
    ($name:ident $(<$generic:ident>)?, $value:ty, $($with:ident)*) => {
        pub(super) type $name $(<$generic>)? = Touched<atomic::$name $(<$generic>)?>;

        impl $(<$generic>)? $name $(<$generic>)? {
            pub(super) fn new(value: $value) -> Self {
                Self::around(atomic::$name::new(value))
            }

            pub(super) fn load(&self, order: Ordering) -> $value {
                self.touch().load(order)
            }

            pub(super) fn store(&self, value: $value, order: Ordering) {
                self.touch().store(value, order);
            }

            pub(super) fn compare_exchange(
                &self,
                from: $value,
                to: $value,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$value, $value> {
                self.touch().compare_exchange(from, to, order, failed)
            }

            pub(super) fn compare_exchange_weak(
                &self,
                from: $value,
                to: $value,
                order: Ordering,
                failed: Ordering,
            ) -> Result<$value, $value> {
                self.touch().compare_exchange(from, to, order, failed)
            }

            $(pub(super) fn $with(&self, value: $value, order: Ordering) -> $value {
                self.touch().$with(value, order)
            })*
        }
    };
}

touched!(AtomicPtr<T>, *mut T,);
touched!(AtomicU32, u32, fetch_and);
touched!(AtomicU64, u64, fetch_add);

/// Only counts bytes, of which there are enough: its order of events is of no interest.
pub(super) use std::sync::atomic::AtomicUsize;

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
