//! Expressions that are evaluated at every tick: what they read is looked up once.

use std::cell::Cell;

use super::{At, Dialect, Expr, Labels, Selector, Series, Source, Store};
use crate::engine::reader::Reader;

/// Where the selectors of one expression stand in the store, from left to right; `None` until all of them are known.
#[derive(Debug, Default)]
pub(in crate::engine) struct Plan(Option<Vec<usize>>);

/// What an expression reads, in the order in which it is evaluated.
struct Planned<'a> {
    reader: Reader<'a>,
    /// The selections that were not read yet.
    selections: Cell<&'a [usize]>,
}

impl Plan {
    /// Whether there is anything for which its expression holds.
    pub(in crate::engine) fn holds(&mut self, expr: &Expr, reader: Reader<'_>) -> bool {
        self.eval(reader, expr, |at| at.holds(expr).unwrap_or(false))
    }

    /// The only number that its expression is.
    pub(in crate::engine) fn number(&mut self, expr: &Expr, reader: Reader<'_>) -> Option<f64> {
        let number = self.eval(reader, expr, |at| at.number(expr).ok().flatten());
        number.filter(|number| !number.is_nan())
    }

    fn eval<T>(
        &mut self,
        reader: Reader<'_>,
        expr: &Expr,
        eval: impl FnOnce(At<'_, Planned<'_>>) -> T,
    ) -> T {
        if self.0.is_none() {
            self.0 = reader.store.selections_of(expr);
        }
        let source = Planned {
            reader,
            selections: Cell::new(self.0.as_deref().unwrap_or_default()),
        };
        eval(At {
            source: &source,
            at_ms: reader.store.now_ms,
            dialect: Dialect::default(),
        })
    }
}

impl Source for Planned<'_> {
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series)) {
        let store = self.reader.store;
        match self.selections.get().split_first() {
            Some((&first, rest)) => {
                self.selections.set(rest);
                debug_assert_eq!(store.selections[first].selector, *selector);
                store.each_of(first, show);
            }
            None => store.each(selector, show),
        }
        let rules = self.reader.rules.iter();
        rules.for_each(|rules| rules.each_recorded(selector, show));
    }
}

impl Store {
    /// The selections that an expression names, if all of them are known.
    fn selections_of(&self, expr: &Expr) -> Option<Vec<usize>> {
        let mut all = Some(Vec::new());
        expr.visit(
            &mut |selector, _| match (self.by_selector.get(selector), &mut all) {
                (Some(&at), Some(all)) => all.push(at),
                _ => all = None,
            },
        );
        all
    }
}
