//! The blocks of one set of counters: those that threads own, and what ended threads left behind.

use std::sync::Arc;

use super::memory::Memory;
use super::shard::Shard;

/// Reached under a lock by whoever leases or reads; owners write to their block without it.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    owned: Vec<Arc<Shard>>,
    /// What ended threads counted.
    base: Option<Box<Shard>>,
}

impl Blocks {
    pub(super) fn keep(&mut self, shard: Arc<Shard>) {
        self.owned.push(shard);
    }

    /// Adds the blocks of ended threads to the base.
    ///
    /// No reader sees a block twice or not at all, for it is under the lock; a block that is not leased has no writer,
    /// and a leased one is not touched.
    pub(super) fn fold(&mut self, pages: usize, memory: &Arc<Memory>) {
        if self.owned.iter().all(|shard| shard.is_leased()) {
            return;
        }
        let base = self
            .base
            .get_or_insert_with(|| Box::new(Shard::shared(pages, memory)));
        self.owned.retain(|shard| {
            let leased = shard.is_leased();
            if !leased {
                base.absorb(shard);
            }
            leased
        });
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &Shard> {
        self.owned
            .iter()
            .map(|shard| &**shard)
            .chain(self.base.as_deref())
    }
}
