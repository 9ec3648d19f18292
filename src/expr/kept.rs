//! The same value for each of several processes by itself.

use super::{Expr, Function, Grouping, MatchOn, Matching, Op, ValueType};

impl Expr {
    /// The same, kept apart by labels that every series has; `None` where that cannot be told, as of what is absent.
    pub(crate) fn kept_by(&self, labels: &[String]) -> Option<Self> {
        let kept = |expr: &Self| expr.kept_by(labels).map(Box::new);
        Some(match self {
            Self::Number(_) | Self::Time => return None,
            Self::Call(Function::Absent | Function::Vector | Function::Scalar, _) => return None,
            Self::Select(_) | Self::Over(..) => self.clone(),
            Self::Aggregate(how, grouping, inner) => {
                Self::Aggregate(*how, grouping.keeping(labels), kept(inner)?)
            }
            Self::Quantile(q, inner) => Self::Quantile(q.clone(), kept(inner)?),
            Self::Call(function, inner) => Self::Call(*function, kept(inner)?),
            Self::Negate(inner) => Self::Negate(kept(inner)?),
            Self::Binary(left, op, matching, right) => match (kept(left), kept(right)) {
                (Some(left), Some(right)) => {
                    Self::Binary(left, *op, matching.keeping(labels), right)
                }
                (Some(left), None) if right.is_scalar() || is_apart(*op, matching) => {
                    Self::Binary(left, *op, matching.clone(), right.clone())
                }
                (None, Some(right)) if left.is_scalar() => {
                    Self::Binary(left.clone(), *op, matching.clone(), right)
                }
                _ => return None,
            },
        })
    }

    fn is_scalar(&self) -> bool {
        self.check() == Ok(ValueType::Scalar)
    }
}

/// Whether the right side only decides over the left one, by labels that have nothing to do with instances.
fn is_apart(op: Op, matching: &Matching) -> bool {
    matches!(op, Op::And | Op::Unless) && matches!(matching.on, Some(MatchOn::On(_)))
}

impl Grouping {
    fn keeping(&self, labels: &[String]) -> Self {
        match self {
            Self::By(by) => Self::By(with(labels, by)),
            Self::Without(dropped) => {
                let dropped = dropped.iter().filter(|label| !labels.contains(label));
                Self::Without(dropped.cloned().collect())
            }
        }
    }
}

impl Matching {
    fn keeping(&self, labels: &[String]) -> Self {
        let on = self.on.as_ref().map(|on| match on {
            MatchOn::On(by) => MatchOn::On(with(labels, by)),
            MatchOn::Ignoring(dropped) => {
                let dropped = dropped.iter().filter(|label| !labels.contains(label));
                MatchOn::Ignoring(dropped.cloned().collect())
            }
        });
        Self { on, ..self.clone() }
    }
}

/// These labels, and the others.
fn with(labels: &[String], others: &[String]) -> Vec<String> {
    let others = others.iter().filter(|label| !labels.contains(label));
    labels.iter().chain(others).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::expr::{Offset, Selector};

    fn kept(expr: &Expr) -> Option<String> {
        let kept = expr.kept_by(&["job".to_owned(), "instance".to_owned()])?;
        Some(kept.to_string())
    }

    fn rate(name: &str) -> Expr {
        Expr::rate(Selector::new(name), Duration::from_secs(60))
    }

    #[test]
    fn sums_keep_the_labels() {
        let ratio = rate("bad").sum() / rate("valid").sum_by(["route"]);
        let expected = "sum by (job, instance) (rate(bad[1m])) / sum by (job, instance, route) (rate(valid[1m]))";
        assert_eq!(kept(&ratio).as_deref(), Some(expected));
        let limited = ratio.greater(0.1);
        assert_eq!(kept(&limited), Some(format!("({expected}) > 0.1")));
        let matched = rate("a").binary_on(Op::And, Matching::on(["route", "job"]), rate("b"));
        assert_eq!(
            kept(&matched).as_deref(),
            Some("rate(a[1m]) and on (job, instance, route) rate(b[1m])"),
        );
        let depth = Expr::select(Selector::new("depth"));
        let apart = depth.aggregate(
            crate::expr::Aggregation::Max,
            Grouping::without(["instance", "queue"]),
        );
        assert_eq!(kept(&apart).as_deref(), Some("max without (queue) (depth)"));
    }

    #[test]
    fn what_belongs_to_no_instance_decides_over_all() {
        let at_night = Expr::hour(Offset::UTC).less(6.0);
        assert_eq!(kept(&at_night), None);
        assert_eq!(kept(&rate("a").sum().absent()), None);
        let kept = kept(&rate("a").sum().while_any(at_night)).expect("a rate");
        assert!(
            kept.starts_with("sum by (job, instance) (rate(a[1m])) and on () (hour("),
            "{kept}"
        );
        let filled = rate("a").or(Expr::Number(0.0).call(Function::Vector));
        assert_eq!(filled.kept_by(&["job".to_owned()]), None);
    }
}
