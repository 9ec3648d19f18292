//! Whether a condition holds, does not, or cannot be told: for shares of time.

use crate::expr::{Expr, Function, Matching, Op, Value};

/// A condition whose parts are judged by themselves, because a filter alone cannot tell "does not hold" from "no data".
///
/// It holds if it holds for every element: `device_connected == 1` speaks of all devices.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
    Unless(Box<Self>, Box<Self>),
    Compare {
        left: Expr,
        right: Expr,
        holds: Expr,
    },
    /// `absent(..)`: it is always known.
    Absent(Expr),
    /// A state: 0 does not hold, any other number does.
    State(Expr),
}

impl Condition {
    pub(crate) fn new(condition: &Expr) -> Self {
        let new = |part: &Expr| Box::new(Self::new(part));
        match condition {
            Expr::Binary(left, Op::And, _, right) => Self::All(new(left), new(right)),
            Expr::Binary(left, Op::Or, _, right) => Self::Any(new(left), new(right)),
            Expr::Binary(left, Op::Unless, _, right) => Self::Unless(new(left), new(right)),
            Expr::Binary(left, op, matching, right) if op.is_comparison() => Self::Compare {
                left: (**left).clone(),
                right: (**right).clone(),
                holds: in_numbers(left, *op, matching, right),
            },
            Expr::Call(Function::Absent, _) => Self::Absent(condition.clone()),
            state => Self::State(state.clone()),
        }
    }

    /// Everything that is to be sampled for it.
    pub(crate) fn exprs<'a>(&'a self, see: &mut Vec<&'a Expr>) {
        match self {
            Self::All(left, right) | Self::Any(left, right) | Self::Unless(left, right) => {
                left.exprs(see);
                right.exprs(see);
            }
            Self::Compare { holds, .. } => see.push(holds),
            Self::Absent(expr) | Self::State(expr) => see.push(expr),
        }
    }

    /// `None` if it cannot be told, for want of data.
    pub(crate) fn holds(&self, eval: &impl Fn(&Expr) -> Option<Value>) -> Option<bool> {
        match self {
            Self::All(left, right) => match (left.holds(eval), right.holds(eval)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => left.zip(right).map(|_| true),
            },
            Self::Any(left, right) => match (left.holds(eval), right.holds(eval)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => left.zip(right).map(|_| false),
            },
            Self::Unless(left, right) => match (left.holds(eval), right.holds(eval)) {
                (Some(false), _) | (_, Some(true)) => Some(false),
                (left, right) => left.zip(right).map(|_| true),
            },
            Self::Compare { left, right, holds } => {
                numbers(eval(left)?)?;
                numbers(eval(right)?)?;
                all_hold(eval(holds)?)
            }
            Self::Absent(expr) => Some(!eval(expr)?.is_empty()),
            Self::State(expr) => all_hold(eval(expr)?),
        }
    }
}

/// The comparison with 1 where it holds and 0 where it does not.
fn in_numbers(left: &Expr, op: Op, matching: &Matching, right: &Expr) -> Expr {
    let matching = matching.clone().as_bool();
    left.clone().binary_on(op, matching, right.clone())
}

/// All the numbers, if there are any and each is one.
fn numbers(value: Value) -> Option<Vec<f64>> {
    let points = value.into_points().into_iter();
    let number = |value: f64| (!value.is_nan()).then_some(value);
    let numbers: Option<Vec<f64>> = points
        .map(|point| point.value.as_float().and_then(number))
        .collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

fn all_hold(value: Value) -> Option<bool> {
    Some(numbers(value)?.iter().all(|&number| number != 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::{Labels, Samples, Selector, eval};

    const NOW: i64 = 60_000;

    fn state(name: &str) -> Expr {
        Expr::select(Selector::new(name))
    }

    fn samples(values: &[(&str, &str, f64)]) -> Samples {
        let mut samples = Samples::new();
        for &(name, device, value) in values {
            let labels = Labels::new([("__name__", name), ("device", device)]);
            samples.insert(&labels, NOW, value);
        }
        samples
    }

    fn holds(condition: Expr, values: &[(&str, &str, f64)]) -> Option<bool> {
        let samples = samples(values);
        Condition::new(&condition).holds(&|expr| eval(expr, &samples, NOW).ok())
    }

    #[test]
    fn a_state_holds_if_it_holds_for_all() {
        let up = || state("up");
        assert_eq!(
            holds(up(), &[("up", "a", 1.0), ("up", "b", 1.0)]),
            Some(true)
        );
        assert_eq!(
            holds(up(), &[("up", "a", 1.0), ("up", "b", 0.0)]),
            Some(false)
        );
        assert_eq!(holds(up(), &[]), None, "no data is neither");
        assert_eq!(holds(up(), &[("up", "a", f64::NAN)]), None);
    }

    #[test]
    fn a_filter_that_lets_some_through_does_not_hold() {
        let is_up = || state("up").binary(Op::Equal, Expr::Number(1.0));
        assert_eq!(
            holds(is_up(), &[("up", "a", 1.0), ("up", "b", 0.0)]),
            Some(false)
        );
        assert_eq!(holds(is_up(), &[("up", "a", 1.0)]), Some(true));
        assert_eq!(holds(is_up(), &[]), None);
        let ratio = || (state("bad") / state("valid")).less(0.01);
        assert_eq!(
            holds(ratio(), &[("bad", "", 0.0), ("valid", "", 0.0)]),
            None,
            "0 ÷ 0"
        );
        let below = || state("left").binary(Op::Less, state("right"));
        assert_eq!(
            holds(below(), &[("left", "", 1.0), ("right", "", f64::NAN)]),
            None
        );
        assert_eq!(
            holds(ratio(), &[("bad", "", 0.0), ("valid", "", 9.0)]),
            Some(true)
        );
    }

    #[test]
    fn what_decides_alone_decides_without_the_rest() {
        let (yes, no) = (("yes", "", 1.0), ("no", "", 0.0));
        let values = &[yes, no];
        let both = |left: &str, right: &str| holds(state(left).and(state(right)), values);
        let either = |left: &str, right: &str| holds(state(left).or(state(right)), values);
        let unless = |left: &str, right: &str| holds(state(left).unless(state(right)), values);
        assert_eq!(
            (both("yes", "yes"), both("yes", "no")),
            (Some(true), Some(false))
        );
        assert_eq!(
            (both("none", "no"), both("none", "yes")),
            (Some(false), None)
        );
        assert_eq!(
            (either("no", "no"), either("no", "yes")),
            (Some(false), Some(true))
        );
        assert_eq!(
            (either("none", "yes"), either("none", "no")),
            (Some(true), None)
        );
        assert_eq!(
            (unless("yes", "no"), unless("yes", "yes")),
            (Some(true), Some(false))
        );
        assert_eq!(
            (unless("yes", "none"), unless("no", "none")),
            (None, Some(false))
        );
    }

    #[test]
    fn absence_is_always_known() {
        assert_eq!(holds(state("up").absent(), &[]), Some(true));
        assert_eq!(holds(state("up").absent(), &[("up", "", 0.0)]), Some(false));
    }
}
