//! Cells that every thread writes without a lock prefix: each thread leases a block of its own.
//!
//! A thread finds its block through a thread-local table, indexed by a small number that a [`Cells`] borrows for its
//! life, and verified by an id that is never used twice. When a thread ends, its blocks keep their counts and wait
//! for the next thread that asks.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use once_cell::race::OnceBox;
use parking_lot::Mutex;

/// A cache line of counters: two threads never share one.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line(#[expect(dead_code, reason = "read as part of a slice over all lines")] [AtomicU64; 8]);

/// One thread's block of counters.
#[derive(Debug)]
struct Shard {
    /// True while a living thread writes here. The Release store at a thread's end publishes its last writes; it pairs
    /// with the Acquire exchange of the thread that leases the block next.
    leased: AtomicBool,
    lines: Box<[Line]>,
}

impl Shard {
    fn new(width: usize) -> Self {
        let lines = (0..width.div_ceil(8)).map(|_| Line::default()).collect();
        Self {
            leased: AtomicBool::new(true),
            lines,
        }
    }

    fn cells(&self) -> &[AtomicU64] {
        let first: *const Line = self.lines.as_ptr();
        // SAFETY: `Line` is eight `AtomicU64` and 64 bytes, so `lines` is a gapless array of eight times as many cells.
        unsafe { std::slice::from_raw_parts(first.cast(), self.lines.len() * 8) }
    }
}

/// A fixed number of cumulative counters with one writer per thread and any number of readers.
#[derive(Debug)]
pub(crate) struct Cells {
    /// Never used twice in a process, so a stale table entry cannot match.
    id: u64,
    /// Index into every thread's table; handed on when this value is dropped.
    slot: usize,
    width: usize,
    shards: Mutex<Vec<Arc<Shard>>>,
    /// For threads that have no table any more, because they are being torn down.
    shared: OnceBox<Shard>,
}

/// The block of the calling thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own<'a>(&'a [AtomicU64]);

impl Own<'_> {
    /// Adds `n`. Relaxed, load and store apart: this thread is the only writer, and a reader may lag.
    #[inline]
    pub(crate) fn add(self, cell: usize, n: u64) {
        let cell = &self.0[cell];
        cell.store(
            cell.load(Ordering::Relaxed).wrapping_add(n),
            Ordering::Relaxed,
        );
    }

    /// Adds `n` and publishes what this thread added before: pairs with the Acquire loads of [`Cells::read`]'s caller.
    #[inline]
    pub(crate) fn publish(self, cell: usize, n: u64) {
        let cell = &self.0[cell];
        cell.store(
            cell.load(Ordering::Relaxed).wrapping_add(n),
            Ordering::Release,
        );
    }
}

/// The block that all threads without one of their own write to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shared<'a>(&'a [AtomicU64]);

impl Shared<'_> {
    /// Adds `n`. Release for the same pairing as [`Own::publish`].
    pub(crate) fn add(self, cell: usize, n: u64) {
        self.0[cell].fetch_add(n, Ordering::Release);
    }
}

impl Cells {
    pub(crate) fn new(width: usize) -> Self {
        let (id, slot) = SLOTS.lock().take();
        Self {
            id,
            slot,
            width,
            shards: Mutex::new(Vec::new()),
            shared: OnceBox::new(),
        }
    }

    /// The calling thread's block; `None` while the thread is being torn down.
    #[inline]
    pub(crate) fn own(&self) -> Option<Own<'_>> {
        let (table, len) = TABLE.get();
        if self.slot < len {
            // SAFETY: `table` points to `len` entries owned by this thread's `LEASES`, which renews `TABLE` whenever
            // they move and empties it before they go.
            let entry = unsafe { *table.add(self.slot) };
            if entry.id == self.id {
                // SAFETY: ids are unique, so the block was leased from this very value, whose `shards` keeps it alive
                // for as long as `self` is borrowed; it has at least `width` cells.
                return Some(Own(unsafe {
                    std::slice::from_raw_parts(entry.cells, self.width)
                }));
            }
        }
        self.lease()
    }

    pub(crate) fn shared(&self) -> Shared<'_> {
        Shared(
            self.shared
                .get_or_init(|| Box::new(Shard::new(self.width)))
                .cells(),
        )
    }

    /// Adds `n` to one cell, from whichever thread.
    #[inline]
    pub(crate) fn add(&self, cell: usize, n: u64) {
        match self.own() {
            Some(own) => own.publish(cell, n),
            None => self.shared().add(cell, n),
        }
    }

    /// Shows every block in turn. Load the cells with Acquire where their order matters.
    pub(crate) fn read(&self, mut show: impl FnMut(&[AtomicU64])) {
        for shard in self.shards.lock().iter() {
            show(&shard.cells()[..self.width]);
        }
        if let Some(shared) = self.shared.get() {
            show(&shared.cells()[..self.width]);
        }
    }

    /// The total of one cell.
    pub(crate) fn total(&self, cell: usize) -> u64 {
        let mut total = 0_u64;
        self.read(|cells| total = total.wrapping_add(cells[cell].load(Ordering::Acquire)));
        total
    }

    #[cfg(test)]
    pub(crate) fn hold_lock(&self) -> impl Drop + '_ {
        self.shards.lock()
    }

    #[cold]
    fn lease(&self) -> Option<Own<'_>> {
        let leased = LEASES.try_with(|leases| {
            // Recording from inside this very function (an allocator that records) finds it borrowed.
            let mut leases = leases.try_borrow_mut().ok()?;
            let shard = self.free_shard();
            let cells = shard.cells().as_ptr();
            leases.keep(
                self.slot,
                Entry { id: self.id, cells },
                Arc::downgrade(&shard),
            );
            Some(cells)
        });
        let cells = leased.ok().flatten()?;
        // SAFETY: as in `own`; the block is in `shards` by now.
        Some(Own(unsafe {
            std::slice::from_raw_parts(cells, self.width)
        }))
    }

    /// A block that some ended thread left behind, or a new one.
    fn free_shard(&self) -> Arc<Shard> {
        let mut shards = self.shards.lock();
        let free = shards.iter().find(|shard| {
            shard
                .leased
                .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        });
        match free {
            Some(shard) => shard.clone(),
            None => {
                let shard = Arc::new(Shard::new(self.width));
                shards.push(shard.clone());
                shard
            }
        }
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

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// 0 is nobody's.
    id: u64,
    cells: *const AtomicU64,
}

/// What a thread has leased: the table it reads on every record, and what must be given back at its end.
struct Leases {
    entries: Vec<Entry>,
    shards: Vec<Weak<Shard>>,
}

impl Leases {
    fn keep(&mut self, slot: usize, entry: Entry, shard: Weak<Shard>) {
        if self.entries.len() <= slot {
            self.entries.resize(
                slot + 1,
                Entry {
                    id: 0,
                    cells: ptr::null(),
                },
            );
            self.shards.resize(slot + 1, Weak::new());
        }
        // A slot changes hands only after its last owner was dropped, so what stood here is dead.
        self.entries[slot] = entry;
        self.shards[slot] = shard;
        TABLE.set((self.entries.as_ptr(), self.entries.len()));
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        TABLE.set((ptr::null(), 0));
        for shard in self.shards.iter().filter_map(Weak::upgrade) {
            shard.leased.store(false, Ordering::Release);
        }
    }
}

thread_local! {
    /// `LEASES.entries` as a bare slice: without a destructor, so it is read with one load and outlives `LEASES`.
    static TABLE: Cell<(*const Entry, usize)> = const { Cell::new((ptr::null(), 0)) };
    static LEASES: RefCell<Leases> = const {
        RefCell::new(Leases { entries: Vec::new(), shards: Vec::new() })
    };
}
