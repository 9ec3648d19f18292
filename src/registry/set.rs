//! Label values to operations: an append-only hash table, read without a lock.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::recent::SetId;
use super::{Domain, Operation, Recording};
use crate::histogram::{Buckets, Cells};

/// The label value of whatever came after the cap.
pub(crate) const OTHER: &str = "other";

/// The route of requests that no route took.
pub(crate) const UNMATCHED: &str = "unmatched";

/// More label keys than any domain has.
const MAX_KEYS: usize = 4;

/// A link of a bucket's chain.
#[derive(Debug)]
struct Node {
    hash: u64,
    operation: Arc<Operation>,
    next: OnceBox<Node>,
}

/// All operations of one domain.
#[derive(Debug)]
pub(crate) struct OperationSet {
    id: SetId,
    domain: Domain,
    recording: Recording,
    hasher: RandomState,
    table: Box<[OnceBox<Node>]>,
    cap: usize,
    /// Operations admitted under the cap. Relaxed: only its own value decides.
    admitted: AtomicUsize,
    /// Operations that were counted under `other`.
    overflow: Cells,
    /// In the order of their making, for readers.
    all: Mutex<Vec<Arc<Operation>>>,
}

impl OperationSet {
    pub(super) fn new(domain: Domain, recording: Recording, cap: usize) -> Self {
        let table = (0..cap.next_power_of_two().clamp(16, 4096))
            .map(|_| OnceBox::new())
            .collect();
        Self {
            id: SetId::new(),
            domain,
            hasher: RandomState::default(),
            table,
            cap,
            admitted: AtomicUsize::new(0),
            overflow: Cells::new(0, recording.memory.clone()),
            recording,
            all: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn domain(&self) -> Domain {
        self.domain
    }

    pub(crate) fn buckets(&self) -> &Arc<Buckets> {
        &self.recording.buckets
    }

    /// The operation with these label values, made at first sight; `other` once the cap is reached.
    ///
    /// Once it exists this takes no lock and allocates nothing. It stays where it is for as long as the set.
    #[inline]
    pub(crate) fn get(&self, labels: &[&str]) -> &Arc<Operation> {
        self.find(labels, true)
    }

    /// The operation with these label values, which the cap does not concern.
    #[inline]
    pub(crate) fn declare(&self, labels: &[&str]) -> &Arc<Operation> {
        self.find(labels, false)
    }

    /// Every operation, `other` included.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        self.all.lock().clone()
    }

    /// Shows every operation but the first `known` in the order of their making.
    pub(crate) fn each_since(&self, known: usize, show: impl FnMut(&Arc<Operation>)) {
        self.all.lock().iter().skip(known).for_each(show);
    }

    /// How many times an operation was counted under `other`.
    pub(crate) fn overflow(&self) -> u64 {
        self.overflow.total(&self.overflow.reading(), 0)
    }

    #[inline]
    fn find(&self, labels: &[&str], capped: bool) -> &Arc<Operation> {
        debug_assert_eq!(labels.len(), self.domain.keys().len());
        // SAFETY: only operations in nodes of `table` are kept under `id`; a node is never moved and never dropped
        // before the table.
        unsafe { self.id.recent(labels) }.unwrap_or_else(|| self.search(labels, capped))
    }

    #[inline(never)]
    fn search(&self, labels: &[&str], capped: bool) -> &Arc<Operation> {
        let hash = self.hash(labels);
        let mut cell = &self.table[hash as usize & (self.table.len() - 1)];
        let mut fresh: Option<Box<Node>> = None;
        loop {
            if let Some(node) = cell.get() {
                if node.hash == hash && node.operation.has(labels) {
                    if fresh.is_some() && capped {
                        self.admitted.fetch_sub(1, Ordering::Relaxed);
                    }
                    self.id.keep(labels, &node.operation);
                    return &node.operation;
                }
                cell = &node.next;
                continue;
            }
            let node = match fresh.take() {
                Some(node) => node,
                None if capped && !self.admit() => return self.other(),
                None => Box::new(Node {
                    hash,
                    operation: self.make(labels),
                    next: OnceBox::new(),
                }),
            };
            let operation = node.operation.clone();
            match cell.set(node) {
                Ok(()) => self.all.lock().push(operation),
                Err(node) => fresh = Some(node),
            }
        }
    }

    #[cfg(test)]
    pub(super) fn with_lock_held(&self, work: impl FnOnce()) {
        let _held = self.all.lock();
        work();
    }

    fn admit(&self) -> bool {
        if self.admitted.fetch_add(1, Ordering::Relaxed) < self.cap {
            return true;
        }
        self.admitted.fetch_sub(1, Ordering::Relaxed);
        false
    }

    fn other(&self) -> &Arc<Operation> {
        self.overflow.add(0, 1);
        self.declare(&[OTHER; MAX_KEYS][..self.domain.keys().len()])
    }

    fn make(&self, labels: &[&str]) -> Arc<Operation> {
        Arc::new(Operation::new(self.domain, labels, self.recording.clone()))
    }

    fn hash(&self, labels: &[&str]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for label in labels {
            // No separator: labels are compared one by one, so an ambiguous hash costs a step and confuses nothing.
            hasher.write(label.as_bytes());
        }
        hasher.finish()
    }
}
