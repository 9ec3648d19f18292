//! The statements that were seen, each in a slot of its own, and all that come after the cap in one.
//!
//! A text is hashed on every call and read only when its hash is not among those that lately led to a slot. So texts that
//! differ in their values alone, of which there is no end, cost time where they come in and memory never.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::statement::{DoubleQuotes, Statement, head};
use crate::histogram::{Cells, Memory};

/// Texts whose slot is remembered; a power of two. Two that meet take turns.
const RECENT: usize = 4096;

/// The bits of an entry that hold one more than the slot; the others are those of the text's hash.
const SLOT_BITS: u32 = 16;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

/// The most statements that may have a slot of their own.
pub(crate) const MAX_SLOTS: usize = SLOT_MASK as usize - 1;

/// All statements of one pool.
#[derive(Debug)]
pub(crate) struct Statements<T> {
    hasher: RandomState,
    quotes: DoubleQuotes,
    /// Which text led to which slot. Relaxed: an entry is whole in itself, and a slot is looked at through its own cell.
    recent: Box<[AtomicU64]>,
    /// Slots by the hash of the statement.
    known: Mutex<HashMap<u64, usize>>,
    /// The last one is for what comes after the cap.
    slots: Box<[OnceBox<Slot<T>>]>,
    /// How many times that was.
    overflow: Cells,
}

/// One statement, and what is kept for it.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) statement: Statement,
    pub(crate) kept: T,
}

impl<T> Statements<T> {
    pub(crate) fn new(quotes: DoubleQuotes, cap: usize, memory: Arc<Memory>) -> Self {
        Self {
            hasher: RandomState::default(),
            quotes,
            recent: (0..RECENT).map(|_| AtomicU64::new(0)).collect(),
            known: Mutex::default(),
            slots: (0..=cap.min(MAX_SLOTS)).map(|_| OnceBox::new()).collect(),
            overflow: Cells::new(0, memory),
        }
    }

    /// The slot of a statement; made at first sight with `make`, which sees what it is for.
    ///
    /// Cost once the text is known: a hash of its first 4 KiB and a look at a table; no lock, no allocation.
    pub(crate) fn of(&self, sql: &str, make: impl FnOnce(&Statement) -> T) -> &Slot<T> {
        let text = head(sql);
        let hash = self.hash(text);
        let recent = &self.recent[hash as usize & (RECENT - 1)];
        let entry = recent.load(Ordering::Relaxed);
        let is_known = entry >> SLOT_BITS == hash >> SLOT_BITS && entry & SLOT_MASK != 0;
        let at = if is_known {
            (entry & SLOT_MASK) as usize - 1
        } else {
            let at = self.search(text);
            let own = hash & !SLOT_MASK;
            recent.store(own | (at as u64 + 1), Ordering::Relaxed);
            at
        };
        if at == self.cap() {
            self.overflow.add(0, 1);
        }
        self.slots[at].get_or_init(|| {
            // Whoever is here for one slot has the same statement, so it is no matter whose is kept.
            let statement = if at == self.cap() {
                Statement::other()
            } else {
                Statement::of(text, self.quotes)
            };
            let kept = make(&statement);
            Box::new(Slot { statement, kept })
        })
    }

    /// Every slot that is in use, the one of all others last.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot<T>> {
        self.slots.iter().filter_map(OnceBox::get)
    }

    /// How many times a statement had no slot of its own.
    pub(crate) fn overflow(&self) -> u64 {
        self.overflow.total(&self.overflow.reading(), 0)
    }

    fn cap(&self) -> usize {
        self.slots.len() - 1
    }

    /// The number of the slot; a new one, if there is room.
    #[cold]
    #[inline(never)]
    fn search(&self, sql: &str) -> usize {
        let hash = self.hash(&Statement::of(sql, self.quotes).text);
        let mut known = self.known.lock();
        let next = known.len();
        if next < self.cap() {
            *known.entry(hash).or_insert(next)
        } else {
            known.get(&hash).copied().unwrap_or(next)
        }
    }

    fn hash(&self, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(cap: usize) -> Statements<usize> {
        Statements::new(DoubleQuotes::Names, cap, Arc::new(Memory::new(1 << 20)))
    }

    #[test]
    fn texts_that_differ_in_values_share_a_slot() {
        let statements = statements(8);
        for id in 0..1000 {
            let slot = statements.of(&format!("SELECT * FROM t WHERE id = {id}"), |_| id);
            assert_eq!((slot.kept, &*slot.statement.summary), (0, "SELECT t"));
        }
        assert_eq!(statements.of("DELETE FROM t", |_| 7).kept, 7);
        assert_eq!(statements.slots().count(), 2);
        assert_eq!(statements.overflow(), 0);
    }

    #[test]
    fn ten_thousand_statements_fit_and_the_first_ones_stay() {
        let statements = statements(256);
        for round in 0..2 {
            for table in 0..10_000 {
                let sql = format!("SELECT * FROM t{table}");
                let slot = statements.of(&sql, |_| table);
                let expected = if table < 256 { table } else { 256 };
                assert_eq!(slot.kept, expected, "round {round}");
            }
        }
        assert_eq!(statements.slots().count(), 257);
        assert_eq!(statements.known.lock().len(), 256);
        assert_eq!(statements.overflow(), 2 * (10_000 - 256));
        let other = statements.slots().last().expect("the last one");
        assert_eq!(other.statement, Statement::other());
    }

    #[test]
    fn threads_agree_on_the_slots() {
        let statements = statements(64);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for nth in 0..1000 {
                        let table = nth % 64;
                        let sql = format!("SELECT {nth} FROM t{table}");
                        let slot = statements.of(&sql, |_| table);
                        assert_eq!(slot.statement.table, format!("t{table}"));
                        assert_eq!(slot.kept, table);
                    }
                });
            }
        });
        assert_eq!(statements.slots().count(), 64);
    }
}
