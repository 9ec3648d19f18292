//! The SLI counters: exact counts of valid and bad operations per budget and level, derived from the cells.
//!
//! They cost the hot path nothing: a threshold is an edge between two cells, so what lies above it is a sum.

use crate::budget::{Budget, Level, Select, Sli};
use crate::histogram::Snapshot;
use crate::registry::{Domain, Operation, Outcome, Registry};

/// Every budget that speaks of operations.
#[derive(Debug)]
pub(super) struct Slis {
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    budget: String,
    domain: Domain,
    /// (position among the domain's keys, value)
    labels: Vec<(usize, String)>,
    /// Per level, the threshold in seconds above which an operation is bad; `None`: bad is what failed.
    levels: Vec<(Level, Option<f64>)>,
    /// Whether the distribution is kept too.
    quantile: bool,
}

/// One pair of counters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SliCount {
    pub(crate) budget: String,
    pub(crate) level: Level,
    pub(crate) valid: u64,
    pub(crate) bad: u64,
}

/// What one pass over the cells found.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) counts: Vec<SliCount>,
    /// The distribution of every quantile budget.
    pub(super) distributions: Vec<(String, Snapshot)>,
}

impl Slis {
    pub(super) fn new(registry: &Registry, budgets: &[Budget]) -> Self {
        let watched: Vec<Watched> = budgets.iter().filter_map(Watched::new).collect();
        for watched in &watched {
            watched.declare(registry);
        }
        Self { watched }
    }

    pub(super) fn count(&self, registry: &Registry) -> Counted {
        let mut sums: Vec<Sum> = self
            .watched
            .iter()
            .map(|watched| Sum::new(watched, registry))
            .collect();
        for set in registry.sets() {
            if self
                .watched
                .iter()
                .all(|watched| watched.domain != set.domain())
            {
                continue;
            }
            for operation in set.operations() {
                for series in operation.each_series() {
                    let snapshot = series.histogram.snapshot();
                    for (watched, sum) in self.watched.iter().zip(&mut sums) {
                        if watched.domain == set.domain() && watched.matches(&operation) {
                            sum.add(series.outcome, &snapshot);
                        }
                    }
                }
            }
        }
        Counted::from(self.watched.iter().zip(sums))
    }
}

struct Sum {
    all: Snapshot,
    errors: u64,
}

impl Sum {
    fn new(watched: &Watched, registry: &Registry) -> Self {
        Self {
            all: Snapshot::empty(registry.set(watched.domain).buckets().clone()),
            errors: 0,
        }
    }

    fn add(&mut self, outcome: Outcome, snapshot: &Snapshot) {
        self.all.merge(snapshot);
        if outcome == Outcome::Error {
            self.errors += snapshot.count();
        }
    }
}

impl Watched {
    fn new(budget: &Budget) -> Option<Self> {
        let Select { domain, labels } = budget.select()?;
        let position = |key: &String| domain.keys().iter().position(|known| known == key);
        let quantile = matches!(budget.sli, Sli::Quantile(..));
        Some(Self {
            budget: budget.name.clone(),
            domain: *domain,
            labels: labels
                .iter()
                .filter_map(|(key, value)| Some((position(key)?, value.clone())))
                .collect(),
            levels: budget
                .limits
                .iter()
                .map(|&(level, limit)| (level, quantile.then_some(limit)))
                .collect(),
            quantile,
        })
    }

    fn matches(&self, operation: &Operation) -> bool {
        self.labels
            .iter()
            .all(|(at, value)| &*operation.labels()[*at] == value.as_str())
    }

    /// An operation that a budget names in full exists from the start and is exempt from the cap.
    fn declare(&self, registry: &Registry) {
        let keys = self.domain.keys();
        let value = |at| {
            self.labels
                .iter()
                .find(|label| label.0 == at)
                .map(|label| label.1.as_str())
        };
        if let Some(labels) = (0..keys.len()).map(value).collect::<Option<Vec<&str>>>() {
            registry
                .set(self.domain)
                .declare(&labels)
                .series(Outcome::Ok, 0);
        }
    }
}

impl<'a, I: Iterator<Item = (&'a Watched, Sum)>> From<I> for Counted {
    fn from(sums: I) -> Self {
        let mut counted = Self {
            counts: Vec::new(),
            distributions: Vec::new(),
        };
        for (watched, Sum { all, errors }) in sums {
            let valid = all.count();
            for &(level, threshold) in &watched.levels {
                // Every threshold is a bound of its family: the builder has put it there.
                let bad = threshold.map_or(errors, |threshold| all.above(threshold).unwrap_or(0));
                counted.counts.push(SliCount {
                    budget: watched.budget.clone(),
                    level,
                    valid,
                    bad,
                });
            }
            if watched.quantile {
                counted.distributions.push((watched.budget.clone(), all));
            }
        }
        counted
    }
}
