//! Everything that is exported as it stood at one moment, kept from page to page: only what changed is made again.

use std::collections::HashSet;
use std::sync::Arc;

use super::lines::Lines;
use super::openmetrics::settle;
use super::own::Own;
use super::project::{Projection, kind};
use super::scope::Scope;
use super::series::DomainSeries;
use super::sheet::{Fresh, Renewal, Sheet};
use super::shown::Shown;
use super::{acts, health, promises};
use crate::engine::Wanted;
use crate::family::{Family, Kind};
use crate::histogram::NativeSchema;
use crate::instance::Inner;
use crate::naming::sample_names;
use crate::registry::Domain;

/// Families and what they are made of.
#[derive(Debug)]
pub(super) struct Picture {
    native: Option<NativeSchema>,
    scope: Scope,
    domains: Vec<DomainSeries>,
    /// Those of which something is shown.
    read: Vec<Domain>,
    own: Own,
    foreign: Foreign,
    /// Those of the families that are sums of series.
    projections: Vec<Projection>,
    /// Ordered by name, their samples by labels; none without a sample.
    pub(super) families: Vec<Shown>,
    /// Where lines are put together.
    pub(super) lines: Lines,
}

/// Families that somebody else keeps.
#[derive(Debug, Default)]
struct Foreign {
    known: Vec<Known>,
    /// All of them, as they were when they were last asked for.
    fresh: Vec<Family>,
}

/// What decides whether a foreign family is shown, and whether it is.
#[derive(Debug)]
struct Known {
    name: String,
    kind: Kind,
    empty: bool,
    shown: bool,
}

impl Picture {
    /// One that was not taken yet.
    fn new(inner: &Inner, native: Option<NativeSchema>, scope: Scope) -> Self {
        let of = |domain| DomainSeries::new(inner.registry.set(domain), native);
        let mut read = Domain::ALL.to_vec();
        if let Scope::Named(_) = scope {
            let specs = inner.naming.specs();
            let shown = specs
                .iter()
                .filter(|spec| scope.shows(&spec.name, kind(spec.take)));
            let shown: Vec<Domain> = shown.map(|spec| spec.source).collect();
            read.retain(|domain| shown.contains(domain));
        }
        Self {
            native,
            scope,
            read,
            domains: Domain::ALL.map(of).into(),
            own: Own::new(native),
            foreign: Foreign::default(),
            projections: Vec::new(),
            families: Vec::new(),
            lines: Lines::default(),
        }
    }

    /// A picture of this moment, without native buckets. [`put_back`](Self::put_back) makes the next one cheap.
    pub(super) fn take(inner: &Inner) -> Box<Self> {
        let kept = inner.shelf.take();
        let mut picture = kept.unwrap_or_else(|| Box::new(Self::new(inner, None, Scope::Page)));
        picture.renew(inner);
        picture
    }

    pub(super) fn put_back(self: Box<Self>, inner: &Inner) {
        // Native buckets are larger than all the rest.
        if self.native.is_none() {
            inner.shelf.put(self);
        }
    }

    /// A picture of this moment, whose histograms carry native buckets.
    pub(super) fn with_native(inner: &Inner, schema: NativeSchema) -> Box<Self> {
        let mut picture = Box::new(Self::new(inner, Some(schema), Scope::Page));
        picture.renew(inner);
        picture
    }

    /// One of what is wanted, that was not taken yet.
    pub(super) fn named(inner: &Inner, wanted: Arc<Wanted>) -> Box<Self> {
        Box::new(Self::new(inner, None, Scope::named(wanted)))
    }

    /// Makes it one of this moment.
    pub(super) fn renew(&mut self, inner: &Inner) {
        let mut grown = self.families.is_empty();
        for &domain in &self.read {
            grown |= self.domains[domain as usize].renew(&inner.registry);
        }
        grown |= self.own.renew(&inner.registry, &self.scope);
        let known = |name: &str| inner.taken.contains(name) || self.own.has(name);
        if self.scope.shows_others(known) {
            grown |= self.foreign.renew(inner, &self.scope);
        }
        if grown || !self.renew_values(inner) {
            self.make(inner);
        }
        self.foreign.fresh = Vec::new();
    }

    /// Puts new values where the old ones were; `false` if there are other samples than before.
    fn renew_values(&mut self, inner: &Inner) -> bool {
        let mut families = std::mem::take(&mut self.families);
        let mut renewal = Renewal::new(&mut families);
        self.show(inner, &mut renewal);
        let same = renewal.finish();
        if same {
            self.project(&mut families);
            self.foreign.renew_values(&mut families);
        }
        self.families = families;
        same
    }

    /// Makes all families anew.
    fn make(&mut self, inner: &Inner) {
        let mut families = self.settle_names(inner);
        self.projections.clear();
        let specs = inner.naming.specs().into_iter();
        for spec in specs.filter(|spec| self.scope.shows(&spec.name, kind(spec.take))) {
            let series = &self.domains[spec.source as usize];
            let (mut family, mut projection) = Projection::new(inner, &spec, series);
            projection.renew(&mut family, series);
            families.push(family);
            self.projections.push(projection);
        }
        let mut fresh = Fresh::default();
        self.show(inner, &mut fresh);
        families.append(&mut fresh.0);

        families.iter_mut().for_each(explain);
        families.retain(|family| !family.samples.is_empty());
        families.sort_by(|a, b| a.name.cmp(&b.name));
        for family in &mut families {
            family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        let mut families = families.into_iter().map(Shown::new).collect::<Vec<_>>();
        settle(&mut families);
        self.families = families;
    }

    /// The foreign families whose names are free; decides the same for the service's own.
    ///
    /// Ours come first: nobody may stand on a name that we use, even where we have nothing to show under it yet.
    fn settle_names(&mut self, inner: &Inner) -> Vec<Family> {
        let mut taken = inner.taken.clone();
        let mut claim = |name: &str, kind| {
            let free = claim(&mut taken, name, kind);
            if !free {
                inner.foreign.refused.add(name);
            }
            free
        };
        for family in &mut self.own.families {
            family.shown = claim(&family.name, family.kind);
        }
        let mut shown = Vec::new();
        let fresh = std::mem::take(&mut self.foreign.fresh);
        for (family, known) in fresh.into_iter().zip(&mut self.foreign.known) {
            known.shown = claim(&family.name, family.kind);
            if known.shown {
                shown.push(family);
            }
        }
        shown
    }

    /// Adds the series up.
    fn project(&mut self, families: &mut [Shown]) {
        for projection in &mut self.projections {
            if let Some(shown) = named(families, &projection.name) {
                let series = &self.domains[projection.source as usize];
                projection.renew(&mut shown.family, series);
            }
        }
    }

    /// Shows everything that is no sum of series.
    fn show(&self, inner: &Inner, sheet: &mut impl Sheet) {
        self.own.show(sheet);
        if !self.scope.shows_ours() {
            return;
        }
        health::show(inner, &self.domains, self.own.saturated(), sheet);
        promises::show(&inner.engine, sheet);
        acts::show(&inner.registry.acts, sheet);
    }

    /// All families but those that somebody else recorded.
    #[cfg(feature = "metrics")]
    pub(super) fn own_families(&self, inner: &Inner) -> impl Iterator<Item = &Family> {
        let known = &self.foreign.known;
        let source = inner.foreign.source.get();
        let families = self.families.iter().map(|shown| &shown.family);
        families.filter(move |family| {
            let kept = |known: &Known| known.shown && known.name == family.name;
            let histogram = family.kind == Kind::Histogram;
            !known.iter().any(kept)
                && !source.is_some_and(|source| histogram && source.keeps(&family.name))
        })
    }
}

impl Foreign {
    /// Asks for the families; `true` if they are others than before.
    fn renew(&mut self, inner: &Inner, scope: &Scope) -> bool {
        self.fresh = inner.foreign.families();
        self.fresh
            .retain(|family| scope.shows(&family.name, family.kind));
        let same = self.fresh.len() == self.known.len()
            && self
                .known
                .iter()
                .zip(&self.fresh)
                .all(|(known, family)| known.is(family));
        if !same {
            self.known = self.fresh.iter().map(Known::new).collect();
        }
        !same
    }

    /// Puts each family in its place, if it has one.
    fn renew_values(&mut self, families: &mut [Shown]) {
        for (mut family, known) in self.fresh.drain(..).zip(&self.known) {
            let place = known.shown.then(|| named(families, &family.name));
            if let Some(shown) = place.flatten() {
                explain(&mut family);
                family.samples.sort_by(|a, b| a.labels.cmp(&b.labels));
                shown.replace(family);
            }
        }
    }
}

impl Known {
    fn new(family: &Family) -> Self {
        Self {
            name: family.name.clone(),
            kind: family.kind,
            empty: family.samples.is_empty(),
            shown: false,
        }
    }

    fn is(&self, family: &Family) -> bool {
        (self.name.as_str(), self.kind, self.empty)
            == (family.name.as_str(), family.kind, family.samples.is_empty())
    }
}

fn named<'a>(families: &'a mut [Shown], name: &str) -> Option<&'a mut Shown> {
    let found = families.binary_search_by(|shown| shown.family.name.as_str().cmp(name));
    found.ok().map(|at| &mut families[at])
}

/// HELP is never empty: the facade's metrics need not be described.
fn explain(family: &mut Family) {
    if family.help.is_empty() {
        family.help = format!("A {} that nobody described.", family.kind.as_str());
    }
}

/// Takes the names of the family's samples, if all of them are free.
fn claim(taken: &mut HashSet<String>, name: &str, kind: Kind) -> bool {
    let names = || sample_names(name, kind == Kind::Histogram);
    let free = names().all(|name| !taken.contains(&name));
    if free {
        taken.extend(names());
    }
    free
}
