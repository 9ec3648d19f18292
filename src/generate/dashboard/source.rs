//! What panels ask on behalf of budgets, SLOs and histograms.

use super::threshold::{self, Edge, Step};
use super::unit::{self, Dimension};
use super::{Panel, Query, SloView, promql};
use crate::budget::{BAND, Budget, Level, Sli};
use crate::expr::{Aggregation, Expr, Grouping, Selector};
use crate::slo::{Severity, Slo, window_name};

/// What comes of a panel's declaration, still without a place.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) queries: Vec<Query>,
    pub(super) steps: Vec<Step>,
    pub(super) unit: Option<&'static str>,
    pub(super) description: String,
}

/// The gauges that this process shows of its promises.
const VALUE: &str = "plimsoll_budget_value";
const REMAINING: &str = "plimsoll_slo_error_budget_remaining";
const BURN_RATE: &str = "plimsoll_slo_burn_rate";
const OBJECTIVE: &str = "plimsoll_slo_objective";

/// The value of a budget in a unit so many of which are its own: its own expression over its own window. A quantile is that
/// of the process, of several the worst: counters know one threshold only.
pub(super) fn of_budget(budget: &Budget, factor: f64) -> Vec<Query> {
    let level = budget.levels().find(|level| *level != Level::Absent);
    let level = level.unwrap_or(Level::Target);
    let of = |family: &str| Expr::select(Selector::new(family).label("budget", budget.name()));
    let by = |labels: &[String]| Grouping::by(labels);
    let value = match budget.sli {
        Sli::Quantile(..) => {
            let gauge = Selector::new(VALUE)
                .label("budget", budget.name())
                .label("level", level.as_str());
            Expr::select(gauge).aggregate(Aggregation::Max, by(&budget.per))
        }
        _ => budget.value_of_parts(level),
    };
    let mut queries = vec![Query {
        expr: scaled(value.to_string(), factor),
        legend: named(budget.name(), &budget.per),
    }];
    if budget.dynamic.is_some() {
        let mut parts = budget.per.clone();
        parts.push("level".to_owned());
        let band = of(BAND).aggregate(Aggregation::Max, by(&parts));
        queries.push(Query {
            expr: scaled(band.to_string(), factor),
            legend: named("band", &parts),
        });
    }
    queries
}

fn scaled(expr: String, factor: f64) -> String {
    match factor {
        1.0 => expr,
        factor => format!("{factor} * ({expr})"),
    }
}

/// A name, and the values of labels behind it. Grafana has no way to write two braces that name no label.
fn named(name: &str, labels: &[String]) -> String {
    let labels = labels.iter().map(|label| format!(" {{{{{label}}}}}"));
    labels.fold(name.replace("{{", "{ {"), |name, label| name + &label)
}

/// The thresholds of several budgets in one unit.
pub(super) fn steps(budgets: &[&Budget], unit: &str) -> Result<Vec<Step>, String> {
    let mut edges: Vec<Edge> = Vec::new();
    let mut floor = None;
    for budget in budgets {
        let Some(factor) = unit::factor(budget, unit) else {
            let (name, own) = (budget.name(), unit::usual(budget));
            return Err(format!(
                "{unit:?} does not fit budget {name:?}, whose limits are in {own}"
            ));
        };
        let own = threshold::edges(budget, factor);
        if own.is_empty() {
            continue;
        }
        if floor
            .replace(budget.floor)
            .is_some_and(|known| known != budget.floor)
        {
            let name = budget.name();
            return Err(format!(
                "cannot show budget {name:?}: its limits point in the other direction"
            ));
        }
        edges.extend(own);
    }
    Ok(threshold::steps(&edges, floor.unwrap_or_default()))
}

/// What a view of an SLO asks; `matcher` is its name, or the dashboard's variable.
pub(super) fn of_slo(name: &str, per: &[String], view: SloView) -> Query {
    let of = |family: &str| Expr::select(Selector::new(family).label("slo", name));
    let by = Grouping::by(per);
    let (expr, legend) = match view {
        SloView::Remaining => (
            of(REMAINING).aggregate(Aggregation::Min, by),
            named("left", per),
        ),
        SloView::BurnRate => {
            let windows: Vec<String> = per.iter().cloned().chain(["window".to_owned()]).collect();
            let burning = of(BURN_RATE).aggregate(Aggregation::Max, Grouping::by(&windows));
            (burning, named("", &windows).trim_start().to_owned())
        }
        SloView::Sli => {
            // The very share of the period: what is left of the error budget, taken back to where it came from.
            let one = || Expr::Number(1.0);
            let bad = (one() - of(REMAINING)) * (one() - of(OBJECTIVE));
            (
                (one() - bad).aggregate(Aggregation::Min, by),
                named("good", per),
            )
        }
    };
    Query {
        expr: expr.to_string(),
        legend,
    }
}

/// The unit and the thresholds of a view of an SLO.
pub(super) fn slo_limits(slo: &Slo, view: SloView) -> (&'static str, Vec<Step>) {
    match view {
        SloView::Remaining => ("percentunit", threshold::remaining()),
        SloView::Sli => {
            let limit = slo.objective.unwrap_or(1.0);
            let level = Level::Critical;
            (
                "percentunit",
                threshold::steps(&[Edge { limit, level }], true),
            )
        }
        SloView::BurnRate => {
            let edge = |burn: crate::slo::BurnAlert| Edge {
                limit: burn.factor(slo.period),
                level: match burn.severity {
                    Severity::Page => Level::Critical,
                    _ => Level::Warning,
                },
            };
            let edges: Vec<Edge> = slo.burns().into_iter().map(edge).collect();
            ("none", threshold::steps(&edges, false))
        }
    }
}

/// The quantiles of a histogram, in a unit if one is asked for.
pub(super) fn of_histogram(panel: &Panel) -> Result<(Vec<Query>, Option<&'static str>), String> {
    let Some(of) = &panel.quantiles else {
        return Ok((Vec::new(), None));
    };
    let own = unit::of_family(&of.family);
    let factor = match (panel.unit.as_deref(), own) {
        (Some(shown), Some(own @ ("s" | "ms"))) => {
            let per_second = |unit| unit::of(Dimension::Time, unit);
            let (shown_as, counted) = (per_second(shown), per_second(own));
            let factor = shown_as.zip(counted).map(|(shown, own)| shown / own);
            factor.ok_or_else(|| {
                format!("{shown:?} does not fit {:?}, which is in {own}", of.family)
            })?
        }
        _ => 1.0,
    };
    let query = |q: &f64| Query {
        expr: scaled(promql::quantile(*q, &of.family, &of.by, &of.labels), factor),
        legend: named(&percentile(*q), &of.by),
    };
    Ok((of.quantiles.iter().map(query).collect(), own))
}

/// `p99.9` for 0.999.
fn percentile(q: f64) -> String {
    format!("p{}", crate::budget::tidy(q * 100.0))
}

/// What is promised, for those who look at the panel.
pub(super) fn promises(budgets: &[&Budget]) -> String {
    let lines: Vec<String> = budgets.iter().map(|budget| promise(budget)).collect();
    lines.join("\n")
}

fn promise(budget: &Budget) -> String {
    let beyond = if budget.floor { "below" } else { "above" };
    let level = |level: Level| {
        let unit = budget.unit();
        let space = if unit.is_empty() { "" } else { " " };
        let limit = match budget.limit(level) {
            Some(limit) => format!("{beyond} {limit}{space}{unit}"),
            None if level == Level::Absent => "without data".to_owned(),
            None => "beyond what is usual at this time".to_owned(),
        };
        match budget.patience(level).0 {
            lasts if lasts.is_zero() => format!("{level} {limit}"),
            lasts => format!("{level} {limit} for {}", window_name(lasts)),
        }
    };
    let levels: Vec<String> = budget.levels().map(level).collect();
    let over = window_name(budget.over);
    format!("{} over {over}: {}.", budget.name(), levels.join(", "))
}
