//! What rules read of the page, without the engine knowing who makes one.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::family::Family;

/// When samples are taken of what rules read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// At every tick. A counter that is new begins with 0 at the tick before, so that its first error counts; samples that
    /// are old for the range that is asked of them are thinned.
    #[default]
    Tick,
    /// Whenever a page is rendered (by the handler, the listener, or [`Plimsoll::render`](crate::Plimsoll::render)), with
    /// the values of that page and the time at which it was begun; none of them is thinned. Rules are still evaluated at
    /// every tick, as Prometheus evaluates them between its scrapes, so that a scraper that stays away is noticed. They
    /// say what a Prometheus of the same scrapes says at the time of the tick.
    ///
    /// For one scraper: the pages of a second one, or rendered by hand, are samples too.
    Scrape,
}

/// Whoever shows what is exported. Never asked under the engine's lock: it asks the engine itself.
pub(crate) trait Exports: fmt::Debug + Send + Sync {
    /// Hands the families of the page that are wanted, as they are now, to `take`, once.
    fn read(&self, wanted: &Arc<Wanted>, take: &mut dyn FnMut(&mut Families<'_>));

    /// How the page writes a bound of a histogram.
    fn bound(&self, bound: f64) -> String;
}

/// Families of a page, each once.
pub(crate) type Families<'a> = dyn Iterator<Item = &'a Family> + 'a;

/// The names of the samples that rules read.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wanted(HashSet<String>);

impl Wanted {
    /// These names.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a sample of this name is read.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether one of these names is read.
    pub(crate) fn any(&self, mut names: impl Iterator<Item = String>) -> bool {
        names.any(|name| self.has(&name))
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}
