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
    /// How many operations of each domain were looked at.
    known: [usize; Domain::ALL.len()],
    uncovered: Vec<(Domain, Arc<Operation>)>,
}

impl Coverage {
    /// Looks at the operations that are new.
    pub(super) fn renew(&mut self, registry: &Registry, promises: &[Promise]) {
        for domain in Domain::ALL {
            let known = &mut self.known[domain as usize];
            registry.set(domain).each_since(*known, |operation| {
                *known += 1;
                if is_named(domain, operation) && !is_covered(promises, domain, operation) {
                    self.uncovered.push((domain, operation.clone()));
                }
            });
        }
    }

    /// Leaves out what is covered now.
    pub(super) fn cover(&mut self, by: &Promise) {
        let uncovered = |(domain, operation): &(_, Arc<_>)| !by.speaks_of(*domain, operation);
        self.uncovered.retain(uncovered);
    }

    /// How many there are of a domain.
    pub(super) fn count(&self, domain: Domain) -> u64 {
        let of_domain = self.uncovered.iter().filter(|known| known.0 == domain);
        of_domain.count() as u64
    }

    pub(super) fn list(&self) -> Vec<Uncovered> {
        let uncovered = |(domain, operation): &(Domain, Arc<Operation>)| {
            let values = operation.labels().iter().map(|value| value.to_string());
            Uncovered {
                kind: domain.as_str(),
                labels: domain.keys().iter().copied().zip(values).collect(),
            }
        };
        let mut list: Vec<_> = self.uncovered.iter().map(uncovered).collect();
        list.sort_by(|a, b| (a.kind, &a.labels).cmp(&(b.kind, &b.labels)));
        list
    }
}

fn is_covered(promises: &[Promise], domain: Domain, operation: &Operation) -> bool {
    let mut promises = promises.iter();
    promises.any(|promise| promise.speaks_of(domain, operation))
}
