//! Families that somebody else keeps, and what became of those that cannot be shown.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::Family;

/// Somebody who keeps families of their own.
pub(crate) trait Source: Any + Send + Sync {
    /// All of them, as they are now.
    fn families(&self) -> Vec<Family>;

    /// Whether `histogram`, which we keep, came from there.
    #[cfg(feature = "metrics")]
    fn keeps(&self, histogram: &str) -> bool;
}

/// What makes families whenever they are shown.
type Observed = Arc<dyn Fn() -> Vec<Family> + Send + Sync>;

/// The source that was attached, if any, what is observed beside it, and the names that were refused.
#[derive(Default)]
pub(crate) struct Foreign {
    pub(crate) source: OnceCell<Arc<dyn Source>>,
    /// By what it is.
    observed: Mutex<Vec<(&'static str, Observed)>>,
    pub(crate) refused: Refused,
    pub(crate) invalid: Arc<Invalid>,
    /// Bounds for foreign histograms, by end of the name.
    pub(crate) bounds: Vec<(String, Vec<f64>)>,
}

impl Foreign {
    /// What is observed, and the families of the source.
    pub(crate) fn families(&self) -> Vec<Family> {
        // Asked outside the lock: it may take its time.
        let observed: Vec<Observed> = (self.observed.lock().iter())
            .map(|(_, read)| read.clone())
            .collect();
        let observed = observed.iter().flat_map(|read| read());
        let source = self.source.get().map(|source| source.families());
        observed.chain(source.into_iter().flatten()).collect()
    }

    /// Shows the families that `read` makes, in place of an earlier one that is `what`.
    #[cfg(feature = "process")]
    pub(crate) fn observe(
        &self,
        what: &'static str,
        read: Box<dyn Fn() -> Vec<Family> + Send + Sync>,
    ) {
        let mut observed = self.observed.lock();
        observed.retain(|known| known.0 != what);
        observed.push((what, read.into()));
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("attached", &self.source.get().is_some())
            .field("observed", &self.observed.lock().len())
            .field("refused", &self.refused)
            .finish()
    }
}

/// Values that are no measurement. Relaxed: independent counters.
#[derive(Debug, Default)]
pub(crate) struct Invalid {
    nan: AtomicU64,
    negative: AtomicU64,
}

impl Invalid {
    /// Counts `value`; `false` if there is nothing of it to record.
    #[cfg(feature = "metrics")]
    pub(crate) fn add(&self, value: f64) -> bool {
        let nan = value.is_nan();
        let counter = if nan { &self.nan } else { &self.negative };
        counter.fetch_add(1, Ordering::Relaxed);
        !nan
    }

    /// How many there were, by reason.
    pub(crate) fn counts(&self) -> [(&'static str, u64); 2] {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [("nan", load(&self.nan)), ("negative", load(&self.negative))]
    }
}

/// Names whose family is not shown, or not in full. Each counts once, however often it is met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused(Arc<Mutex<BTreeSet<String>>>);

impl Refused {
    pub(crate) fn add(&self, name: &str) {
        let mut names = self.0.lock();
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.lock().len() as u64
    }
}
