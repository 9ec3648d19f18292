//! Whom a rule speaks of: each process by itself, or all of them together.

use crate::expr::{Expr, Selector, TARGET_LABELS};

/// Whom generated rules speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum RuleScope {
    /// Both, told apart by the label `scope`.
    #[default]
    Both,
    /// Each process by itself.
    Instance,
    /// All processes together.
    Fleet,
}

impl RuleScope {
    pub(super) fn includes(self, scope: Scope) -> bool {
        match self {
            Self::Both => true,
            Self::Instance => scope == Scope::Instance,
            Self::Fleet => scope == Scope::Fleet,
        }
    }
}

/// Whom a rule speaks of; the label `scope` of everything that it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Instance,
    Fleet,
}

impl Scope {
    pub(super) const BOTH: [Self; 2] = [Self::Instance, Self::Fleet];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Fleet => "fleet",
        }
    }

    /// The labels that tell apart whom it speaks of.
    pub(super) fn labels(self) -> Vec<String> {
        let labels: &[&str] = match self {
            Self::Instance => &TARGET_LABELS,
            Self::Fleet => &[],
        };
        labels.iter().map(|&label| label.to_owned()).collect()
    }
}

/// The same of one job only, and of the alerts of one scope only: other services and the other scope may have the same names.
pub(super) fn narrowed(expr: &Expr, job: &str, scope: Scope) -> Expr {
    let of = |selector: &Selector| {
        let mut narrow = selector.clone();
        if !selector
            .matchers()
            .iter()
            .any(|known| known.label() == "job")
        {
            narrow = narrow.label("job", job);
        }
        match selector.name() {
            "ALERTS" | "ALERTS_FOR_STATE" => narrow.label("scope", scope.as_str()),
            _ => narrow,
        }
    };
    each_selector(expr, &of)
}

/// The same of other series.
pub(in crate::generate) fn each_selector(expr: &Expr, of: &impl Fn(&Selector) -> Selector) -> Expr {
    let each = |inner: &Expr| Box::new(each_selector(inner, of));
    match expr {
        Expr::Number(_) | Expr::Time => expr.clone(),
        Expr::Select(selector) => Expr::Select(of(selector)),
        Expr::Over(over, selector, range) => Expr::Over(*over, of(selector), *range),
        Expr::Aggregate(how, grouping, inner) => {
            Expr::Aggregate(*how, grouping.clone(), each(inner))
        }
        Expr::Quantile(q, inner) => Expr::Quantile(each(q), each(inner)),
        Expr::Call(function, inner) => Expr::Call(*function, each(inner)),
        Expr::Negate(inner) => Expr::Negate(each(inner)),
        Expr::Binary(left, op, matching, right) => {
            Expr::Binary(each(left), *op, matching.clone(), each(right))
        }
    }
}
