//! An expression's value, as Prometheus would have it.

mod aggregation;
mod element;
mod functions;
mod histograms;
mod matching;
mod over_time;
mod pow;
mod sums;

pub(super) use matching::SET_OF_SCALARS;
pub(super) use pow::pow;

use std::fmt;

use super::{Expr, Labels, Op, Samples, Selector, Value};
use crate::window::{Dialect, SampleValue, Series};
use element::{Element, Elements, Evaluated};

/// Where an expression finds its samples.
pub(crate) trait Source {
    /// Shows every series that a selector matches, each once.
    fn each(&self, selector: &Selector, show: &mut dyn FnMut(&Labels, &Series));
}

/// An expression that has no value: it is ill-formed, or the elements of its vectors do not find each other.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvalError {
    /// The part of the expression, as PromQL.
    pub part: String,
    /// What is wrong with it and how to mend it.
    pub message: String,
}

impl EvalError {
    pub(super) fn of(part: &Expr, message: impl Into<String>) -> Self {
        Self {
            part: part.to_string(),
            message: message.into(),
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)
    }
}

impl std::error::Error for EvalError {}

/// The value of an expression over samples given by hand, at a moment in milliseconds since 1970, in the arithmetic of
/// [`Samples::dialect`].
///
/// Cost: a look at each series of the selected families, and at the samples in the ranges.
///
/// # Errors
///
/// [`EvalError`] where Prometheus would refuse the expression, or evaluate it to an error.
pub fn eval(expr: &Expr, samples: &Samples, at_ms: i64) -> Result<Value, EvalError> {
    expr.check()?;
    At {
        source: samples,
        at_ms,
        dialect: samples.dialect(),
    }
    .eval(expr)
}

/// One evaluation.
pub(crate) struct At<'a, S: ?Sized> {
    pub(crate) source: &'a S,
    pub(crate) at_ms: i64,
    pub(crate) dialect: Dialect,
}

impl<S: Source + ?Sized> At<'_, S> {
    /// The value of an expression that [`Expr::check`] found well-formed.
    pub(crate) fn eval(&self, expr: &Expr) -> Result<Value, EvalError> {
        self.evaluate(expr).map(Evaluated::into_value)
    }

    /// Whether such an expression has any elements; a number is one.
    pub(crate) fn holds(&self, expr: &Expr) -> Result<bool, EvalError> {
        self.elements(expr).map(|value| value.len() > 0)
    }

    /// The same value, or another one without elements where that has none: what it is filtered by is not looked at then.
    fn elements(&self, expr: &Expr) -> Result<Evaluated, EvalError> {
        let Expr::Binary(left, op @ Op::And, matching, right) = expr else {
            return self.evaluate(expr);
        };
        let left = self.elements(left)?;
        if left.len() == 0 {
            return Ok(left);
        }
        let right = self.evaluate(right)?;
        matching::combine(left, *op, matching, right)
            .map_err(|message| EvalError::of(expr, message))
    }

    /// The number that such an expression is, or its only element.
    pub(crate) fn number(&self, expr: &Expr) -> Result<Option<f64>, EvalError> {
        self.evaluate(expr).map(|value| value.as_float())
    }

    fn evaluate(&self, expr: &Expr) -> Result<Evaluated, EvalError> {
        let refused = |message: &'static str| EvalError::of(expr, message);
        Ok(match expr {
            Expr::Number(number) => Evaluated::Scalar(*number),
            Expr::Time => Evaluated::Scalar(self.at_ms as f64 / 1e3),
            Expr::Select(selector) => {
                let latest =
                    |series: &Series| series.latest(self.at_ms, Dialect::LOOKBACK, self.dialect);
                Evaluated::Vector(self.select(selector, false, latest).map_err(refused)?)
            }
            Expr::Over(over, selector, range) => {
                let value = |series: &Series| {
                    over_time::value(*over, series, self.at_ms, *range, self.dialect)
                };
                let nameless = !over_time::keeps_name(*over);
                Evaluated::Vector(self.select(selector, nameless, value).map_err(refused)?)
            }
            Expr::Aggregate(how, grouping, inner) => {
                let elements = self.vector(inner)?;
                Evaluated::Vector(aggregation::aggregate(
                    *how,
                    grouping,
                    elements,
                    self.dialect,
                ))
            }
            Expr::Quantile(q, inner) => {
                let q = self.scalar(q)?;
                let elements = self.vector(inner)?;
                let quantiles = histograms::quantiles(q, elements, self.dialect);
                Evaluated::Vector(quantiles.map_err(refused)?)
            }
            Expr::Call(function, inner) => {
                let value = self.evaluate(inner)?;
                functions::call(*function, inner, value).map_err(refused)?
            }
            Expr::Negate(inner) => functions::negate(self.evaluate(inner)?).map_err(refused)?,
            Expr::Binary(left, op, matching, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                matching::combine(left, *op, matching, right).map_err(refused)?
            }
        })
    }

    fn select(
        &self,
        selector: &Selector,
        nameless: bool,
        value: impl Fn(&Series) -> Option<SampleValue>,
    ) -> Result<Elements, &'static str> {
        let mut elements = Elements::new();
        self.source.each(selector, &mut |labels, series| {
            elements.extend(value(series).map(|value| Element {
                labels: labels.clone(),
                nameless,
                value,
            }));
        });
        let native = |element: &Element| element.value.as_float().is_none();
        match self.dialect != Dialect::V3 && elements.iter().any(native) {
            true => {
                Err("finds native histograms, which are read as 3.x does only: use Dialect::V3")
            }
            false => Ok(elements),
        }
    }

    fn scalar(&self, part: &Expr) -> Result<f64, EvalError> {
        match self.evaluate(part)? {
            Evaluated::Scalar(value) => Ok(value),
            Evaluated::Vector(_) => Err(EvalError::of(part, NOT_A_SCALAR)),
        }
    }

    fn vector(&self, part: &Expr) -> Result<Elements, EvalError> {
        match self.evaluate(part)? {
            Evaluated::Vector(elements) => Ok(elements),
            Evaluated::Scalar(_) => Err(EvalError::of(part, NOT_A_VECTOR)),
        }
    }
}

pub(super) const NOT_A_SCALAR: &str = "is a vector where a number is needed: write scalar(..)";
pub(super) const NOT_A_VECTOR: &str = "is a number where a vector is needed: write vector(..)";

#[cfg(test)]
mod tests;
