//! What is counted and judged for every part of every budget.

use std::sync::Arc;
use std::time::Duration;

use super::bands::Bands;
use super::files::Files;
use super::judged::Judged;
use super::memory::Timers;
use super::moment::Moment;
use super::promise::Promise;
use super::reader::Reader;
use super::sli::Slis;
use super::store::Store;
use crate::budget::{Labels, Level, Shown};
use crate::expr::Expr;
use crate::registry::{Operation, Registry};
use crate::rule::RuleGroup;

/// Counters, windows and rules; all of them only grow in number.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) slis: Slis,
    pub(super) rules: Vec<Judged>,
    pub(super) bands: Bands,
    /// Of the process before.
    pub(super) timers: Timers,
    pub(super) store: Store,
    pub(super) files: Files,
    /// Up to which of the rules and bands everything that they read is sampled.
    sampled_rules: usize,
    sampled_bands: usize,
    /// The latest tick, or the latest change of the budgets: what is new begins there.
    pub(super) latest: Moment,
}

impl Book {
    pub(super) fn new(
        latest: Moment,
        store: Store,
        bands: Bands,
        timers: Timers,
        files: Files,
    ) -> Self {
        Self {
            slis: Slis::default(),
            rules: Vec::new(),
            bands,
            timers,
            store,
            files,
            sampled_rules: 0,
            sampled_bands: 0,
            latest,
        }
    }

    /// Begins what a budget needs before there is any operation.
    pub(super) fn open(&mut self, registry: &Registry, promise: &mut Promise) {
        let Some(matcher) = promise.matcher().cloned() else {
            self.add_part(registry, promise, Labels::default(), None);
            return;
        };
        if promise.is_kept_as_one() {
            let selection = self.slis.select(registry, matcher);
            self.add_part(registry, promise, Labels::default(), Some(selection));
        } else {
            self.slis.follow(registry, matcher.domain());
        }
    }

    /// The selection of the part that an operation belongs to, which is made if it is the first one.
    pub(super) fn part(
        &mut self,
        registry: &Registry,
        promise: &mut Promise,
        operation: &Operation,
    ) -> Option<usize> {
        let labels = promise.labels(operation)?;
        if let Some(part) = promise.parts.get(&labels) {
            return part.selection;
        }
        let domain = promise.matcher()?.domain();
        let selection = self.slis.select_given(domain);
        self.add_part(registry, promise, labels, Some(selection));
        Some(selection)
    }

    fn add_part(
        &mut self,
        registry: &Registry,
        promise: &mut Promise,
        labels: Labels,
        selection: Option<usize>,
    ) {
        let born = self.latest;
        let rules = promise.budget.rules(&labels);
        let windows = match selection {
            Some(selection) => {
                let counted = (&promise.budget, &labels);
                self.slis.count_for(registry, selection, counted, born)
            }
            None => vec![None; rules.len()],
        };
        let cells = promise.add_part(labels.clone(), selection);
        if promise.budget.is_learned(Level::Warning) {
            let levels = rules.iter().map(|rule| rule.level);
            let of = levels.zip(&windows).zip(&cells);
            let mut of = of.filter(|of| of.0.0 != Level::Absent).peekable();
            let window = of.peek().and_then(|of| *of.0.1);
            let cells = of.map(|of| of.1.clone()).collect();
            self.bands
                .add(&promise.budget, &labels, window, cells, born);
        }
        let judged = rules.into_iter().zip(windows).zip(cells);
        for ((rule, window), cell) in judged {
            let mut judged = Judged::new(rule, window, cell);
            self.timers.resume(&mut judged, born);
            self.rules.push(judged);
        }
    }

    /// Counts operations that are known for the parts of a budget that they belong to, from now on.
    pub(super) fn join(
        &mut self,
        registry: &Registry,
        promise: &mut Promise,
        operations: &[Arc<Operation>],
    ) {
        let Some(domain) = promise.matcher().map(|matcher| matcher.domain()) else {
            return;
        };
        let part = |operation: &Arc<Operation>| {
            let selection = self.part(registry, promise, operation)?;
            Some((operation.clone(), selection))
        };
        let joins = operations.iter().filter_map(part).collect();
        self.slis.join(registry, domain, joins);
    }

    /// What expressions are evaluated over as of the latest tick.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            store: &self.store,
            rules: self.files.all(),
        }
    }

    /// Judges further groups of rules from now on.
    pub(super) fn add_rules(&mut self, groups: Vec<RuleGroup>) {
        self.files
            .add(groups, &mut self.store, &self.slis, self.latest);
    }

    /// Samples what the rules that are new read, and `more`.
    pub(super) fn sample_new(&mut self, more: &[Expr]) {
        fn shown(judged: &Judged) -> Option<&Expr> {
            match &judged.rule().shown {
                Shown::Value(value) => Some(value),
                Shown::Quantile(_) => None,
            }
        }
        let new = &self.rules[self.sampled_rules..];
        let read = |judged| std::iter::once(&Judged::rule(judged).condition).chain(shown(judged));
        let learned = self.bands.exprs(self.sampled_bands);
        let exprs = new.iter().flat_map(read).chain(learned).chain(more);
        self.store
            .add(exprs, &self.slis, self.latest, Duration::ZERO);
        self.files.keep(&self.store);
        self.sampled_rules = self.rules.len();
        self.sampled_bands = self.bands.len();
    }
}
