//! What an expression evaluates to.

use super::labels::Labels;
pub use crate::window::SampleValue;

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One number without labels.
    Scalar(f64),
    /// One element for each series or group, no two with the same labels; none at all is a value too.
    Vector(Vec<Point>),
}

/// One element of a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Which it is.
    pub labels: Labels,
    /// Its value.
    pub value: SampleValue,
}

impl Value {
    /// Whether it is a vector without elements: a condition that does not hold.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Vector(points) if points.is_empty())
    }

    /// The number that a scalar is, or the only element of a vector.
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Scalar(value) => Some(*value),
            Self::Vector(points) => match &points[..] {
                [only] => only.value.as_float(),
                _ => None,
            },
        }
    }

    /// The elements; a scalar is one without labels.
    pub fn into_points(self) -> Vec<Point> {
        match self {
            Self::Vector(points) => points,
            Self::Scalar(value) => vec![Point {
                labels: Labels::default(),
                value: SampleValue::Float(value),
            }],
        }
    }
}
