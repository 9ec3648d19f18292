//! Expressions as PromQL, in one form for each.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{Expr, Group, Grouping, MatchOn, Matching};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => Number(*number).fmt(f),
            Self::Select(selector) => selector.fmt(f),
            Self::Over(over, selector, range) => {
                write!(f, "{}({selector}[{}])", over.as_str(), Range(*range))
            }
            Self::Aggregate(how, grouping, inner) => {
                write!(f, "{}{grouping}({inner})", how.as_str())
            }
            Self::Quantile(q, inner) => write!(f, "histogram_quantile({q}, {inner})"),
            Self::Call(function, inner) => write!(f, "{}({inner})", function.as_str()),
            Self::Time => f.write_str("time()"),
            Self::Negate(inner) => write!(f, "-({inner})"),
            Self::Binary(left, op, matching, right) => {
                let op = op.as_str();
                write!(f, "{} {op}{matching} {}", Operand(left), Operand(right))
            }
        }
    }
}

/// Nested combinations stand in parentheses, so that no reader has to know what binds tighter.
struct Operand<'a>(&'a Expr);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Binary(..) | Expr::Negate(_) => write!(f, "({})", self.0),
            Expr::Number(number) if number.is_sign_negative() && !number.is_nan() => {
                write!(f, "({})", self.0)
            }
            _ => self.0.fmt(f),
        }
    }
}

/// Nothing, or ` by (a, b) ` with the blanks around it.
impl Display for Grouping {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(labels) if labels.is_empty() => Ok(()),
            Self::By(labels) => write!(f, " by ({}) ", labels.join(", ")),
            Self::Without(labels) => write!(f, " without ({}) ", labels.join(", ")),
        }
    }
}

/// What stands behind an operator, with a blank before each part.
impl Display for Matching {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.as_bool {
            f.write_str(" bool")?;
        }
        match &self.on {
            Some(MatchOn::On(labels)) => write!(f, " on ({})", labels.join(", "))?,
            Some(MatchOn::Ignoring(labels)) if !labels.is_empty() => {
                write!(f, " ignoring ({})", labels.join(", "))?;
            }
            // Only behind one of both may a group stand.
            _ if self.group.is_some() => f.write_str(" ignoring ()")?,
            _ => {}
        }
        match &self.group {
            None => Ok(()),
            Some(Group::Left(labels)) => write!(f, " group_left ({})", labels.join(", ")),
            Some(Group::Right(labels)) => write!(f, " group_right ({})", labels.join(", ")),
        }
    }
}

/// A value in double quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let escaped = self.0.replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{}\"", escaped.replace('\n', "\\n"))
    }
}

/// A number as PromQL writes it.
struct Number(f64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            nan if nan.is_nan() => f.write_str("NaN"),
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            number => number.fmt(f),
        }
    }
}

/// A duration as PromQL writes it: `1h30m`, `5s`, `250ms`.
pub(crate) struct Range(pub(crate) Duration);

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_millis();
        if left == 0 {
            return f.write_str("0s");
        }
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
