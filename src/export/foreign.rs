//! Families that somebody else keeps, and what became of those that clash with ours.

use std::any::Any;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use super::family::{Family, Kind};
use crate::naming::sample_names;

/// Somebody who keeps families of his own.
pub(crate) trait Source: Any + Send + Sync {
    /// All of them, as they are now.
    fn families(&self) -> Vec<Family>;
}

/// The source that was attached, if any, and the names that were refused to it.
#[derive(Default)]
pub(crate) struct Foreign {
    source: OnceCell<Arc<dyn Source>>,
    refused: Refused,
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

    fn count(&self) -> u64 {
        self.0.lock().len() as u64
    }
}

impl Foreign {
    /// The source of type `S`, made at the first call; `None` if another type is attached already.
    pub(crate) fn attach<S: Source>(&self, make: impl FnOnce(Refused) -> S) -> Option<Arc<S>> {
        let source = self
            .source
            .get_or_init(|| Arc::new(make(self.refused.clone())));
        let source: Arc<dyn Any + Send + Sync> = source.clone();
        source.downcast().ok()
    }

    /// How many names were refused so far.
    pub(super) fn refused(&self) -> u64 {
        self.refused.count()
    }

    /// The families whose names nobody in `taken` bears; the others are refused.
    pub(super) fn families(&self, mut taken: HashSet<String>) -> Vec<Family> {
        let mut families = self
            .source
            .get()
            .map_or_else(Vec::new, |source| source.families());
        families.retain(|family| {
            let histogram = family.kind == Kind::Histogram;
            let free = sample_names(&family.name, histogram).all(|name| !taken.contains(&name));
            if free {
                taken.extend(sample_names(&family.name, histogram));
            } else {
                self.refused.add(&family.name);
            }
            free
        });
        families
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Foreign")
            .field("attached", &self.source.get().is_some())
            .field("refused", &self.refused)
            .finish()
    }
}
