//! Which operations no budget speaks of.

use std::sync::Arc;

use super::matcher::is_named;
use super::promise::Promise;
use crate::registry::{Domain, Operation, Registry};

/// An operation that was declared or seen and that no budget speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Uncovered {
    /// The kind of work: `http`, `service`, `db`, `modbus`, `connect`, `acquire`, `operation`.
    pub kind: &'static str,
    /// Label keys and values.
    pub labels: Vec<(&'static str, String)>,
}

/// What is not covered, kept from look to look.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// By domain: how many operations were looked at.
    known: [usize; Domain::ALL.len()],
    /// By domain.
    uncovered: [Vec<Arc<Operation>>; Domain::ALL.len()],
}

impl Coverage {
    /// Looks at the operations that are new.
    pub(super) fn renew(&mut self, registry: &Registry, promises: &[Promise]) {
        for domain in Domain::ALL {
            let known = &mut self.known[domain as usize];
            let uncovered = &mut self.uncovered[domain as usize];
            registry.set(domain).each_since(*known, |operation| {
                *known += 1;
                if is_named(domain, operation) && !is_covered(promises, domain, operation) {
                    uncovered.push(operation.clone());
                }
            });
        }
    }

    /// Leaves out what is covered now.
    pub(super) fn cover(&mut self, domain: Domain, by: &Promise) {
        let uncovered = &mut self.uncovered[domain as usize];
        uncovered.retain(|operation| !by.speaks_of(domain, operation));
    }

    /// How many there are of a domain.
    pub(super) fn count(&self, domain: Domain) -> u64 {
        self.uncovered[domain as usize].len() as u64
    }

    pub(super) fn list(&self) -> Vec<Uncovered> {
        let of_domain = |domain: Domain| {
            let operations = self.uncovered[domain as usize].iter();
            operations.map(move |operation| Uncovered::new(domain, operation))
        };
        let mut list: Vec<_> = Domain::ALL.into_iter().flat_map(of_domain).collect();
        list.sort_by(|a, b| (a.kind, &a.labels).cmp(&(b.kind, &b.labels)));
        list
    }
}

impl Uncovered {
    fn new(domain: Domain, operation: &Operation) -> Self {
        let values = operation.labels().iter().map(|value| value.to_string());
        Self {
            kind: domain.as_str(),
            labels: operation.keys().iter().copied().zip(values).collect(),
        }
    }
}

fn is_covered(promises: &[Promise], domain: Domain, operation: &Operation) -> bool {
    let mut promises = promises.iter();
    promises.any(|promise| promise.speaks_of(domain, operation))
}
