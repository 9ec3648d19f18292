//! From what is declared to what is shown; everything that is wrong is said, each by its place.

use super::layout::{COLUMNS, Place};
use super::source::{self, Source};
use super::{DashboardBuilder, Panel, PanelKind, Query, Shown, promql, threshold, unit};
use crate::budget::Budget;
use crate::config::Problem;
use crate::generate::Declaration;
use crate::slo::Slo;

/// What dashboards may speak of.
#[derive(Debug, Clone, Copy)]
pub(in crate::generate) struct Promises<'a> {
    pub(in crate::generate) budgets: &'a [Budget],
    pub(in crate::generate) slos: &'a [Slo],
}

impl<'a> Promises<'a> {
    pub(super) fn of(declaration: &'a Declaration) -> Self {
        Self {
            budgets: &declaration.budgets,
            slos: &declaration.slos,
        }
    }

    fn budget(&self, name: &str) -> Result<&'a Budget, String> {
        let found = self.budgets.iter().find(|budget| budget.name == name);
        let known = self.budgets.iter().map(|budget| &*budget.name);
        found.ok_or_else(|| unknown(name, "budget", known))
    }

    fn slo(&self, name: &str) -> Result<&'a Slo, String> {
        let found = self.slos.iter().find(|slo| slo.name == name);
        let known = self.slos.iter().map(|slo| &*slo.name);
        found.ok_or_else(|| unknown(name, "slo", known))
    }
}

fn unknown<'a>(name: &str, kind: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match known.is_empty() {
        true => format!("{name:?} is not declared: there is no {kind}, write [[{kind}]]"),
        false => format!(
            "{name:?} is not declared: choose one of {}",
            known.join(", ")
        ),
    }
}

/// The longest uid that Grafana takes.
const MAX_UID: usize = 40;

/// What is wrong with the dashboard itself.
pub(super) fn head(dashboard: &DashboardBuilder, problems: &mut Vec<Problem>) {
    let uid = &dashboard.uid;
    let mut report = |field: &str, message: String| {
        problems.push(Problem::new(format!("dashboard {uid:?}: {field}"), message));
    };
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if uid.is_empty() || uid.len() > MAX_UID || !uid.chars().all(is_plain) {
        let message = format!("is no uid: write 1 to {MAX_UID} letters, digits, - and _");
        report("uid", message);
    }
    if dashboard.title.is_empty() {
        report("title", "is missing: say what people shall call it".into());
    }
    if dashboard.range.is_zero() {
        report("range", "is 0: say how far it shall look back".into());
    }
    if dashboard.rows.iter().all(|row| row.1.is_empty()) {
        report("row", "is missing: a dashboard has panels".into());
    }
}

/// A panel with its queries, thresholds and unit.
pub(super) fn panel(
    panel: Panel,
    dashboard: &str,
    id: u32,
    place: Place,
    promises: &Promises<'_>,
    problems: &mut Vec<Problem>,
) -> Shown {
    let at = panel.at(dashboard);
    let mut report = |field: &str, message: String| {
        problems.push(Problem::new(format!("{at}{field}"), message));
    };
    form(&panel, &mut report);
    let mut source = source(&panel, promises, &mut report);
    for query in &mut source.queries {
        match promql::narrowed(&query.expr) {
            Ok(expr) => query.expr = expr,
            Err(message) => report("queries", message),
        }
    }
    let is_text = panel.kind == PanelKind::Text;
    match source.queries.is_empty() {
        true if !is_text && names_nothing(&panel) => {
            report(
                "queries",
                "is missing: write queries, family, budget or slo".into(),
            );
        }
        false if is_text => report(
            "queries",
            "stands in a text, which asks nothing: choose another kind".into(),
        ),
        _ => {}
    }
    let description = match panel.description.is_empty() {
        true => source.description,
        false => panel.description.clone(),
    };
    if description.is_empty() && !is_text {
        report(
            "description",
            "is missing: say what is shown and how to read it".into(),
        );
    }
    let unit = panel.unit.as_deref().or(source.unit);
    if unit.is_none() && !is_text && panel.states.is_empty() {
        report(
            "unit",
            format!("is missing: choose one of {}", unit::known()),
        );
    }
    Shown {
        id,
        kind: panel.kind,
        unit: unit.unwrap_or("none").to_owned(),
        title: panel.title,
        description,
        queries: source.queries,
        steps: source.steps,
        states: panel.states,
        range: panel.range,
        decimals: panel.decimals,
        content: panel.content,
        link: panel.link,
        place,
    }
}

/// Whether a panel without queries asked for none; otherwise what went wrong was said already.
fn names_nothing(panel: &Panel) -> bool {
    panel.budgets.is_empty() && panel.slo.is_none() && panel.quantiles.is_none()
}

/// What is wrong with a panel whatever there is to show.
fn form(panel: &Panel, report: &mut impl FnMut(&str, String)) {
    if panel.title.is_empty() {
        report("title", "is missing: say what is shown".into());
    }
    if let Some(unit) = panel.unit.as_deref().filter(|unit| !unit::is_known(unit)) {
        report(
            "unit",
            format!(
                "{unit:?} is not one of Grafana's that are known here: choose one of {}",
                unit::known()
            ),
        );
    }
    if panel
        .size
        .0
        .is_some_and(|width| !(1..=COLUMNS).contains(&width))
    {
        report("width", format!("is not between 1 and {COLUMNS} columns"));
    }
    if panel
        .size
        .1
        .is_some_and(|height| !(1..=64).contains(&height))
    {
        report("height", "is not between 1 and 64 steps".into());
    }
    if panel.kind == PanelKind::Text && panel.content.is_empty() {
        report("text", "is missing: write what it says".into());
    }
    let Some(quantiles) = &panel.quantiles else {
        return;
    };
    if quantiles.family.is_empty() {
        report(
            "family",
            "is missing: name the histogram, without _bucket".into(),
        );
    }
    if quantiles.quantiles.is_empty() {
        report(
            "quantiles",
            "is missing: write quantiles = [0.5, 0.95, 0.99]".into(),
        );
    }
    for q in quantiles
        .quantiles
        .iter()
        .filter(|q| !(0.0..=1.0).contains(*q))
    {
        report(
            "quantiles",
            format!("{q} is not between 0 and 1: write 0.95 for p95"),
        );
    }
}

/// What the panel asks, by what it names.
fn source(panel: &Panel, promises: &Promises<'_>, report: &mut impl FnMut(&str, String)) -> Source {
    let mut source = Source {
        steps: match panel.of_error_budgets {
            true => threshold::remaining(),
            false => threshold::none(),
        },
        ..Source::default()
    };
    let written = panel.queries.iter();
    source.queries = written
        .map(|(expr, legend)| Query {
            expr: expr.clone(),
            legend: legend.clone(),
        })
        .collect();
    match source::of_histogram(panel) {
        Ok((queries, unit)) => {
            source.queries.extend(queries);
            source.unit = unit;
        }
        Err(message) => report("unit", message),
    }
    if let Some((name, view)) = &panel.slo {
        match promises.slo(name) {
            Ok(slo) => {
                let (unit, steps) = source::slo_limits(slo, *view);
                source.queries.push(source::of_slo(name, &slo.per, *view));
                (source.unit, source.steps) = (Some(unit), steps);
            }
            Err(message) => report("slo", message),
        }
    }
    let mut budgets = Vec::new();
    for name in &panel.budgets {
        match promises.budget(name) {
            Ok(budget) => budgets.push(budget),
            Err(message) => report("budget", message),
        }
    }
    of_budgets(panel, &budgets, &mut source, report);
    source
}

fn of_budgets(
    panel: &Panel,
    budgets: &[&Budget],
    source: &mut Source,
    report: &mut impl FnMut(&str, String),
) {
    let Some(first) = budgets.first() else {
        return;
    };
    let shown = panel.unit.as_deref().or(source.unit);
    let shown = shown.unwrap_or_else(|| unit::usual(first));
    if !unit::is_known(shown) {
        return;
    }
    match source::steps(budgets, shown) {
        Ok(steps) => source.steps = steps,
        Err(message) => report("budget", message),
    }
    if source.queries.is_empty() {
        let factors = budgets
            .iter()
            .filter_map(|budget| Some((budget, unit::factor(budget, shown)?)));
        let queries = factors.flat_map(|(budget, factor)| source::of_budget(budget, factor));
        source.queries = queries.collect();
        source.unit = Some(unit::usual(first));
        source.description = source::promises(budgets);
    }
}
