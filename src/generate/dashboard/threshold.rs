//! Colours of values, from the limits of budgets.

use super::unit;
use crate::budget::{Budget, Level};

/// From this value on, this colour; the first one has no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) value: Option<f64>,
    pub(super) color: &'static str,
}

const FINE: &str = "green";

/// A limit, and what is beyond it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) limit: f64,
    pub(super) level: Level,
}

/// The colour of what is beyond a level.
fn color(level: Option<Level>) -> &'static str {
    match level {
        None => FINE,
        Some(Level::Target) => "yellow",
        Some(Level::Warning) => "orange",
        Some(_) => "red",
    }
}

/// The steps of these limits. `floor` says that less is worse.
pub(super) fn steps(edges: &[Edge], floor: bool) -> Vec<Step> {
    let mut values: Vec<f64> = edges.iter().map(|edge| edge.limit).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let worst = |beyond: &dyn Fn(f64) -> bool| {
        let beyond = edges.iter().filter(|edge| beyond(edge.limit));
        color(beyond.map(|edge| edge.level).max())
    };
    let first = Step {
        value: None,
        color: worst(&|_| floor),
    };
    let step = |value: f64| Step {
        value: Some(value),
        color: match floor {
            true => worst(&|limit| limit > value),
            false => worst(&|limit| limit <= value),
        },
    };
    let mut steps = vec![first];
    for step in values.into_iter().map(step) {
        if steps.last().is_none_or(|last| last.color != step.color) {
            steps.push(step);
        }
    }
    steps
}

/// The limits of a budget in a unit so many of which are its own.
pub(super) fn edges(budget: &Budget, factor: f64) -> Vec<Edge> {
    let levels = [Level::Target, Level::Warning, Level::Critical].into_iter();
    let edge = |level| {
        let limit = budget.limit(level).filter(|limit| limit.is_finite())?;
        let limit = unit::convert(limit, factor);
        Some(Edge { limit, level })
    };
    levels.filter_map(edge).collect()
}

/// No limit at all.
pub(super) fn none() -> Vec<Step> {
    steps(&[], false)
}

/// How much of an error budget is left: nothing, a quarter, a half.
pub(super) fn remaining() -> Vec<Step> {
    let edge = |limit, level| Edge { limit, level };
    let edges = [
        edge(0.0, Level::Critical),
        edge(0.25, Level::Warning),
        edge(0.5, Level::Target),
    ];
    steps(&edges, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(steps: &[Step]) -> Vec<(Option<f64>, &str)> {
        steps.iter().map(|step| (step.value, step.color)).collect()
    }

    fn three(limits: [f64; 3]) -> Vec<Edge> {
        let levels = [Level::Target, Level::Warning, Level::Critical];
        let edges = limits.into_iter().zip(levels);
        edges.map(|(limit, level)| Edge { limit, level }).collect()
    }

    #[test]
    fn more_is_worse_below_a_ceiling_and_less_above_a_floor() {
        assert_eq!(
            shown(&steps(&three([1.0, 2.0, 3.0]), false)),
            [
                (None, "green"),
                (Some(1.0), "yellow"),
                (Some(2.0), "orange"),
                (Some(3.0), "red")
            ]
        );
        assert_eq!(
            shown(&steps(&three([3.0, 2.0, 1.0]), true)),
            [
                (None, "red"),
                (Some(1.0), "orange"),
                (Some(2.0), "yellow"),
                (Some(3.0), "green")
            ]
        );
    }

    #[test]
    fn a_milder_limit_never_takes_a_grave_colour_away() {
        let edges = [
            Edge {
                limit: 1.0,
                level: Level::Critical,
            },
            Edge {
                limit: 2.0,
                level: Level::Warning,
            },
        ];
        assert_eq!(
            shown(&steps(&edges, false)),
            [(None, "green"), (Some(1.0), "red")]
        );
        assert_eq!(shown(&none()), [(None, "green")]);
    }
}
