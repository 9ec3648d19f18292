//! Why it exists: a condition is written once and read twice, by this process and by Prometheus.
//!
//! An [`Expr`] evaluates over in-process [`Samples`] and prints itself as PromQL. Every selector is summed over the
//! series that it matches, so each value is one number and both readers speak of the same one.
//!
//! ```
//! use plimsoll::{Expr, Selector};
//! use std::time::Duration;
//!
//! let bad = Selector::new("plimsoll_sli_bad_total").label("budget", "errors");
//! let valid = Selector::new("plimsoll_sli_valid_total").label("budget", "errors");
//! let minute = Duration::from_secs(60);
//! let condition = (Expr::rate(bad, minute) / Expr::rate(valid, minute)).greater(0.001);
//! assert_eq!(
//!     condition.to_string(),
//!     r#"(sum(rate(plimsoll_sli_bad_total{budget="errors"}[1m])) / sum(rate(plimsoll_sli_valid_total{budget="errors"}[1m]))) > 0.001"#,
//! );
//! ```
//!
//! Comparisons filter, as in PromQL: they yield their left side where they hold and nothing where they do not.

use std::fmt;
use std::time::Duration;

use crate::histogram::bucket_quantile;

/// An exported family's name and the label values that a series must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    name: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// All series of the family with this exported name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            labels: Vec::new(),
        }
    }

    /// Only series in which `key` has this value.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// The exported name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The label values asked for.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

impl Selector {
    fn write(&self, f: &mut fmt::Formatter<'_>, suffix: &str) -> fmt::Result {
        write!(f, "{}{suffix}", self.name)?;
        if self.labels.is_empty() {
            return Ok(());
        }
        for (i, (key, value)) in self.labels.iter().enumerate() {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            write!(f, "{}{key}=\"{value}\"", if i == 0 { '{' } else { ',' })?;
        }
        f.write_str("}")
    }
}

/// How two values are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `>`: the left side where it is greater.
    Greater,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `and`: the left side where the right one has a value.
    And,
}

impl Op {
    fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "and",
        }
    }

    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let holds = match self {
            Self::Add => return Some(left + right),
            Self::Sub => return Some(left - right),
            Self::Mul => return Some(left * right),
            Self::Div => return Some(left / right),
            Self::Greater => left > right,
            Self::GreaterEqual => left >= right,
            Self::Less => left < right,
            Self::LessEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::And => true,
        };
        holds.then_some(left)
    }
}

/// A condition, or a value that conditions are made of.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// A constant.
    Number(f64),
    /// `sum(selector)`: the newest value.
    Latest(Selector),
    /// `sum(rate(selector[range]))`: growth per second over the range.
    Rate(Selector, Duration),
    /// `sum(increase(selector[range]))`: growth over the range.
    Increase(Selector, Duration),
    /// `histogram_quantile(q, sum by (le) (rate(selector_bucket[range])))`.
    Quantile(f64, Selector, Duration),
    /// Two values combined.
    Binary(Box<Expr>, Op, Box<Expr>),
}

impl Expr {
    /// The newest value of the selected series.
    pub fn latest(selector: Selector) -> Self {
        Self::Latest(selector)
    }

    /// Growth per second over `range`.
    pub fn rate(selector: Selector, range: Duration) -> Self {
        Self::Rate(selector, range)
    }

    /// Growth over `range`.
    pub fn increase(selector: Selector, range: Duration) -> Self {
        Self::Increase(selector, range)
    }

    /// Prometheus' `q`-quantile (`0.0..=1.0`) of the histogram family `selector` over `range`.
    pub fn quantile(q: f64, selector: Selector, range: Duration) -> Self {
        Self::Quantile(q, selector, range)
    }

    /// Combines two values.
    pub fn binary(self, op: Op, right: Self) -> Self {
        Self::Binary(Box::new(self), op, Box::new(right))
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

    /// `self and other`
    pub fn and(self, other: Self) -> Self {
        self.binary(Op::And, other)
    }

    /// The value, or `None` where PromQL would return no sample.
    pub fn eval(&self, samples: &dyn Samples) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Latest(selector) => samples.latest(selector),
            Self::Rate(selector, range) => samples.rate(selector, *range),
            Self::Increase(selector, range) => samples.increase(selector, *range),
            Self::Quantile(q, selector, range) => {
                let counts = samples.buckets(selector, *range)?;
                bucket_quantile(*q, &counts.bounds, &counts.counts, counts.total)
            }
            Self::Binary(left, op, right) => op.apply(left.eval(samples)?, right.eval(samples)?),
        }
    }

    /// Every selector with the longest range over which it is read (zero: only its newest value).
    pub(crate) fn visit(&self, see: &mut impl FnMut(&Selector, Reading)) {
        match self {
            Self::Number(_) => {}
            Self::Latest(selector) => see(selector, Reading::Latest),
            Self::Rate(selector, range) | Self::Increase(selector, range) => {
                see(selector, Reading::Increase(*range));
            }
            Self::Quantile(_, selector, range) => see(selector, Reading::Buckets(*range)),
            Self::Binary(left, _, right) => {
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
    Increase(Duration),
    Buckets(Duration),
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

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(&promql_number(*number)),
            Self::Latest(selector) => write!(f, "sum({selector})"),
            Self::Rate(selector, range) => write!(f, "sum(rate({selector}[{}]))", Range(*range)),
            Self::Increase(selector, range) => {
                write!(f, "sum(increase({selector}[{}]))", Range(*range))
            }
            Self::Quantile(q, selector, range) => {
                write!(
                    f,
                    "histogram_quantile({}, sum by (le) (rate(",
                    promql_number(*q)
                )?;
                selector.write(f, "_bucket")?;
                write!(f, "[{}])))", Range(*range))
            }
            Self::Binary(left, op, right) => {
                operand(f, left)?;
                write!(f, " {} ", op.as_str())?;
                operand(f, right)
            }
        }
    }
}

/// Nested combinations stand in parentheses, so that no reader has to know what binds tighter.
fn operand(f: &mut fmt::Formatter<'_>, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::Binary(..) => write!(f, "({expr})"),
        _ => write!(f, "{expr}"),
    }
}

fn promql_number(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        number.to_string()
    }
}

/// A duration as PromQL writes it: `1h30m`, `5s`, `250ms`.
struct Range(Duration);

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_millis();
        for (unit, length) in [
            ("d", 86_400_000),
            ("h", 3_600_000),
            ("m", 60_000),
            ("s", 1_000),
            ("ms", 1),
        ] {
            if left >= length {
                write!(f, "{}{unit}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

/// What an [`Expr`] is evaluated over.
pub trait Samples {
    /// The sum of the newest values; `None` if no series matches.
    fn latest(&self, selector: &Selector) -> Option<f64>;

    /// The sum of the increases over the range that ends now; `None` if no series has two samples in it.
    fn increase(&self, selector: &Selector, range: Duration) -> Option<f64>;

    /// The sum of the rates (growth per second) over the range that ends now.
    fn rate(&self, selector: &Selector, range: Duration) -> Option<f64>;

    /// What a histogram family counted in the range that ends now.
    fn buckets(&self, selector: &Selector, range: Duration) -> Option<BucketCounts>;
}

/// Cumulative counts of a histogram over a range.
#[derive(Debug, Clone, PartialEq)]
pub struct BucketCounts {
    /// Finite upper bounds, ascending, in the exported unit.
    pub bounds: Vec<f64>,
    /// How many values lay at or below each bound.
    pub counts: Vec<f64>,
    /// How many there were.
    pub total: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Given;

    impl Samples for Given {
        fn latest(&self, selector: &Selector) -> Option<f64> {
            (selector.name() == "depth").then_some(7.0)
        }

        fn increase(&self, selector: &Selector, _: Duration) -> Option<f64> {
            match selector.name() {
                "bad" => Some(3.0),
                "valid" => Some(60.0),
                "idle" => Some(0.0),
                _ => None,
            }
        }

        fn rate(&self, selector: &Selector, range: Duration) -> Option<f64> {
            Some(self.increase(selector, range)? / range.as_secs_f64())
        }

        fn buckets(&self, _: &Selector, _: Duration) -> Option<BucketCounts> {
            Some(BucketCounts {
                bounds: vec![0.1, 0.2],
                counts: vec![10.0, 20.0],
                total: 20.0,
            })
        }
    }

    fn ratio(bad: &str, valid: &str) -> Expr {
        let minute = Duration::from_secs(60);
        Expr::rate(Selector::new(bad), minute) / Expr::rate(Selector::new(valid), minute)
    }

    #[test]
    fn comparisons_filter() {
        assert_eq!(ratio("bad", "valid").greater(0.04).eval(&Given), Some(0.05));
        assert_eq!(ratio("bad", "valid").greater(0.05).eval(&Given), None);
        assert_eq!(
            ratio("bad", "valid").greater_equal(0.05).eval(&Given),
            Some(0.05)
        );
        assert_eq!(ratio("bad", "absent").greater(0.0).eval(&Given), None);
        assert_eq!(
            ratio("idle", "idle").greater(0.0).eval(&Given),
            None,
            "0 / 0 exceeds nothing"
        );
    }

    #[test]
    fn and_keeps_the_left_side() {
        let busy = Expr::latest(Selector::new("depth")).greater(5.0);
        assert_eq!(
            ratio("bad", "valid").and(busy.clone()).eval(&Given),
            Some(0.05)
        );
        let idle = Expr::latest(Selector::new("depth")).less(5.0);
        assert_eq!(ratio("bad", "valid").and(idle).eval(&Given), None);
    }

    #[test]
    fn quantiles_interpolate() {
        let expr = Expr::quantile(0.75, Selector::new("d_seconds"), Duration::from_secs(5));
        assert_eq!(expr.eval(&Given), Some(0.1 + (0.2 - 0.1) * 0.5));
        assert_eq!(
            expr.to_string(),
            "histogram_quantile(0.75, sum by (le) (rate(d_seconds_bucket[5s])))"
        );
    }

    #[test]
    fn values_are_quoted_and_ranges_are_promql() {
        let selector = Selector::new("x")
            .label("a", "say \"hi\"\n\\")
            .label("b", "");
        let expr = Expr::increase(selector, Duration::from_millis(5_400_250));
        assert_eq!(
            expr.to_string(),
            r#"sum(increase(x{a="say \"hi\"\n\\",b=""}[1h30m250ms]))"#
        );
        assert_eq!(Expr::Number(f64::INFINITY).to_string(), "+Inf");
    }
}
