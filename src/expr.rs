//! Why it exists: a condition is written once and read twice, by this process and by Prometheus.
//!
//! An [`Expr`] evaluates over [`Samples`] and prints itself as PromQL. What one reader says the other says: the same
//! samples, selected and extrapolated by the same rules, in the [`Dialect`] of a version of Prometheus.
//!
//! ```
//! use plimsoll::{Expr, Selector};
//! use std::time::Duration;
//!
//! let bad = Selector::new("plimsoll_sli_bad_total").label("budget", "errors");
//! let valid = Selector::new("plimsoll_sli_valid_total").label("budget", "errors");
//! let minute = Duration::from_secs(60);
//! let condition = (Expr::rate(bad, minute).sum() / Expr::rate(valid, minute).sum()).greater(0.001);
//! assert_eq!(
//!     condition.to_string(),
//!     r#"(sum(rate(plimsoll_sli_bad_total{budget="errors"}[1m])) / sum(rate(plimsoll_sli_valid_total{budget="errors"}[1m]))) > 0.001"#,
//! );
//! ```
//!
//! Comparisons filter, as in PromQL: they yield their left side where they hold and nothing where they do not.

mod check;
mod eval;
mod kept;
mod labels;
mod matching;
mod op;
#[cfg(feature = "promql")]
mod parse;
mod pattern;
mod print;
mod samples;
mod selector;
mod value;

pub use check::ValueType;
pub(crate) use eval::{At, Source};
pub use eval::{EvalError, eval};
pub use labels::Labels;
#[cfg(feature = "promql")]
pub(crate) use labels::is_label_name;
pub(crate) use labels::{NAME, is_family_name};
pub use matching::{Group, MatchOn, Matching};
pub use op::{Aggregation, Function, Grouping, Op, Over};
#[cfg(feature = "promql")]
pub use parse::ParseError;
#[cfg(feature = "promql")]
pub(crate) use parse::parse_duration;
#[cfg(feature = "generate")]
pub(crate) use parse::syntax;
pub(crate) use print::Range;
pub use samples::Samples;
pub use selector::{Compare, Matcher, PatternError, Selector};
pub use value::{Point, SampleValue, Value};

pub use crate::window::{Dialect, NativeError, NativeHistogram};

use std::time::Duration;

/// What Prometheus adds to the labels of what it scrapes, to tell targets apart.
pub(crate) const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// A condition, or a value that conditions are made of: what PromQL calls an expression.
///
/// The constructors below read better than the variants, which are there for whoever walks the tree.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// A constant, a scalar.
    Number(f64),
    /// `selector`: the newest value of each selected series.
    Select(Selector),
    /// `rate(selector[range])` and its like, for each selected series.
    Over(Over, Selector, Duration),
    /// `sum by (a, b) (vector)` and its like.
    Aggregate(Aggregation, Grouping, Box<Expr>),
    /// `histogram_quantile(scalar, vector)`.
    Quantile(Box<Expr>, Box<Expr>),
    /// A function of one argument.
    Call(Function, Box<Expr>),
    /// `time()`: the moment of evaluation in seconds since 1970, a scalar.
    Time,
    /// `-value`
    Negate(Box<Expr>),
    /// Two values combined.
    Binary(Box<Expr>, Op, Matching, Box<Expr>),
}

impl Expr {
    /// The newest value of each selected series.
    pub fn select(selector: Selector) -> Self {
        Self::Select(selector)
    }

    /// Growth per second over `range`, of each selected series.
    pub fn rate(selector: Selector, range: Duration) -> Self {
        Self::Over(Over::Rate, selector, range)
    }

    /// Growth over `range`, of each selected series.
    pub fn increase(selector: Selector, range: Duration) -> Self {
        Self::Over(Over::Increase, selector, range)
    }

    /// The mean of the samples of `range`, of each selected series.
    pub fn avg_over_time(selector: Selector, range: Duration) -> Self {
        Self::Over(Over::Avg, selector, range)
    }

    /// Prometheus' `q`-quantile (`0.0..=1.0`) of the classic histogram family `family` over `range`, of all its series
    /// that `selector` (on the family's name, without `_bucket`) matches:
    /// `histogram_quantile(q, sum by (le) (rate(family_bucket[range])))`.
    pub fn quantile(q: f64, selector: Selector, range: Duration) -> Self {
        let name = format!("{}_bucket", selector.name());
        let buckets = Self::rate(selector.renamed(name), range).sum_by(["le"]);
        buckets.histogram_quantile(q)
    }

    /// `histogram_quantile(q, self)`.
    pub fn histogram_quantile(self, q: f64) -> Self {
        Self::Quantile(Box::new(Self::Number(q)), Box::new(self))
    }

    /// The sum of all elements.
    pub fn sum(self) -> Self {
        self.aggregate(Aggregation::Sum, Grouping::default())
    }

    /// The sums of the elements with equal values of these labels.
    pub fn sum_by<L: Into<String>>(self, labels: impl IntoIterator<Item = L>) -> Self {
        self.aggregate(Aggregation::Sum, Grouping::by(labels))
    }

    /// Aggregates the elements of each group.
    pub fn aggregate(self, how: Aggregation, grouping: Grouping) -> Self {
        Self::Aggregate(how, grouping, Box::new(self))
    }

    /// Applies a function.
    pub fn call(self, function: Function) -> Self {
        Self::Call(function, Box::new(self))
    }

    /// A vector of one element, 1, if `self` has no elements; else nothing.
    pub fn absent(self) -> Self {
        self.call(Function::Absent)
    }

    /// The hour of the day (0 to 23) at a fixed offset from UTC, as a vector of one element.
    pub fn hour(offset: Offset) -> Self {
        Self::local(Function::Hour, offset)
    }

    /// The day of the week (0 is Sunday) at a fixed offset from UTC, as a vector of one element.
    pub fn day_of_week(offset: Offset) -> Self {
        Self::local(Function::DayOfWeek, offset)
    }

    fn local(function: Function, offset: Offset) -> Self {
        let seconds = f64::from(offset.seconds());
        let time = match offset.seconds() {
            0 => Self::Time,
            east if east > 0 => Self::Time + Self::Number(seconds),
            _ => Self::Time - Self::Number(-seconds),
        };
        time.call(Function::Vector).call(function)
    }

    /// Combines two values; vectors by elements with equal labels.
    pub fn binary(self, op: Op, right: Self) -> Self {
        self.binary_on(op, Matching::default(), right)
    }

    /// Combines two values, as `matching` says.
    pub fn binary_on(self, op: Op, matching: Matching, right: Self) -> Self {
        Self::Binary(Box::new(self), op, matching, Box::new(right))
    }

    /// `self > limit`
    pub fn greater(self, limit: f64) -> Self {
        self.binary(Op::Greater, Self::Number(limit))
    }

    /// `self >= limit`
    pub fn greater_equal(self, limit: f64) -> Self {
        self.binary(Op::GreaterEqual, Self::Number(limit))
    }

    /// `self < limit`
    pub fn less(self, limit: f64) -> Self {
        self.binary(Op::Less, Self::Number(limit))
    }

    /// `self and other`: elements of `self` for which `other` has one with the same labels.
    pub fn and(self, other: Self) -> Self {
        self.binary(Op::And, other)
    }

    /// `self and on() other`: all elements of `self` if `other` has any.
    pub fn while_any(self, other: Self) -> Self {
        self.binary_on(Op::And, Matching::on([] as [&str; 0]), other)
    }

    /// `self or other`
    pub fn or(self, other: Self) -> Self {
        self.binary(Op::Or, other)
    }

    /// `self unless other`
    pub fn unless(self, other: Self) -> Self {
        self.binary(Op::Unless, other)
    }

    /// Every selector with what is read of it.
    pub(crate) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Selector, Reading)) {
        match self {
            Self::Number(_) | Self::Time => {}
            Self::Select(selector) => see(selector, Reading::Latest),
            Self::Over(_, selector, range) => see(selector, Reading::Range(*range)),
            Self::Aggregate(_, _, inner) | Self::Call(_, inner) | Self::Negate(inner) => {
                inner.visit(see);
            }
            Self::Quantile(left, right) | Self::Binary(left, _, _, right) => {
                left.visit(see);
                right.visit(see);
            }
        }
    }
}

/// What an expression wants to know of a selector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Reading {
    Latest,
    Range(Duration),
}

impl std::ops::Add for Expr {
    type Output = Self;
    fn add(self, right: Self) -> Self {
        self.binary(Op::Add, right)
    }
}

impl std::ops::Sub for Expr {
    type Output = Self;
    fn sub(self, right: Self) -> Self {
        self.binary(Op::Sub, right)
    }
}

impl std::ops::Mul for Expr {
    type Output = Self;
    fn mul(self, right: Self) -> Self {
        self.binary(Op::Mul, right)
    }
}

impl std::ops::Div for Expr {
    type Output = Self;
    fn div(self, right: Self) -> Self {
        self.binary(Op::Div, right)
    }
}

impl std::ops::Neg for Expr {
    type Output = Self;
    fn neg(self) -> Self {
        Self::Negate(Box::new(self))
    }
}

/// A fixed distance from UTC, in whole seconds, less than a day either way; east is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offset(i32);

impl Offset {
    /// Coordinated universal time.
    pub const UTC: Self = Self(0);

    /// So many minutes east of UTC (`+60` is Central European winter time); `None` for a day or more.
    pub fn minutes(east: i32) -> Option<Self> {
        (-1439..=1439).contains(&east).then_some(Self(east * 60))
    }

    /// In seconds, east is positive.
    pub fn seconds(self) -> i32 {
        self.0
    }
}

#[cfg(test)]
mod tests;
