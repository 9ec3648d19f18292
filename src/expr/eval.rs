//! An expression's value, as Prometheus would have it.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::labels::{Labels, NAME};
use super::{
    Aggregation, Expr, Function, Grouping, MatchOn, Matching, Op, Over, Point, SampleValue,
    Samples, Selector, Value,
};
use crate::histogram::bucket_quantile;
use crate::window::{Dialect, Series};

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

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.message)
    }
}

impl std::error::Error for EvalError {}

/// The value of an expression over samples given by hand, at a moment in milliseconds since 1970, in the arithmetic of
/// [`Samples::dialect`].
///
/// # Errors
///
/// [`EvalError`] where Prometheus would refuse the expression, or evaluate it to an error.
pub fn eval(expr: &Expr, samples: &Samples, at_ms: i64) -> Result<Value, EvalError> {
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

type Evaluated = Result<Value, EvalError>;

impl<S: Source + ?Sized> At<'_, S> {
    pub(crate) fn eval(&self, expr: &Expr) -> Evaluated {
        Ok(match expr {
            Expr::Number(number) => Value::Scalar(*number),
            Expr::Time => Value::Scalar(self.at_ms as f64 / 1e3),
            Expr::Select(selector) => self.select(selector),
            Expr::Over(over, selector, range) => self.over(*over, selector, *range),
            Expr::Aggregate(how, grouping, inner) => {
                let points = vector(inner, self.eval(inner)?)?;
                Value::Vector(aggregate(*how, grouping, points))
            }
            Expr::Quantile(q, inner) => {
                let q = scalar(q, self.eval(q)?)?;
                Value::Vector(quantile(q, vector(inner, self.eval(inner)?)?))
            }
            Expr::Call(function, inner) => self.call(*function, inner)?,
            Expr::Negate(inner) => each_float(self.eval(inner)?, |value| -value),
            Expr::Binary(left, op, matching, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                combine(left, *op, matching, right).map_err(|message| EvalError {
                    part: expr.to_string(),
                    message,
                })?
            }
        })
    }

    fn select(&self, selector: &Selector) -> Value {
        let mut points = Vec::new();
        self.source.each(selector, &mut |labels, series| {
            let latest = series.latest(self.at_ms, Dialect::LOOKBACK, self.dialect);
            points.extend(latest.map(|value| point(labels.clone(), value)));
        });
        Value::Vector(points)
    }

    fn over(&self, over: Over, selector: &Selector, range: Duration) -> Value {
        let mut points = Vec::new();
        self.source.each(selector, &mut |labels, series| {
            let value = match over {
                Over::Rate => series.rate(self.at_ms, range, self.dialect),
                Over::Increase => series.increase(self.at_ms, range, self.dialect),
                _ => over_time(over, series.values(self.at_ms, range, self.dialect)),
            };
            points.extend(value.map(|value| point(unnamed(labels), value)));
        });
        Value::Vector(points)
    }

    fn call(&self, function: Function, inner: &Expr) -> Evaluated {
        let value = self.eval(inner)?;
        Ok(match function {
            Function::Absent if value.is_empty() => Value::Vector(vec![point(asked(inner), 1.0)]),
            Function::Absent => Value::Vector(Vec::new()),
            Function::Vector => {
                let value = scalar(inner, value)?;
                Value::Vector(vec![point(Labels::default(), value)])
            }
            Function::Scalar => Value::Scalar(value.as_float().unwrap_or(f64::NAN)),
            Function::Abs => each_float(value, f64::abs),
            Function::Ceil => each_float(value, f64::ceil),
            Function::Floor => each_float(value, f64::floor),
            Function::Sqrt => each_float(value, f64::sqrt),
            Function::Hour => each_float(value, |at| (at.div_euclid(3600.0)).rem_euclid(24.0)),
            Function::Minute => each_float(value, |at| (at.div_euclid(60.0)).rem_euclid(60.0)),
            // The first of January 1970 was a Thursday.
            Function::DayOfWeek => {
                each_float(value, |at| (at.div_euclid(86_400.0) + 4.0).rem_euclid(7.0))
            }
            Function::DayOfMonth
            | Function::Month
            | Function::HistogramCount
            | Function::HistogramSum => Value::Vector(Vec::new()),
        })
    }
}

fn point(labels: Labels, value: f64) -> Point {
    Point {
        labels,
        value: SampleValue::Float(value),
    }
}

fn unnamed(labels: &Labels) -> Labels {
    labels.only(|key| key != NAME)
}

/// What `absent` yields: the labels that were asked for.
fn asked(expr: &Expr) -> Labels {
    match expr {
        Expr::Select(selector) | Expr::Over(_, selector, _) => {
            let equal = selector.matchers().iter();
            let equal = equal.filter(|matcher| matcher.compare() == super::Compare::Equal);
            Labels::new(equal.map(|matcher| (matcher.label(), matcher.value())))
        }
        _ => Labels::default(),
    }
}

fn scalar(part: &Expr, value: Value) -> Result<f64, EvalError> {
    match value {
        Value::Scalar(value) => Ok(value),
        Value::Vector(_) => Err(EvalError {
            part: part.to_string(),
            message: "is a vector where a number is needed: write scalar(..)".to_owned(),
        }),
    }
}

fn vector(part: &Expr, value: Value) -> Result<Vec<Point>, EvalError> {
    match value {
        Value::Vector(points) => Ok(points),
        Value::Scalar(_) => Err(EvalError {
            part: part.to_string(),
            message: "is a number where a vector is needed: write vector(..)".to_owned(),
        }),
    }
}

fn each_float(value: Value, apply: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Scalar(value) => Value::Scalar(apply(value)),
        Value::Vector(points) => {
            let applied = points.into_iter().filter_map(|known| {
                let value = known.value.as_float()?;
                Some(point(unnamed(&known.labels), apply(value)))
            });
            Value::Vector(applied.collect())
        }
    }
}

fn over_time(over: Over, values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    let last = *values.last()?;
    let sum = || values.iter().sum::<f64>();
    Some(match over {
        Over::Avg => sum() / values.len() as f64,
        Over::Min => values.iter().copied().fold(f64::NAN, f64::min),
        Over::Max => values.iter().copied().fold(f64::NAN, f64::max),
        Over::Sum => sum(),
        Over::Count => values.len() as f64,
        Over::Last | Over::Rate | Over::Increase => last,
    })
}

fn aggregate(how: Aggregation, grouping: &Grouping, points: Vec<Point>) -> Vec<Point> {
    let mut groups: Vec<(Labels, Vec<f64>)> = Vec::new();
    for known in points {
        let labels = match grouping {
            Grouping::By(keys) => known.labels.only(|key| keys.iter().any(|k| k == key)),
            Grouping::Without(keys) => {
                let dropped = |key: &str| key == NAME || keys.iter().any(|k| k == key);
                known.labels.only(|key| !dropped(key))
            }
        };
        let Some(value) = known.value.as_float() else {
            continue;
        };
        match groups.iter_mut().find(|group| group.0 == labels) {
            Some(group) => group.1.push(value),
            None => groups.push((labels, vec![value])),
        }
    }
    let aggregated = groups.into_iter().map(|(labels, values)| {
        let sum = || values.iter().sum::<f64>();
        let value = match how {
            Aggregation::Sum => sum(),
            Aggregation::Avg => sum() / values.len() as f64,
            Aggregation::Min => values.iter().copied().fold(f64::NAN, f64::min),
            Aggregation::Max => values.iter().copied().fold(f64::NAN, f64::max),
            Aggregation::Count => values.len() as f64,
        };
        point(labels, value)
    });
    aggregated.collect()
}

fn quantile(q: f64, points: Vec<Point>) -> Vec<Point> {
    let mut groups: Vec<(Labels, Vec<(f64, f64)>)> = Vec::new();
    for known in points {
        let bound = match known.labels.get("le") {
            "+Inf" => f64::INFINITY,
            text => match text.parse() {
                Ok(bound) => bound,
                Err(_) => continue,
            },
        };
        let labels = known.labels.only(|key| key != NAME && key != "le");
        let Some(value) = known.value.as_float() else {
            continue;
        };
        match groups.iter_mut().find(|group| group.0 == labels) {
            Some(group) => group.1.push((bound, value)),
            None => groups.push((labels, vec![(bound, value)])),
        }
    }
    let quantiles = groups.into_iter().filter_map(|(labels, mut buckets)| {
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (top, total) = buckets.pop()?;
        if top != f64::INFINITY {
            return Some(point(labels, f64::NAN));
        }
        let (bounds, counts): (Vec<f64>, Vec<f64>) = buckets.into_iter().unzip();
        let value = bucket_quantile(q, &bounds, &counts, total).unwrap_or(f64::NAN);
        Some(point(labels, value))
    });
    quantiles.collect()
}

fn combine(left: Value, op: Op, matching: &Matching, right: Value) -> Result<Value, String> {
    Ok(match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => match op.calculate(left, right) {
            Some(value) => Value::Scalar(value),
            None if matching.as_bool => {
                Value::Scalar(f64::from(u8::from(op.compare(left, right) == Some(true))))
            }
            None => return Err("compares two numbers: write bool behind the operator".to_owned()),
        },
        (Value::Vector(left), Value::Scalar(right)) => {
            with_scalar(left, op, matching, |value| (value, right))
        }
        (Value::Scalar(left), Value::Vector(right)) => {
            with_scalar(right, op, matching, |value| (left, value))
        }
        (Value::Vector(left), Value::Vector(right)) => {
            Value::Vector(combine_vectors(left, op, matching, right)?)
        }
    })
}

fn with_scalar(
    points: Vec<Point>,
    op: Op,
    matching: &Matching,
    sides: impl Fn(f64) -> (f64, f64),
) -> Value {
    let kept = points.into_iter().filter_map(|known| {
        let value = known.value.as_float()?;
        let (left, right) = sides(value);
        pair(op, matching, left, right, value, &known.labels)
    });
    Value::Vector(kept.collect())
}

/// What becomes of two values that belong together; `shown` is the one that a comparison lets through.
fn pair(
    op: Op,
    matching: &Matching,
    left: f64,
    right: f64,
    shown: f64,
    labels: &Labels,
) -> Option<Point> {
    match (op.calculate(left, right), op.compare(left, right)) {
        (Some(value), _) => Some(point(unnamed(labels), value)),
        (None, Some(holds)) if matching.as_bool => {
            Some(point(unnamed(labels), f64::from(u8::from(holds))))
        }
        (None, Some(true)) => Some(point(labels.clone(), shown)),
        _ => None,
    }
}

fn combine_vectors(
    left: Vec<Point>,
    op: Op,
    matching: &Matching,
    right: Vec<Point>,
) -> Result<Vec<Point>, String> {
    let key = |labels: &Labels| match &matching.on {
        None => unnamed(labels),
        Some(MatchOn::On(keys)) => labels.only(|key| keys.iter().any(|k| k == key)),
        Some(MatchOn::Ignoring(keys)) => {
            labels.only(|key| key != NAME && !keys.iter().any(|k| k == key))
        }
    };
    let mut others: HashMap<Labels, Point> = HashMap::new();
    let twice =
        "has several elements on one side for one on the other: aggregate, or name more labels";
    for known in right.iter().cloned() {
        let other = others.insert(key(&known.labels), known);
        if other.is_some() && !op.is_set() {
            return Err(twice.to_owned());
        }
    }
    let mut combined = Vec::new();
    for known in left {
        let other = others.get(&key(&known.labels));
        match (op, other) {
            (Op::And, Some(_)) | (Op::Unless, None) | (Op::Or, _) => combined.push(known),
            (_, Some(other)) if !op.is_set() => {
                let sides = known.value.as_float().zip(other.value.as_float());
                let Some((left, right)) = sides else { continue };
                let labels = match op.is_comparison() && !matching.as_bool {
                    true => known.labels,
                    false => key(&known.labels),
                };
                combined.extend(pair(op, matching, left, right, left, &labels));
            }
            _ => {}
        }
    }
    if op == Op::Or {
        let known: Vec<Labels> = combined.iter().map(|known| key(&known.labels)).collect();
        let new = right.into_iter();
        combined.extend(new.filter(|other| !known.contains(&key(&other.labels))));
    }
    Ok(combined)
}
