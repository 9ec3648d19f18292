//! What the crate takes from the standard library and from parking_lot, as the model checker has it.

use std::alloc::Layout;
use std::cell::RefCell;
use std::collections::HashMap;

pub(super) use loom::sync::atomic::{Ordering, fence};

use loom::alloc::Track;
use loom::sync::atomic;

thread_local! {
    /// What was not freed yet, by address: loom fails a model that leaves some of it. A model has one thread of the
    /// system, whatever threads it plays.
    static TAKEN: RefCell<HashMap<usize, Track<()>>> = RefCell::default();
    /// What was freed in this run of the model.
    static FREED: RefCell<Vec<(usize, Layout)>> = RefCell::default();
}

/// Takes memory at an address that is new in this run: an exchange must not succeed because of what the allocator did
/// in the run before, for loom goes through the same steps again and again.
///
/// # Safety
///
/// That of the standard library's.
pub(super) unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise, handed on.
    let at = unsafe { std::alloc::alloc(layout) };
    TAKEN.with_borrow_mut(|taken| taken.insert(at as usize, Track::new(())));
    at
}

/// Frees what [`alloc`] gave, and spoils it before: an atomic that is used later is none that loom knows.
///
/// # Safety
///
/// That of the standard library's.
pub(super) unsafe fn dealloc(at: *mut u8, layout: Layout) {
    // SAFETY: it is the caller's until it is freed.
    unsafe { at.write_bytes(0xa5, layout.size()) };
    let track = TAKEN.with_borrow_mut(|taken| taken.remove(&(at as usize)));
    drop(track.expect("freed once"));
    FREED.with_borrow_mut(|freed| freed.push((at as usize, layout)));
}

/// Before each run of a model: what the one before has freed goes.
pub(super) fn begin() {
    for (at, layout) in FREED.take() {
        // SAFETY: it came from `alloc` with this layout, and nobody knows it any more.
        unsafe { std::alloc::dealloc(at as *mut u8, layout) };
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
