//! The statements that were seen, each in a slot of its own, and all that come after the cap in one. Names that were declared have
//! theirs beside the cap.
//!
//! A text is hashed on every call and read only when its hash is not among those that lately led to a slot. So texts that
//! differ in their values alone, of which there is no end, cost time where they come in and memory never.

use std::collections::{HashMap, HashSet};
use std::fmt;
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

/// The bits of an entry that hold one more than the slot; the others are those of the hash.
const SLOT_BITS: u32 = 16;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;

/// The most statements that may have a slot of their own, and as many that were declared.
pub(crate) const MAX_SLOTS: usize = 32_000;

/// The slot of whatever has none of its own.
const OTHER: usize = 0;

/// Slots that come into being together.
const CHUNK: usize = 64;

/// What a slot is found by; their hashes differ.
#[derive(Debug, Clone, Copy)]
enum By {
    Text,
    Statement,
    Name,
}

/// All statements of one database.
pub(crate) struct Statements<T> {
    hasher: RandomState,
    quotes: DoubleQuotes,
    cap: usize,
    /// Which text or name led to which slot. Relaxed: an entry is whole in itself, and a slot is looked at through its own
    /// cell.
    recent: Box<[AtomicU64]>,
    known: Mutex<Known>,
    slots: Box<[OnceBox<Chunk<T>>]>,
    /// How many times a statement had no slot of its own.
    overflow: Cells,
}

/// Which slots are taken.
#[derive(Debug, Default)]
struct Known {
    /// By the hash of the statement or the name.
    slots: HashMap<u64, usize>,
    declared: HashSet<usize>,
}

#[derive(Debug)]
struct Chunk<T>([OnceBox<Slot<T>>; CHUNK]);

/// One statement, and what is kept for it.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) statement: Statement,
    /// What the user calls it.
    pub(crate) name: Option<Box<str>>,
    pub(crate) kept: T,
}

impl<T> Statements<T> {
    pub(crate) fn new(quotes: DoubleQuotes, cap: usize, memory: Arc<Memory>) -> Self {
        let cap = cap.min(MAX_SLOTS);
        let chunks = (1 + cap + MAX_SLOTS).div_ceil(CHUNK);
        Self {
            hasher: RandomState::default(),
            quotes,
            cap,
            recent: (0..RECENT).map(|_| AtomicU64::new(0)).collect(),
            known: Mutex::default(),
            slots: (0..chunks).map(|_| OnceBox::new()).collect(),
            overflow: Cells::new(0, memory),
        }
    }

    /// The slot of a statement; made at first sight with `make`, which sees what it is for.
    ///
    /// Cost once the text is known: a hash of its first 4 KiB and a look at a table; no lock, no allocation.
    #[inline]
    pub(crate) fn of(&self, sql: &str, make: impl FnOnce(&Statement, bool) -> T) -> &Slot<T> {
        let text = head(sql);
        let at = self.at(self.hash(By::Text, text), || {
            self.hash(By::Statement, &Statement::of(text, self.quotes).text)
        });
        self.slot(at, text, None, make)
    }

    /// The slot of a name, whatever the statement; `make` also sees whether it was declared.
    #[inline]
    pub(crate) fn named(
        &self,
        name: &str,
        sql: &str,
        make: impl FnOnce(&Statement, bool) -> T,
    ) -> &Slot<T> {
        let hash = self.hash(By::Name, name);
        let at = self.at(hash, || hash);
        self.slot(at, sql, Some(name), make)
    }

    /// Gives a name a slot, whatever came before; not above [`MAX_SLOTS`] of them.
    pub(crate) fn declare(&self, name: &str) {
        let hash = self.hash(By::Name, name);
        let mut known = self.known.lock();
        let next = known.slots.len() + 1;
        if known.declared.len() < MAX_SLOTS && !known.slots.contains_key(&hash) {
            known.slots.insert(hash, next);
            known.declared.insert(next);
            // Where it was one of the others so far.
            self.recent(hash).store(0, Ordering::Relaxed);
        }
    }

    /// Every slot that is in use, the one of all others first.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot<T>> {
        let chunks = self.slots.iter().filter_map(OnceBox::get);
        chunks.flat_map(|chunk| chunk.0.iter().filter_map(OnceBox::get))
    }

    /// How many times a statement had no slot of its own.
    pub(crate) fn overflow(&self) -> u64 {
        self.overflow.total(&self.overflow.reading(), 0)
    }

    fn recent(&self, hash: u64) -> &AtomicU64 {
        &self.recent[hash as usize & (RECENT - 1)]
    }

    /// The number of the slot that a hash lately led to, or else the one of `identity`.
    #[inline]
    fn at(&self, hash: u64, identity: impl FnOnce() -> u64) -> usize {
        let entry = self.recent(hash).load(Ordering::Relaxed);
        if entry >> SLOT_BITS == hash >> SLOT_BITS && entry & SLOT_MASK != 0 {
            return (entry & SLOT_MASK) as usize - 1;
        }
        self.search(hash, identity())
    }

    /// The number of a slot; a new one, if there is room.
    #[cold]
    #[inline(never)]
    fn search(&self, hash: u64, identity: u64) -> usize {
        let mut known = self.known.lock();
        let (next, undeclared) = (
            known.slots.len() + 1,
            known.slots.len() - known.declared.len(),
        );
        let at = if undeclared < self.cap {
            *known.slots.entry(identity).or_insert(next)
        } else {
            known.slots.get(&identity).copied().unwrap_or(OTHER)
        };
        // Under the lock: whoever declares a name next forgets it again.
        let entry = hash & !SLOT_MASK | (at as u64 + 1);
        self.recent(hash).store(entry, Ordering::Relaxed);
        at
    }

    #[inline]
    fn slot(
        &self,
        at: usize,
        sql: &str,
        name: Option<&str>,
        make: impl FnOnce(&Statement, bool) -> T,
    ) -> &Slot<T> {
        if at == OTHER {
            self.overflow.add(0, 1);
        }
        let chunk = self.slots[at / CHUNK].get_or_init(|| {
            let empty = std::array::from_fn(|_| OnceBox::new());
            Box::new(Chunk(empty))
        });
        // Whoever is here for one slot has the same identity, so it is no matter whose is kept.
        chunk.0[at % CHUNK].get_or_init(|| Box::new(self.fresh(at, sql, name, make)))
    }

    #[cold]
    #[inline(never)]
    fn fresh(
        &self,
        at: usize,
        sql: &str,
        name: Option<&str>,
        make: impl FnOnce(&Statement, bool) -> T,
    ) -> Slot<T> {
        let (statement, name) = match at {
            OTHER => (Statement::other(), None),
            _ => (Statement::of(sql, self.quotes), name.map(Into::into)),
        };
        let declared = self.known.lock().declared.contains(&at);
        let kept = make(&statement, declared);
        Slot {
            statement,
            name,
            kept,
        }
    }

    #[inline]
    fn hash(&self, by: By, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(by as u8);
        hasher.write(text.as_bytes());
        hasher.finish()
    }
}

// Its statements would flood a log line.
impl<T> fmt::Debug for Statements<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statements")
            .field("cap", &self.cap)
            .finish_non_exhaustive()
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
            let slot = statements.of(&format!("SELECT * FROM t WHERE id = {id}"), |_, _| id);
            assert_eq!((slot.kept, &*slot.statement.summary), (0, "SELECT t"));
        }
        assert_eq!(statements.of("DELETE FROM t", |_, _| 7).kept, 7);
        assert_eq!(statements.slots().count(), 2);
        assert_eq!(statements.overflow(), 0);
    }

    #[test]
    fn ten_thousand_statements_fit_and_the_first_ones_stay() {
        let statements = statements(256);
        for round in 0..2 {
            for table in 0..10_000 {
                let sql = format!("SELECT * FROM t{table}");
                let slot = statements.of(&sql, |_, _| table);
                let expected = if table < 256 { table } else { 256 };
                assert_eq!(slot.kept, expected, "round {round}");
            }
        }
        assert_eq!(statements.slots().count(), 257);
        assert_eq!(statements.known.lock().slots.len(), 256);
        assert_eq!(statements.overflow(), 2 * (10_000 - 256));
        let other = statements.slots().next().expect("the first one");
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
                        let slot = statements.of(&sql, |_, _| table);
                        assert_eq!(slot.statement.table, format!("t{table}"));
                        assert_eq!(slot.kept, table);
                    }
                });
            }
        });
        assert_eq!(statements.slots().count(), 64);
    }

    #[test]
    fn a_name_is_an_identity_of_its_own() {
        let statements = statements(8);
        let by_id = statements.named("orders.by_id", "SELECT * FROM orders", |_, _| 1);
        assert_eq!(by_id.name.as_deref(), Some("orders.by_id"));
        assert_eq!(by_id.statement.table, "orders");
        let again = statements.named("orders.by_id", "SELECT other FROM text", |_, _| 2);
        assert_eq!(again.kept, 1);
        assert_eq!(statements.of("orders.by_id", |_, _| 3).kept, 3);
        assert_eq!(statements.of("SELECT * FROM orders", |_, _| 4).kept, 4);
    }

    #[test]
    fn declared_names_have_a_slot_whatever_came_before() {
        let statements = statements(4);
        for table in 0..10 {
            statements.of(&format!("SELECT * FROM t{table}"), |_, _| table);
        }
        let sql = "SELECT * FROM orders";
        assert_eq!(
            statements.named("late", sql, |_, _| 1).statement.verb,
            "_OTHER"
        );
        for _ in 0..2 {
            statements.declare("late");
        }
        let late = statements.named("late", sql, |_, declared| usize::from(declared) + 70);
        assert_eq!((late.kept, &*late.statement.table), (71, "orders"));
        let before = statements.overflow();
        statements.named("late", sql, |_, _| 2);
        assert_eq!(statements.overflow(), before);
        assert_eq!(statements.slots().count(), 1 + 4 + 1);
    }
}
