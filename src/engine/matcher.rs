//! Which operations somebody speaks of; asked when an operation is first seen.

use std::sync::Arc;

use crate::budget::{Labels, Pattern, Select};
use crate::registry::{Domain, OTHER, Operation, Outcome, Registry, UNMATCHED};

/// Some operations of one domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matcher {
    domain: Domain,
    /// (position among the domain's keys, what the value must be), in order.
    labels: Vec<(usize, Pattern)>,
    /// The same of what it does not speak of.
    except: Vec<(usize, Pattern)>,
}

impl Matcher {
    pub(super) fn new(select: &Select, registry: &Registry) -> Self {
        let keys = registry.set(select.domain).keys();
        let position = |key: &String| keys.iter().position(|known| known == key);
        let label = |(key, value): &(String, String)| Some((position(key)?, Pattern::new(value)));
        let patterns = |labels: &[(String, String)]| {
            let mut patterns: Vec<_> = labels.iter().filter_map(label).collect();
            patterns.sort();
            patterns
        };
        Self {
            domain: select.domain,
            labels: patterns(&select.labels),
            except: patterns(&select.except),
        }
    }

    pub(super) fn domain(&self) -> Domain {
        self.domain
    }

    /// Whether it speaks of an operation of its domain.
    pub(super) fn matches(&self, operation: &Operation) -> bool {
        let fits = |(at, pattern): &(usize, Pattern)| pattern.matches(&operation.labels()[*at]);
        self.labels.iter().all(fits) && !self.except.iter().any(fits)
    }

    /// An operation that is named in full exists from the start and is exempt from the cap; without the labels that the
    /// user adds and the query, if those are not named. Returns it if nobody made it before.
    pub(super) fn declare(&self, registry: &Registry) -> Option<Arc<Operation>> {
        let set = registry.set(self.domain);
        let value = |at| {
            let label = self.labels.iter().find(|label| label.0 == at);
            let named = label.map(|label| label.1.exact());
            named.unwrap_or((at >= self.domain.telling()).then_some(""))
        };
        let values = (0..set.keys().len()).map(value);
        let operation = set.declare(&values.collect::<Option<Vec<&str>>>()?);
        let new = operation.each_series().next().is_none();
        operation.series(Outcome::Ok);
        new.then(|| operation.clone())
    }
}

/// The labels with these positions, if each has a value of its own.
pub(super) fn labels(positions: &[usize], operation: &Operation) -> Option<Labels> {
    let label = |&at: &usize| {
        let (key, value) = (operation.keys()[at], &*operation.labels()[at]);
        (!is_catch_all(key, value)).then(|| (key, value.to_owned()))
    };
    positions.iter().map(label).collect()
}

/// Whether the value stands for whatever has none of its own.
fn is_catch_all(key: &str, value: &str) -> bool {
    value == OTHER || key == "route" && value == UNMATCHED
}

/// Whether an operation is one of its own, and not what was counted together for want of a name.
pub(super) fn is_named(domain: Domain, operation: &Operation) -> bool {
    let mut labels = domain.keys().iter().zip(operation.labels());
    !labels.any(|(key, value)| is_catch_all(key, value))
}
