//! What a thread has leased: the table in which it finds its block of each set of counters.

use std::cell::{Cell, RefCell};
use std::ptr;

use parking_lot::Mutex;

use super::shard::{Line, Shard};

/// What tells one set of counters from all others, and where a thread looks for its block of it.
#[derive(Debug)]
pub(super) struct Slot {
    /// Never used twice in a process, so a stale table entry cannot match.
    id: u64,
    /// Index into every thread's table; handed on when this value is dropped.
    index: usize,
    /// The same in bytes from the table's start.
    offset: usize,
}

impl Slot {
    pub(super) fn new() -> Self {
        let (id, index) = SLOTS.lock().take();
        Self {
            id,
            index,
            offset: (index + 1) * size_of::<Entry>(),
        }
    }

    /// The calling thread's block, if it has leased one.
    ///
    /// # Safety
    ///
    /// Blocks kept under this slot are there for as long as the lifetime says, unless their thread ends before.
    #[inline]
    pub(super) unsafe fn leased<'a>(&self) -> Option<Shard<'a>> {
        let table = TABLE.get();
        // SAFETY: `table` is `EMPTY` or the entries of this thread's `LEASES`, which renews `TABLE` whenever they move
        // and resets it before they go; its first entry says how many bytes it has. Ids are unique, so a block whose
        // entry bears ours was kept under this very slot.
        unsafe {
            if self.offset as u64 >= (*table).id {
                return None;
            }
            let entry = &*table.byte_add(self.offset);
            if entry.id == self.id {
                // No block bears `SHARES`, so there is one.
                Some(Shard::at(entry.line).unwrap_unchecked())
            } else {
                None
            }
        }
    }

    /// Lets `lease` make a block for the calling thread and keeps it; `None` if the thread has to share.
    #[cold]
    #[inline(never)]
    pub(super) fn keep<'a>(&self, lease: impl FnOnce() -> Option<Shard<'a>>) -> Option<Shard<'a>> {
        let kept = LEASES.try_with(|leases| {
            // Recording from inside this very function (an allocator that records) finds it borrowed.
            let mut leases = leases.try_borrow_mut().ok()?;
            leases.make_room(self.index);
            if leases.entries[self.index + 1].id == self.id | SHARES {
                return None;
            }
            let shard = lease();
            leases.keep(self.index, self.id, shard);
            shard
        });
        kept.ok().flatten()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        SLOTS.lock().free.push(self.index);
    }
}

/// Hands out ids, each once, and slots, again and again.
struct Slots {
    next_id: u64,
    next_slot: usize,
    free: Vec<usize>,
}

static SLOTS: Mutex<Slots> = Mutex::new(Slots {
    next_id: 1,
    next_slot: 0,
    free: Vec::new(),
});

impl Slots {
    fn take(&mut self) -> (u64, usize) {
        let id = self.next_id;
        self.next_id += 1;
        let slot = self.free.pop().unwrap_or_else(|| {
            self.next_slot += 1;
            self.next_slot - 1
        });
        (id, slot)
    }
}

/// Marks the id of an entry whose thread has to share.
const SHARES: u64 = 1 << 63;

/// A slot of a thread's table. The table's first entry has its length in bytes in place of an id.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// 0 is nobody's.
    id: u64,
    /// Null, or a block that this thread has still to release.
    line: *mut Line,
}

impl Entry {
    const NOBODY: Self = Self {
        id: 0,
        line: ptr::null_mut(),
    };

    fn release(self) {
        // SAFETY: it was kept by this thread, which has not released it.
        if let Some(shard) = unsafe { Shard::at(self.line) } {
            // SAFETY: its entry is gone, and with it the thread's way to the block.
            unsafe { shard.release() };
        }
    }
}

/// The table of a thread that has leased nothing: no entries.
static EMPTY: Empty = Empty(Entry::NOBODY);

struct Empty(Entry);

// SAFETY: nobody writes it, and its pointer is null.
unsafe impl Sync for Empty {}

/// The table that a thread reads on every record, and what must be released at its end.
struct Leases {
    /// By slot, after the entry that holds the length.
    entries: Vec<Entry>,
}

impl Leases {
    fn make_room(&mut self, slot: usize) {
        if self.entries.len() > slot + 1 {
            return;
        }
        let mut entries = Vec::with_capacity((slot + 2).max(2 * self.entries.len()));
        entries.extend_from_slice(&self.entries);
        entries.resize(slot + 2, Entry::NOBODY);
        entries[0].id = size_of_val(entries.as_slice()) as u64;
        // The old ones go last: an allocator that records looks for its block even now.
        TABLE.set(entries.as_ptr());
        self.entries = entries;
    }

    fn keep(&mut self, slot: usize, id: u64, shard: Option<Shard<'_>>) {
        let entry = match shard {
            Some(shard) => Entry {
                id,
                line: shard.as_ptr(),
            },
            None => Entry {
                id: id | SHARES,
                line: ptr::null_mut(),
            },
        };
        // A slot changes hands only after its last owner was dropped, so what stood here is dead.
        let dead = std::mem::replace(&mut self.entries[slot + 1], entry);
        // Renewed, for the entries were borrowed.
        TABLE.set(self.entries.as_ptr());
        dead.release();
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        TABLE.set(&raw const EMPTY.0);
        let entries = std::mem::take(&mut self.entries);
        entries.into_iter().skip(1).for_each(Entry::release);
    }
}

thread_local! {
    /// `LEASES.entries`, or `EMPTY`: without a destructor, so it is read with one load and outlives `LEASES`.
    static TABLE: Cell<*const Entry> = const { Cell::new(&raw const EMPTY.0) };
    static LEASES: RefCell<Leases> = const {
        RefCell::new(Leases { entries: Vec::new() })
    };
}
