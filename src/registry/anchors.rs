//! What keeps a registry there while somebody counts into it: reference counts that threads seldom share.
//!
//! A request keeps its operation until its body ends. On one count, which all threads change, they would wait for each
//! other's cache line; so there are several for the same registry, and a thread takes the one of its number.

use std::any::Any;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::Registry;

/// Reference counts of a registry.
const ANCHORS: usize = 16;

/// Keeps a registry there. Aligned, so that its count has a cache line without anybody else's in it.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Anchor(Arc<Registry>);

impl Anchor {
    #[inline]
    pub(crate) fn registry(&self) -> &Registry {
        &self.0
    }
}

/// Held by the instance: with the last of its clones no more requests are counted, and with the last request under way
/// its registry goes.
#[derive(Debug)]
pub(crate) struct Anchors([Arc<Anchor>; ANCHORS]);

impl Anchors {
    pub(crate) fn new(registry: &Arc<Registry>) -> Self {
        Self(std::array::from_fn(|_| Arc::new(Anchor(registry.clone()))))
    }

    pub(crate) fn weak(&self) -> WeakAnchors {
        WeakAnchors(self.0.each_ref().map(Arc::downgrade))
    }
}

/// The way to a registry for those who do not keep it there.
#[derive(Debug, Clone)]
pub(crate) struct WeakAnchors([Weak<Anchor>; ANCHORS]);

impl WeakAnchors {
    /// Keeps the registry there, on the calling thread's count; `None` if its instance is gone.
    #[inline]
    pub(crate) fn hold(&self) -> Option<Arc<Anchor>> {
        self.0[number() % ANCHORS].upgrade()
    }
}

/// The number of the calling thread: they take turns.
#[inline]
fn number() -> usize {
    thread_local! {
        /// One more than the number; 0 before there is one.
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }
    #[cold]
    fn take() -> usize {
        /// Relaxed: only the value itself counts.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        NUMBER.set(number);
        number
    }
    match NUMBER.get() {
        0 => take(),
        number => number,
    }
}

/// Values of an instance that are never freed, each once: what refers to them is copied without a count.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Vec<&'static (dyn Any + Send + Sync)>>);

impl Kept {
    /// The kept value that equals `value`, which becomes one at its first time.
    pub(super) fn keep<T: PartialEq + Send + Sync>(&self, value: T) -> &'static T {
        let mut kept = self.0.lock();
        let mut same = kept.iter().filter_map(|kept| kept.downcast_ref::<T>());
        if let Some(kept) = same.find(|kept| **kept == value) {
            return kept;
        }
        let fresh: &'static T = Box::leak(Box::new(value));
        kept.push(fresh);
        fresh
    }
}
