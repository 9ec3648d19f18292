//! What is counted and judged for every part of every budget.

use std::sync::Arc;

use super::judged::Judged;
use super::promise::Promise;
use super::samples::{Moment, Sampled};
use super::sli::Slis;
use crate::budget::{Labels, Shown};
use crate::expr::Expr;
use crate::registry::{Operation, Registry};

/// Counters, windows and rules; all of them only grow in number.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) slis: Slis,
    pub(super) rules: Vec<Judged>,
    pub(super) sampled: Sampled,
    /// Up to which of the rules everything that they read is sampled.
    sampled_rules: usize,
    /// The latest tick, or the latest change of the budgets: what is new begins there.
    pub(super) latest: Moment,
}

impl Book {
    pub(super) fn new(latest: Moment) -> Self {
        Self {
            slis: Slis::default(),
            rules: Vec::new(),
            sampled: Sampled::default(),
            sampled_rules: 0,
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
        let born_ns = self.latest.at_ns;
        let window = selection.and_then(|selection| {
            let counted = (&promise.budget, &labels);
            self.slis.count_for(registry, selection, counted, born_ns)
        });
        let rules = promise.budget.rules(&labels);
        let cells = promise.add_part(labels, selection);
        let judged = rules.into_iter().zip(cells);
        self.rules
            .extend(judged.map(|(rule, cell)| Judged::new(rule, window, cell)));
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

    /// Samples what the rules that are new read, and `more`.
    pub(super) fn sample_new(&mut self, registry: &Registry, more: &[Expr]) {
        fn shown(judged: &Judged) -> Option<&Expr> {
            match &judged.rule().shown {
                Shown::Value(value) => Some(value),
                Shown::Quantile(_) => None,
            }
        }
        let new = &self.rules[self.sampled_rules..];
        let read = |judged| std::iter::once(&Judged::rule(judged).condition).chain(shown(judged));
        let exprs = new.iter().flat_map(read).chain(more);
        let instruments = &registry.instruments;
        self.sampled
            .add(exprs, &self.slis, self.latest, instruments);
        self.sampled_rules = self.rules.len();
    }
}
