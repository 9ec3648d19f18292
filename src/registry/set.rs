//! Label values to operations: an append-only hash table, read without a lock.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use once_cell::race::OnceBox;
use parking_lot::Mutex;

use super::label::MAX_LABELS;
use super::query;
use super::recent::SetId;
use super::values::{LabelValues, Labels};
use super::{Domain, Extra, Operation, Recording};
use crate::histogram::{Buckets, Cells};

/// The label value of whatever came after the cap.
pub(crate) const OTHER: &str = "other";

/// The route of requests that no route took.
pub(crate) const UNMATCHED: &str = "unmatched";

/// More label keys than any domain has, the user's among them.
pub(crate) const MAX_KEYS: usize = 2 + MAX_LABELS;

/// A link of a bucket's chain.
#[derive(Debug)]
struct Node {
    hash: u64,
    operation: Arc<Operation>,
    /// Whether these very label values were declared. Relaxed: only its own value decides.
    declared: AtomicBool,
    next: OnceBox<Node>,
}

/// What of an operation is declared, and so exempt from the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Declared {
    /// Nothing, unless its domain's own labels were before.
    Nothing,
    /// Its domain's own labels.
    #[cfg(feature = "http")]
    Own,
    /// All.
    All,
}

/// All operations of one domain.
#[derive(Debug)]
pub(crate) struct OperationSet {
    id: SetId,
    domain: Domain,
    pub(crate) labels: Labels,
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
    pub(super) fn new(domain: Domain, labels: Labels, recording: Recording, cap: usize) -> Self {
        let table = (0..cap.next_power_of_two().clamp(16, 4096))
            .map(|_| OnceBox::new())
            .collect();
        Self {
            id: SetId::new(),
            domain,
            labels,
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

    /// The label keys, in the order in which values are given: the domain's own, then those that the user added.
    pub(crate) fn keys(&self) -> &[&'static str] {
        &self.recording.keys
    }

    pub(crate) fn buckets(&self) -> &Arc<Buckets> {
        &self.recording.buckets
    }

    /// What an extra of its operations is counted into.
    pub(crate) fn buckets_of(&self, extra: Extra) -> &Arc<Buckets> {
        extra.buckets(&self.recording)
    }

    /// What shares of its operations' time are counted into.
    pub(crate) fn share_buckets(&self) -> &Arc<Buckets> {
        self.recording.rulers.shares()
    }

    /// The operation with these label values, made at first sight; `other` once the cap is reached. One behind those that
    /// [tell](Domain::telling) may be left out.
    ///
    /// Once it exists this takes no lock and allocates nothing. It stays where it is for as long as the set.
    #[inline]
    pub(crate) fn get(&self, labels: &[&str]) -> &Arc<Operation> {
        self.find(labels, Declared::Nothing)
    }

    /// The operation with these label values, those of the domain's own labels being as good as declared: the cap
    /// concerns it only as far as a client may choose the others.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn get_declared(&self, labels: &[&str]) -> &Arc<Operation> {
        self.find(labels, Declared::Own)
    }

    /// The operation with these label values, which the cap does not concern. Labels that are not given are empty.
    ///
    /// Nor does it concern the same with other values of the user's labels, where those are declared too; values that
    /// clients choose, beyond the cap, lead to the one in which these labels are [`OTHER`].
    #[inline]
    pub(crate) fn declare(&self, labels: &[&str]) -> &Arc<Operation> {
        if self.labels.request.is_empty() {
            self.find(labels, Declared::All)
        } else {
            self.declare_own(labels)
        }
    }

    fn declare_own(&self, labels: &[&str]) -> &Arc<Operation> {
        let mut values = [""; MAX_KEYS];
        let values = &mut values[..self.keys().len()];
        values[..labels.len()].copy_from_slice(labels);
        for (label, value) in self.added(values) {
            label.place(Some(value));
        }
        self.search(values, Declared::All)
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
    fn find(&self, labels: &[&str], declared: Declared) -> &Arc<Operation> {
        debug_assert!([self.keys().len(), self.domain.telling()].contains(&labels.len()));
        // SAFETY: only operations in nodes of `table` are kept under `id`; a node is never moved and never dropped
        // before the table.
        unsafe { self.id.recent(labels) }.unwrap_or_else(|| self.search(labels, declared))
    }

    #[inline(never)]
    fn search(&self, given: &[&str], declared: Declared) -> &Arc<Operation> {
        let labels = query::told(self.domain, given);
        let hash = self.hash(labels);
        let mut cell = self.bucket(hash);
        let (mut fresh, mut admitted): (Option<Box<Node>>, bool) = (None, false);
        loop {
            if let Some(node) = cell.get() {
                if node.hash == hash && node.operation.has(labels) {
                    if admitted {
                        self.admitted.fetch_sub(1, Ordering::Relaxed);
                    }
                    if declared == Declared::All {
                        node.declared.store(true, Ordering::Relaxed);
                    }
                    self.id.keep(given, &node.operation);
                    return &node.operation;
                }
                cell = &node.next;
                continue;
            }
            let node = match fresh.take() {
                Some(node) => node,
                None => {
                    let own = declared != Declared::Nothing || self.is_own_declared(labels);
                    if !self.is_exempt(labels, own, declared) {
                        if !self.admit() {
                            return self.other(labels, own);
                        }
                        admitted = true;
                    }
                    self.node(hash, labels)
                }
            };
            let operation = node.operation.clone();
            match cell.set(node) {
                Ok(()) => {
                    admitted = false;
                    self.all.lock().push(operation);
                }
                Err(node) => fresh = Some(node),
            }
        }
    }

    /// The first link of a chain.
    fn bucket(&self, hash: u64) -> &OnceBox<Node> {
        &self.table[hash as usize & (self.table.len() - 1)]
    }

    fn node(&self, hash: u64, labels: &[&str]) -> Box<Node> {
        let operation = Operation::new(self.domain, labels, self.recording.clone());
        Box::new(Node {
            hash,
            operation: Arc::new(operation),
            declared: AtomicBool::new(false),
            next: OnceBox::new(),
        })
    }

    /// The labels that the user added, each with its value.
    fn added<'a>(&'a self, labels: &'a [&str]) -> impl Iterator<Item = (&'a LabelValues, &'a str)> {
        let added = labels.get(self.domain.keys().len()..).unwrap_or_default();
        self.labels.request.iter().zip(added.iter().copied())
    }

    /// Whether the operation that has these values of the domain's own labels, and no others, was declared.
    fn is_own_declared(&self, labels: &[&str]) -> bool {
        if self.labels.request.is_empty() {
            return false;
        }
        let (mut own, count) = ([""; MAX_KEYS], self.domain.keys().len());
        own[..count].copy_from_slice(&labels[..count]);
        let own = &own[..self.keys().len()];
        let hash = self.hash(own);
        let mut nodes =
            std::iter::successors(self.bucket(hash).get(), |node: &&Node| node.next.get());
        let found = nodes.find(|node| node.hash == hash && node.operation.has(own));
        found.is_some_and(|node| node.declared.load(Ordering::Relaxed))
    }

    /// Whether a new operation is outside the cap: there are only so many of its kind, and all were declared.
    fn is_exempt(&self, labels: &[&str], own: bool, declared: Declared) -> bool {
        let bounded = || {
            self.added(labels)
                .all(|(label, value)| label.bounded(value) == value)
        };
        declared == Declared::All || own && bounded()
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

    /// What stands for an operation that came after the cap; `own` says whether its domain's own labels stay.
    fn other(&self, labels: &[&str], own: bool) -> &Arc<Operation> {
        self.overflow.add(0, 1);
        let mut values = [OTHER; MAX_KEYS];
        let values = &mut values[..self.keys().len()];
        if own {
            values.copy_from_slice(labels);
            let count = self.domain.keys().len();
            for (value, (label, given)) in values[count..].iter_mut().zip(self.added(labels)) {
                *value = label.bounded(given);
            }
        }
        self.find(values, Declared::All)
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
