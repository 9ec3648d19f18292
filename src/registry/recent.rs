//! What a thread looked up lately: label values that stand where they stood before lead to their operation without a
//! hash, a table or a link of it.
//!
//! An entry is found by the addresses of the values and verified by the set's id and by the values themselves. So an
//! address that was used again, for other text or another set, costs a look at the table and nothing else.

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Operation;

/// Entries per thread, 16 bytes each; a power of two. Two that meet take turns.
const ENTRIES: usize = 128;

/// What tells one set from all others, dead or alive.
#[derive(Debug)]
pub(super) struct SetId(u64);

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Never used twice in a process; 0 is nobody's.
    set: u64,
    operation: *const Arc<Operation>,
}

thread_local! {
    /// Without a destructor: it owns nothing.
    static RECENT: [Cell<Entry>; ENTRIES] = const {
        [const { Cell::new(Entry { set: 0, operation: ptr::null() }) }; ENTRIES]
    };
}

impl SetId {
    pub(super) fn new() -> Self {
        /// Relaxed: only the value itself counts.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The operation with these label values, if this thread [kept](Self::keep) it lately.
    ///
    /// # Safety
    ///
    /// Operations kept under this id are there, where they were, for as long as the lifetime says.
    #[inline]
    pub(super) unsafe fn recent<'a>(&self, labels: &[&str]) -> Option<&'a Arc<Operation>> {
        let entry = RECENT.with(|recent| recent[index(labels)].get());
        if entry.set != self.0 {
            return None;
        }
        // SAFETY: ids are unique, so the operation was kept under this very one; the rest is the caller's promise.
        let operation = unsafe { &*entry.operation };
        operation.has(labels).then_some(operation)
    }

    /// Remembers where the operation with these label values is.
    pub(super) fn keep(&self, labels: &[&str], operation: &Arc<Operation>) {
        let entry = Entry {
            set: self.0,
            operation,
        };
        RECENT.with(|recent| recent[index(labels)].set(entry));
    }
}

/// From the addresses alone. Multiplied by 2⁶⁴ ÷ φ, whose upper bits depend on all bits of the sum.
#[inline]
fn index(labels: &[&str]) -> usize {
    let sum = labels.iter().fold(0_u64, |sum, label| {
        sum.rotate_left(21).wrapping_add(label.as_ptr() as u64)
    });
    (sum.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - ENTRIES.trailing_zeros())) as usize
}
