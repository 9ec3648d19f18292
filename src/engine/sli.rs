//! The SLI counters: exact counts of valid and bad operations per budget and level, derived from the cells.
//!
//! They cost the hot path nothing: a threshold is an edge between two cells, so what lies above it is a sum.

use super::watch::Watch;
use crate::budget::{Budget, Level, Select, Sli};
use crate::histogram::Snapshot;
use crate::registry::{Domain, Operation, Outcome, Registry};

/// Every budget that speaks of operations.
#[derive(Debug)]
pub(super) struct Slis {
    watched: Vec<Watched>,
}

/// Who wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Asker {
    Budget(String),
    Watch(String),
}

#[derive(Debug)]
struct Watched {
    asker: Asker,
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
    /// The distribution of every quantile budget and every watch.
    pub(super) distributions: Vec<(Asker, Snapshot)>,
}

impl Slis {
    pub(super) fn new(registry: &Registry, budgets: &[Budget], watches: &[Watch]) -> Self {
        let of_budgets = budgets.iter().filter_map(Watched::new);
        let watched: Vec<Watched> = of_budgets
            .chain(watches.iter().map(Watched::of_watch))
            .collect();
        for watched in &watched {
            watched.declare(registry);
        }
        Self { watched }
    }

    pub(super) fn count(&self, registry: &Registry) -> Counted {
        let sum = |watched: &Watched| Sum::new(watched, registry);
        let mut sums: Vec<Sum> = self.watched.iter().map(sum).collect();
        let reading = registry.reading();
        for set in registry.sets() {
            let in_set = |watched: &Watched| watched.domain == set.domain();
            if !self.watched.iter().any(in_set) {
                continue;
            }
            let mut counted = Snapshot::empty(set.buckets().clone());
            for operation in set.operations() {
                for series in operation.each_series() {
                    series.histogram.read_into(&reading, &mut counted);
                    let watching = self.watched.iter().zip(&mut sums);
                    watching
                        .filter(|(watched, _)| in_set(watched) && watched.matches(&operation))
                        .for_each(|(_, sum)| sum.add(series.outcome, &counted));
                }
            }
        }
        Counted::from(self.watched.iter().zip(sums))
    }
}

struct Sum {
    valid: u64,
    errors: u64,
    /// Where somebody wants to know more than how many there were.
    distribution: Option<Snapshot>,
}

impl Sum {
    fn new(watched: &Watched, registry: &Registry) -> Self {
        let empty = || Snapshot::empty(registry.set(watched.domain).buckets().clone());
        Self {
            valid: 0,
            errors: 0,
            distribution: watched.quantile.then(empty),
        }
    }

    fn add(&mut self, outcome: Outcome, counted: &Snapshot) {
        self.valid += counted.count();
        if outcome == Outcome::Error {
            self.errors += counted.count();
        }
        if let Some(distribution) = &mut self.distribution {
            distribution.merge(counted);
        }
    }

    /// How many were above `threshold`; without one, how many failed.
    fn bad(&self, threshold: Option<f64>) -> u64 {
        // Every threshold is a bound of its family: the builder has put it there.
        let above = |threshold| self.distribution.as_ref()?.above(threshold);
        threshold.map_or(self.errors, |threshold| above(threshold).unwrap_or(0))
    }
}

impl Watched {
    fn new(budget: &Budget) -> Option<Self> {
        let quantile = matches!(budget.sli, Sli::Quantile(..));
        let level = |&(level, limit): &(Level, f64)| (level, quantile.then_some(limit));
        Some(Self {
            levels: budget.limits.iter().map(level).collect(),
            quantile,
            ..Self::selected(Asker::Budget(budget.name.clone()), budget.select()?)
        })
    }

    fn of_watch(watch: &Watch) -> Self {
        Self {
            quantile: true,
            ..Self::selected(Asker::Watch(watch.name.clone()), &watch.select)
        }
    }

    fn selected(asker: Asker, select: &Select) -> Self {
        let keys = select.domain.keys();
        let position = |key: &String| keys.iter().position(|known| known == key);
        let label = |(key, value): &(String, String)| Some((position(key)?, value.clone()));
        Self {
            asker,
            domain: select.domain,
            labels: select.labels.iter().filter_map(label).collect(),
            levels: Vec::new(),
            quantile: false,
        }
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
        for (watched, sum) in sums {
            if let Asker::Budget(budget) = &watched.asker {
                for &(level, threshold) in &watched.levels {
                    let (valid, bad) = (sum.valid, sum.bad(threshold));
                    counted.counts.push(SliCount {
                        budget: budget.clone(),
                        level,
                        valid,
                        bad,
                    });
                }
            }
            if let Some(distribution) = sum.distribution {
                counted
                    .distributions
                    .push((watched.asker.clone(), distribution));
            }
        }
        counted
    }
}
