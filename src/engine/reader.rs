//! What expressions are evaluated over at a tick.

use super::store::Store;
use crate::expr::{EvalError, Expr, Value};
use crate::rule::Evaluator;

/// The samples, and what groups of rules made of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) store: &'a Store,
    pub(super) rules: &'a [Evaluator],
}

impl Reader<'_> {
    pub(super) fn eval(self, expr: &Expr) -> Result<Value, EvalError> {
        self.store.eval(expr, self.rules)
    }

    /// Whether there is anything for which a condition holds.
    pub(super) fn holds(self, condition: &Expr) -> bool {
        self.eval(condition).is_ok_and(|value| !value.is_empty())
    }

    /// The only number that it is.
    pub(super) fn number(self, expr: &Expr) -> Option<f64> {
        let value = self.eval(expr).ok()?.as_float();
        value.filter(|value| !value.is_nan())
    }
}
