//! Which block a thread writes to: each leases one of its own.
//!
//! A thread finds its block through a thread-local table, indexed by a small number that a [`Cells`] borrows for its
//! life, and verified by an id that is never used twice. When a thread ends, the next reader folds what it counted into
//! the base. Threads that are being torn down, and those that come when the byte budget is spent, share one block.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::{Arc, Weak};

use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::blocks::Blocks;
use super::memory::{Memory, Reading};
use super::shard::{PAGE, Shard};

/// Cumulative counters with one writer per block and any number of readers.
#[derive(Debug)]
pub(crate) struct Cells {
    /// Never used twice in a process, so a stale table entry cannot match.
    id: u64,
    /// Index into every thread's table; handed on when this value is dropped.
    slot: usize,
    /// The same in bytes from the table's start.
    offset: usize,
    pages: usize,
    memory: Arc<Memory>,
    blocks: Mutex<Blocks>,
    /// Written by threads without a block of their own.
    shared: OnceBox<Shard>,
}

impl Cells {
    /// Counters in the head, and enough pages for `cells` more.
    pub(crate) fn new(cells: usize, memory: Arc<Memory>) -> Self {
        let (id, slot) = SLOTS.lock().take();
        Self {
            id,
            slot,
            offset: offset(slot),
            pages: cells.div_ceil(PAGE),
            memory,
            blocks: Mutex::default(),
            shared: OnceBox::new(),
        }
    }

    /// Adds `n` to a counter of the head, from whichever thread.
    #[inline]
    pub(crate) fn add(&self, counter: usize, n: u64) {
        match self.own() {
            Some(own) => own.own_add(counter, n),
            None => self.shared().shared_add(counter, n),
        }
    }

    /// Adds 1 to a cell and `sum` to the head's first counter; `false`, and nothing added, unless the calling thread has
    /// a block of its own with the cell's page in it.
    ///
    /// # Safety
    ///
    /// `cell` is in one of the pages, or in the page after the last, which is never there.
    #[inline]
    pub(super) unsafe fn quick_count(&self, cell: usize, sum: u64) -> bool {
        match self.quick() {
            // SAFETY: the caller's promise, handed on: every block has the pages of its `Cells`.
            Some(own) => unsafe { own.own_count_unchecked(cell, sum) },
            None => false,
        }
    }

    /// Adds 1 to a cell and `sum` to the head's first counter, from whichever thread.
    pub(super) fn count(&self, cell: usize, sum: u64) {
        let on_own = |own: &Shard| {
            own.own_count(cell, sum) || own.make_page(cell) && own.own_count(cell, sum)
        };
        if !self.own().is_some_and(on_own) {
            self.shared().shared_count(cell, sum);
        }
    }

    /// The calling thread's block; `None` if it has to share.
    #[inline]
    fn own(&self) -> Option<&Shard> {
        self.quick().or_else(|| self.lease())
    }

    /// The calling thread's block, if it has leased one.
    #[inline]
    fn quick(&self) -> Option<&Shard> {
        let table = TABLE.get();
        // SAFETY: `table` is `EMPTY` or the entries of this thread's `LEASES`, which renews `TABLE` whenever they move
        // and resets it before they go; its first entry says how many bytes it has. Ids are unique, so a block whose
        // entry bears ours was leased from this very value, which keeps a leased block for as long as it lives itself.
        unsafe {
            if self.offset as u64 >= (*table).id {
                return None;
            }
            let entry = &*table.byte_add(self.offset);
            if entry.id == self.id {
                Some(&*entry.shard)
            } else {
                None
            }
        }
    }

    #[cold]
    fn lease(&self) -> Option<&Shard> {
        let leased = LEASES.try_with(|leases| {
            // Recording from inside this very function (an allocator that records) finds it borrowed.
            let mut leases = leases.try_borrow_mut().ok()?;
            if leases.shares(self.slot, self.id) {
                return None;
            }
            let Some(shard) = Shard::owned(self.pages, &self.memory).map(Arc::new) else {
                leases.keep(self.slot, Entry::sharing(self.id), Weak::new());
                return None;
            };
            let entry = Entry {
                id: self.id,
                shard: Arc::as_ptr(&shard),
            };
            leases.keep(self.slot, entry, Arc::downgrade(&shard));
            self.blocks.lock().keep(shard);
            Some(entry.shard)
        });
        // SAFETY: as in `quick`; the block is kept in `blocks` by now.
        leased.ok().flatten().map(|shard| unsafe { &*shard })
    }

    fn shared(&self) -> &Shard {
        self.shared
            .get_or_init(|| Box::new(Shard::shared(self.pages, &self.memory)))
    }

    /// Begins to read.
    pub(crate) fn reading(&self) -> Reading<'_> {
        self.memory.reading()
    }

    /// Shows every block in turn, after folding those of ended threads into one.
    pub(super) fn read(&self, _: &Reading<'_>, mut show: impl FnMut(&Shard)) {
        let mut blocks = self.blocks.lock();
        blocks.fold(self.pages, &self.memory);
        blocks.each().chain(self.shared.get()).for_each(&mut show);
    }

    /// The total of one counter of the head.
    pub(crate) fn total(&self, reading: &Reading<'_>, counter: usize) -> u64 {
        let mut total = 0_u64;
        self.read(reading, |shard| {
            total = total.wrapping_add(shard.head(counter))
        });
        total
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Drop + '_ {
        self.blocks.lock()
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        SLOTS.lock().free.push(self.slot);
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
    shard: *const Shard,
}

impl Entry {
    const NOBODY: Self = Self {
        id: 0,
        shard: ptr::null(),
    };

    fn sharing(id: u64) -> Self {
        Self {
            id: id | SHARES,
            shard: ptr::null(),
        }
    }
}

/// Where the entry of a slot stands, in bytes.
fn offset(slot: usize) -> usize {
    (slot + 1) * size_of::<Entry>()
}

/// The table of a thread that has leased nothing: no entries.
static EMPTY: Empty = Empty(Entry::NOBODY);

struct Empty(Entry);

// SAFETY: nobody writes it, and its pointer is null.
unsafe impl Sync for Empty {}

/// What a thread has leased: the table it reads on every record, and what must be given back at its end.
struct Leases {
    /// By slot, after the entry that holds the length.
    entries: Vec<Entry>,
    shards: Vec<Weak<Shard>>,
}

impl Leases {
    fn shares(&self, slot: usize, id: u64) -> bool {
        self.entries
            .get(slot + 1)
            .is_some_and(|entry| entry.id == id | SHARES)
    }

    fn keep(&mut self, slot: usize, entry: Entry, shard: Weak<Shard>) {
        if self.shards.len() <= slot {
            self.entries.resize(slot + 2, Entry::NOBODY);
            self.shards.resize(slot + 1, Weak::new());
            self.entries[0].id = size_of_val(self.entries.as_slice()) as u64;
        }
        // A slot changes hands only after its last owner was dropped, so what stood here is dead.
        self.entries[slot + 1] = entry;
        self.shards[slot] = shard;
        TABLE.set(self.entries.as_ptr());
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        TABLE.set(&raw const EMPTY.0);
        self.shards
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|shard| shard.release());
    }
}

thread_local! {
    /// `LEASES.entries`, or `EMPTY`: without a destructor, so it is read with one load and outlives `LEASES`.
    static TABLE: Cell<*const Entry> = const { Cell::new(&raw const EMPTY.0) };
    static LEASES: RefCell<Leases> = const {
        RefCell::new(Leases { entries: Vec::new(), shards: Vec::new() })
    };
}
