//! Whether an expression is well-formed, before anything is evaluated.

use std::time::Duration;

use super::eval::{NOT_A_SCALAR, NOT_A_VECTOR, SET_OF_SCALARS};
use super::labels::NAME;
use super::{EvalError, Expr, Function, Group, Grouping, MatchOn, Matching, Op, Selector};

/// What an expression evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// One number without labels.
    Scalar,
    /// Any number of elements.
    Vector,
}

/// The longest range that Prometheus can count in nanoseconds, in whole days.
const LONGEST: Duration = Duration::from_secs(106_751 * 86_400);

impl Expr {
    /// What it evaluates to, if Prometheus would accept it.
    ///
    /// # Errors
    ///
    /// [`EvalError`] names the part that is ill-formed and how to mend it: a vector where a number is needed or the other
    /// way round, numbers that are compared without `bool`, `and` of numbers, a group on `and`, a range of nothing, a name
    /// that PromQL cannot write.
    pub fn check(&self) -> Result<ValueType, EvalError> {
        match self {
            Self::Number(_) | Self::Time => Ok(ValueType::Scalar),
            Self::Select(selector) => self.selector(selector),
            Self::Over(_, selector, range) => {
                self.range(*range)?;
                self.selector(selector)
            }
            Self::Aggregate(_, grouping, inner) => {
                let (Grouping::By(labels) | Grouping::Without(labels)) = grouping;
                self.labels(labels)?;
                inner.vector()
            }
            Self::Quantile(q, inner) => {
                q.scalar()?;
                inner.vector()
            }
            Self::Call(Function::Vector, inner) => inner.scalar().map(|()| ValueType::Vector),
            Self::Call(Function::Scalar, inner) => inner.vector().map(|_| ValueType::Scalar),
            Self::Call(_, inner) => inner.vector(),
            Self::Negate(inner) => inner.check(),
            Self::Binary(left, op, matching, right) => {
                self.binary_type(left.check()?, *op, matching, right.check()?)
            }
        }
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, EvalError> {
        Err(EvalError::of(self, message))
    }

    fn scalar(&self) -> Result<(), EvalError> {
        match self.check()? {
            ValueType::Scalar => Ok(()),
            ValueType::Vector => self.refuse(NOT_A_SCALAR),
        }
    }

    fn vector(&self) -> Result<ValueType, EvalError> {
        match self.check()? {
            ValueType::Vector => Ok(ValueType::Vector),
            ValueType::Scalar => self.refuse(NOT_A_VECTOR),
        }
    }

    fn selector(&self, selector: &Selector) -> Result<ValueType, EvalError> {
        let name = selector.name();
        if !is_name(name, true) {
            return self.refuse(format!(
                "{name:?} is no name of a family: write letters, digits, _ and :"
            ));
        }
        for matcher in selector.matchers() {
            let label = matcher.label();
            if label == NAME {
                return self.refuse("names the family a second time: leave __name__ out");
            }
            self.labels(&[label])?;
        }
        Ok(ValueType::Vector)
    }

    fn labels<L: AsRef<str>>(&self, labels: &[L]) -> Result<(), EvalError> {
        match labels
            .iter()
            .map(AsRef::as_ref)
            .find(|label| !is_name(label, false))
        {
            None => Ok(()),
            Some(label) => self.refuse(format!(
                "{label:?} is no name of a label: write letters, digits and _"
            )),
        }
    }

    fn range(&self, range: Duration) -> Result<(), EvalError> {
        if range.is_zero() {
            return self.refuse("reads a range of nothing: give one of at least 1ms");
        }
        if !range.subsec_nanos().is_multiple_of(1_000_000) {
            return self.refuse(format!("range {range:?} must be whole milliseconds"));
        }
        match range > LONGEST {
            true => self.refuse("reads a range longer than 106751d: give a shorter one"),
            false => Ok(()),
        }
    }

    fn binary_type(
        &self,
        left: ValueType,
        op: Op,
        matching: &Matching,
        right: ValueType,
    ) -> Result<ValueType, EvalError> {
        let scalars = [left, right].map(|side| side == ValueType::Scalar);
        if matching.as_bool && !op.is_comparison() {
            return self.refuse("bool stands behind a comparison only: leave it out");
        }
        if op.is_set() && (scalars[0] || scalars[1]) {
            return self.refuse(SET_OF_SCALARS);
        }
        if scalars == [true, true] && op.is_comparison() && !matching.as_bool {
            return self.refuse("compares two numbers: write bool behind the operator");
        }
        if (matching.on.is_some() || matching.group.is_some()) && (scalars[0] || scalars[1]) {
            return self.refuse("matches labels of a number: leave on, ignoring and group out");
        }
        self.matching(op, matching)?;
        Ok(match scalars {
            [true, true] => ValueType::Scalar,
            _ => ValueType::Vector,
        })
    }

    fn matching(&self, op: Op, matching: &Matching) -> Result<(), EvalError> {
        if let Some(MatchOn::On(labels) | MatchOn::Ignoring(labels)) = &matching.on {
            self.labels(labels)?;
        }
        let Some(Group::Left(copied) | Group::Right(copied)) = &matching.group else {
            return Ok(());
        };
        self.labels(copied)?;
        if op.is_set() {
            return self
                .refuse("and, or and unless know no group: leave group_left and group_right out");
        }
        match &matching.on {
            None => {
                self.refuse("groups without on or ignoring: write ignoring () before the group")
            }
            Some(MatchOn::On(labels)) => match copied.iter().find(|label| labels.contains(label)) {
                Some(label) => self.refuse(format!(
                    "matches by {label} and copies it: leave it out of the group"
                )),
                None => Ok(()),
            },
            Some(MatchOn::Ignoring(_)) => Ok(()),
        }
    }
}

fn is_name(name: &str, family: bool) -> bool {
    let legal = |at: usize, byte: u8| {
        byte.is_ascii_alphabetic()
            || byte == b'_'
            || (family && byte == b':')
            || (at > 0 && byte.is_ascii_digit())
    };
    let mut bytes = name.bytes().enumerate();
    !name.is_empty() && bytes.all(|(at, byte)| legal(at, byte))
}

#[cfg(test)]
mod tests;
