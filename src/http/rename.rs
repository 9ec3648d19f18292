//! Routes that are counted under another name.

use std::sync::Arc;

/// What a layer was told of them. Searched in order: a handful at most.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Renames(Vec<Rename>);

/// From a route template, or from all that begin alike, to a name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rename {
    /// Without the `*`.
    old: String,
    /// Whether there was one.
    any_end: bool,
    new: Arc<str>,
}

impl Renames {
    /// Counts these under one name, which stays where it is: clones share it.
    pub(super) fn add(&mut self, routes: impl Iterator<Item = String>, name: Arc<str>) {
        self.0
            .extend(routes.map(|route| Rename::new(route, name.clone())));
    }

    /// What a route is counted under: the first that fits says.
    #[inline]
    pub(super) fn name<'a>(&'a self, route: &'a str) -> &'a str {
        let mut fitting = self.0.iter().filter(|rename| rename.fits(route));
        fitting.next().map_or(route, |rename| &rename.new)
    }
}

impl Rename {
    fn new(old: String, new: Arc<str>) -> Self {
        let beginning = old.strip_suffix('*').map(str::to_owned);
        Self {
            any_end: beginning.is_some(),
            old: beginning.unwrap_or(old),
            new,
        }
    }

    fn fits(&self, route: &str) -> bool {
        if self.any_end {
            route.starts_with(&self.old)
        } else {
            route == self.old
        }
    }
}
