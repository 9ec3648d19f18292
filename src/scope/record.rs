//! The record of one request.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::repeats::{QueryLimits, Repeats, StatementId};
use crate::histogram::TraceId;

/// Stages that a request tells apart.
const STAGES: usize = 8;

/// The stage of whatever came after those that are told apart.
pub(crate) const OTHER: &str = "other";
const QUERY: &str = "query";
const DEVICE: &str = "device";
const REST: &str = "rest";

/// What a request waits for and is timed by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Query(StatementId),
    Device,
}

/// A part of a request's time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) ns: u64,
    pub(crate) count: u64,
}

impl Tally {
    #[inline]
    pub(super) fn add(&mut self, ns: u64) {
        self.ns = self.ns.saturating_add(ns);
        self.count += 1;
    }

    pub(super) fn add_all(&mut self, other: Self) {
        self.ns = self.ns.saturating_add(other.ns);
        self.count += other.count;
    }
}

/// What is known of one request, beside how it ends. Changed only by the thread that polls it, through [`super::enter`].
#[derive(Debug)]
pub(crate) struct Scope {
    id: ScopeId,
    trace_id: Option<TraceId>,
    /// Whether its parts are told apart; else all it has is a trace.
    anatomy: bool,
    used: usize,
    queries: Tally,
    repeats: Repeats,
    devices: Tally,
    /// By name, the first `used` of them.
    stages: [(&'static str, Tally); STAGES],
    others: Tally,
    /// Everything above.
    parts_ns: u64,
}

impl Scope {
    /// Looks out for too many queries. Inlined, so that it is made where it is to be: it is too large to be moved about.
    #[inline]
    pub(crate) fn new(anatomy: bool, trace_id: Option<TraceId>, limits: QueryLimits) -> Self {
        Self {
            id: ScopeId::new(),
            trace_id,
            anatomy,
            used: 0,
            queries: Tally::default(),
            repeats: Repeats::new(limits),
            devices: Tally::default(),
            stages: [("", Tally::default()); STAGES],
            others: Tally::default(),
            parts_ns: 0,
        }
    }

    /// One for work of this request that runs elsewhere.
    pub(super) fn fork(&self) -> Self {
        Self {
            repeats: self.repeats.fork(),
            ..Self::new(self.anatomy, self.trace_id, self.limits())
        }
    }

    /// Adds what such work has come to.
    pub(super) fn join(&mut self, forked: Self) {
        self.queries.add_all(forked.queries);
        self.devices.add_all(forked.devices);
        self.others.add_all(forked.others);
        for (name, tally) in &forked.stages[..forked.used] {
            self.stage(name).add_all(*tally);
        }
        self.parts_ns = self.parts_ns.saturating_add(forked.parts_ns);
        self.repeats.join(forked.repeats);
    }

    pub(super) fn id(&self) -> ScopeId {
        self.id
    }

    pub(crate) fn trace_id(&self) -> Option<TraceId> {
        self.trace_id
    }

    pub(crate) fn has_anatomy(&self) -> bool {
        self.anatomy
    }

    pub(crate) fn queries(&self) -> u64 {
        self.queries.count
    }

    /// What all parts so far took.
    pub(super) fn parts_ns(&self) -> u64 {
        self.parts_ns
    }

    /// `true` if its statement should be [named](Self::name_latest).
    #[inline]
    pub(super) fn called(&mut self, call: Call, elapsed_ns: u64) -> bool {
        self.parts_ns = self.parts_ns.saturating_add(elapsed_ns);
        match call {
            Call::Query(statement) => {
                self.queries.add(elapsed_ns);
                self.repeats.count(statement, elapsed_ns)
            }
            Call::Device => {
                self.devices.add(elapsed_ns);
                false
            }
        }
    }

    /// The statement of the latest query has come as often as the limit, and is called so.
    pub(super) fn name_latest(&mut self, name: Box<str>) {
        self.repeats.name(name);
    }

    /// The statement that was run most often, if as often as the limit.
    pub(crate) fn repeated(&self) -> Option<(&str, Tally)> {
        self.repeats.worst()
    }

    /// All queries, if there were as many as the limit.
    pub(crate) fn too_many(&self) -> Option<Tally> {
        let limit = self.limits().queries;
        (limit > 0 && self.queries.count >= limit).then_some(self.queries)
    }

    pub(crate) fn limits(&self) -> QueryLimits {
        self.repeats.limits()
    }

    pub(super) fn stage_ended(&mut self, name: &'static str, own_ns: u64) {
        self.stage(name).add(own_ns);
        self.parts_ns = self.parts_ns.saturating_add(own_ns);
    }

    fn stage(&mut self, name: &'static str) -> &mut Tally {
        // A look at the address first: nearly always it is the very same word.
        let is = |known: &str| std::ptr::eq(known, name) || known == name;
        let known = self.stages[..self.used].iter().position(|it| is(it.0));
        let at = known.unwrap_or(self.used);
        if at == STAGES {
            return &mut self.others;
        }
        if at == self.used {
            (self.stages[at].0, self.used) = (name, at + 1);
        }
        &mut self.stages[at].1
    }

    /// What shares are of: the duration, or the sum of all parts where these overlapped.
    pub(crate) fn whole_ns(&self, duration_ns: u64) -> u64 {
        self.parts_ns.max(duration_ns)
    }

    /// The parts of a request that took so long, the rest included; those that did not come about are left out.
    pub(crate) fn parts(&self, duration_ns: u64) -> impl Iterator<Item = (&'static str, Tally)> {
        let rest = Tally {
            ns: duration_ns.saturating_sub(self.parts_ns),
            count: 1,
        };
        let stages = self.stages[..self.used].iter().copied();
        let fixed = [(QUERY, self.queries), (DEVICE, self.devices)].into_iter();
        fixed
            .chain(stages)
            .chain([(OTHER, self.others), (REST, rest)])
            .filter(|(_, tally)| tally.count > 0)
    }
}

/// What tells one request from all others, dead or alive: the place in memory alone is used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ScopeId(u64);

impl ScopeId {
    /// Ids that a thread takes at once, so that threads seldom meet.
    const BLOCK: u64 = 1 << 16;

    fn new() -> Self {
        /// Relaxed: only the value itself counts.
        static BLOCKS: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            /// The next one; at the start of a block that block is still to be taken.
            static NEXT: Cell<u64> = const { Cell::new(0) };
        }
        let mut id = NEXT.get();
        if id.is_multiple_of(Self::BLOCK) {
            id = BLOCKS.fetch_add(Self::BLOCK, Ordering::Relaxed);
        }
        NEXT.set(id + 1);
        Self(id)
    }
}
