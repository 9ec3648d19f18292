//! What a thread counted requests as lately: a route whose text stands where it stood before leads to its operation, whatever
//! the layer was told of routes, without a look at the text.
//!
//! An entry keeps the text where it is. So an address that is found again stands for the same text, and since a
//! [`Share`] is never freed, its address for the same layer.

use std::cell::Cell;
use std::ptr::{self, NonNull};

use super::route::Matched;
use super::share::Share;
use crate::registry::Operation;

/// Entries per thread, 56 bytes each; a power of two. Two that meet take turns.
const ENTRIES: usize = 64;

/// By address.
#[derive(Clone, Copy, PartialEq)]
struct Key {
    share: *const Share,
    method: *const u8,
    route: *const u8,
    route_len: usize,
}

struct Entry {
    key: Cell<Key>,
    operation: Cell<*const Operation>,
    /// Keeps the text of the key's route where it is.
    route: Cell<Option<Matched>>,
}

thread_local! {
    static KNOWN: [Entry; ENTRIES] = const { [const { Entry::nobodys() }; ENTRIES] };
}

impl Entry {
    const fn nobodys() -> Self {
        Self {
            key: Cell::new(Key {
                share: ptr::null(),
                method: ptr::null(),
                route: ptr::null(),
                route_len: 0,
            }),
            operation: Cell::new(ptr::null()),
            route: Cell::new(None),
        }
    }
}

impl Key {
    #[inline]
    fn new(share: &'static Share, method: &'static str, route: &Matched) -> Self {
        let route = route.as_str();
        Self {
            share,
            method: method.as_ptr(),
            route: route.as_ptr(),
            route_len: route.len(),
        }
    }

    /// Multiplied by 2⁶⁴ ÷ φ, whose upper bits depend on all bits of the sum.
    #[inline]
    fn index(&self) -> usize {
        let sum = (self.route as u64).wrapping_add((self.method as u64).rotate_left(21));
        (sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - ENTRIES.trailing_zeros())) as usize
    }
}

/// What this thread [kept](keep) lately for a layer, a method label and a route: there for as long as the layer's registry.
#[inline]
pub(super) fn operation(
    share: &'static Share,
    method: &'static str,
    route: &Matched,
) -> Option<NonNull<Operation>> {
    let key = Key::new(share, method, route);
    let known = |known: &[Entry; ENTRIES]| {
        let entry = &known[key.index()];
        (entry.key.get() == key).then(|| entry.operation.get())
    };
    // A thread that is ending knows nothing.
    NonNull::new(KNOWN.try_with(known).ok()??.cast_mut())
}

/// Remembers an operation of the layer's registry.
pub(super) fn keep(
    share: &'static Share,
    method: &'static str,
    route: &Matched,
    operation: &Operation,
) {
    let key = Key::new(share, method, route);
    let keep = |known: &[Entry; ENTRIES]| {
        let entry = &known[key.index()];
        entry.route.set(Some(route.clone()));
        entry.operation.set(operation);
        entry.key.set(key);
    };
    let _ = KNOWN.try_with(keep);
}
