//! Budgets from TOML, in the words that Rust has for them.

mod dynamic;
mod kpi;
mod schedule;
mod tree;

pub(super) use kpi::kpi;
pub(super) use tree::tree;

use toml::Table;

use super::fields::Fields;
use super::subject::{select, selector};
use super::{Adjustment, Problem, Settings, rules};
use crate::budget::{Budget, Level};
use crate::expr::{Aggregation, Expr, Grouping, Selector};

/// What a budget is about, as far as it is said.
struct About {
    on: Option<String>,
    labels: Vec<(String, String)>,
    sli: Option<String>,
    quantile: Option<f64>,
    per: Vec<String>,
    gauge: Option<String>,
    aggregation: Option<String>,
    hits: Option<String>,
    misses: Option<String>,
    part: Option<String>,
    whole: Option<String>,
    condition: Option<String>,
}

/// Reads a budget: a new one, or a change to one that the code declares.
pub(super) fn budget(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("budget", table, problems);
    let about = About::read(&mut fields);
    let (at_most, at_least) = (fields.limit("at_most"), fields.limit("at_least"));
    let higher = fields.boolean("higher_is_better");
    if at_most.is_some() && at_least.is_some() {
        fields.report("at_least", "stands beside at_most: keep one of the two");
    }
    let target = at_most.or(at_least).map(|limit| (Level::Target, limit));
    let warning = fields.limit("warning").map(|limit| (Level::Warning, limit));
    let critical = fields.limit("critical");
    let critical = critical.map(|limit| (Level::Critical, limit));
    let adjustment = Adjustment {
        limits: [target, warning, critical].into_iter().flatten().collect(),
        budget: name.clone(),
        ..options(&mut fields)
    };
    let adjusts = about.is_nothing();
    if about.condition.is_some() && target.is_some() {
        fields.report("condition", "stands beside a limit: it has one itself");
    }
    let declared = about.declare(&mut fields, &name);
    fields.finish();
    match declared {
        Some(mut budget) => {
            let floor = at_least.is_some() || (at_most.is_none() && budget.floor);
            budget.floor = higher.unwrap_or(floor);
            adjustment.apply(&mut budget);
            settings.budgets.push(budget);
        }
        None if adjusts && !name.is_empty() => settings.adjustments.push(adjustment),
        None => {}
    }
}

/// How it is judged, whatever it is about and whatever its limits are.
fn options(fields: &mut Fields<'_>) -> Adjustment {
    Adjustment {
        over: fields.duration("over"),
        sustained: fields.duration("for"),
        keep_firing: fields.duration("keep_firing_for"),
        min_events: fields.integer("min_events"),
        min_bad: fields.integer("min_bad"),
        confidence: fields.number("confidence"),
        absent_after: fields.duration("absent_after"),
        schedule: schedule::read(fields),
        dynamic: dynamic::read(fields),
        warm_up: fields.duration("warm_up"),
        when: when(fields),
        ..Adjustment::default()
    }
}

/// While which condition it is judged.
fn when(fields: &mut Fields<'_>) -> Option<Expr> {
    let condition = fields.string("when")?;
    let parsed = rules::expr(&condition);
    parsed
        .map_err(|message| fields.report("when", message))
        .ok()
}

impl About {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            on: fields.string("on"),
            labels: fields.strings("labels"),
            sli: fields.string("sli"),
            quantile: fields.number("quantile"),
            per: fields.words("per"),
            gauge: fields.string("gauge"),
            aggregation: fields.string("aggregation"),
            hits: fields.string("hits"),
            misses: fields.string("misses"),
            part: fields.string("part"),
            whole: fields.string("whole"),
            condition: fields.string("condition"),
        }
    }

    /// Whether it leaves that to the code.
    fn is_nothing(&self) -> bool {
        self.subjects().iter().all(|field| field.is_none())
    }

    /// What it may be about: one of them.
    fn subjects(&self) -> [&Option<String>; 5] {
        let condition = &self.condition;
        [&self.on, &self.gauge, &self.hits, &self.part, condition]
    }

    /// A new budget, still without its limits, but for one that a condition has.
    fn declare(self, fields: &mut Fields<'_>, name: &str) -> Option<Budget> {
        if self.is_nothing() {
            self.report_orphans(fields);
            return None;
        }
        if self
            .subjects()
            .iter()
            .filter(|field| field.is_some())
            .count()
            > 1
        {
            fields.report(
                "on",
                "is one of several: keep one of on, gauge, hits, part and condition",
            );
            return None;
        }
        if self.aggregation.is_some()
            && (self.gauge.is_none() || self.sli.as_deref() == Some("age"))
        {
            fields.report(
                "aggregation",
                "is only for the value of a gauge: leave it out",
            );
        }
        let mut budget = match (&self.on, &self.condition) {
            (Some(on), _) => self.of_operations(fields, name, on)?,
            (None, Some(condition)) => {
                let budget = rules::budget(name, condition);
                let report = |message| fields.report("condition", message);
                budget.map_err(report).ok()?
            }
            (None, None) => self.of_families(fields, name)?,
        };
        budget.per = self.per;
        Some(budget)
    }

    fn report_orphans(&self, fields: &mut Fields<'_>) {
        for (field, given) in [
            ("sli", self.sli.is_some()),
            ("quantile", self.quantile.is_some()),
            ("per", !self.per.is_empty()),
        ] {
            if given {
                let message = "needs on = \"...\" beside it: it declares a new budget";
                fields.report(field, message);
            }
        }
        for (field, beside, given) in [
            ("misses", "hits", self.misses.is_some()),
            ("whole", "part", self.whole.is_some()),
        ] {
            if given {
                fields.report(field, format!("needs {beside} = \"...\" beside it"));
            }
        }
    }

    fn of_operations(&self, fields: &mut Fields<'_>, name: &str, on: &str) -> Option<Budget> {
        let select = select(fields, on, &self.labels)?;
        match (self.sli.as_deref(), self.quantile) {
            (None | Some("quantile"), Some(q)) => Some(Budget::quantile(name, select, q)),
            (Some("error_ratio"), None) => Some(Budget::error_ratio(name, select)),
            (Some("success_ratio"), None) => Some(Budget::success_ratio(name, select)),
            (Some("throughput"), None) => Some(Budget::throughput(name, select)),
            (Some("freshness"), None) => Some(Budget::freshness(name, select)),
            (None | Some("quantile"), None) => {
                fields.report("sli", "is missing: write quantile = 0.95, or sli = \"error_ratio\", \"success_ratio\", \"throughput\" or \"freshness\"");
                None
            }
            (Some("error_ratio" | "success_ratio" | "throughput" | "freshness"), Some(_)) => {
                fields.report("quantile", "stands beside another sli: keep one of the two");
                None
            }
            (Some(other), _) => {
                fields.report("sli", format!("{other:?} is not one: choose quantile, error_ratio, success_ratio, throughput or freshness"));
                None
            }
        }
    }

    /// Of gauges and counters by their exported names.
    fn of_families(&self, fields: &mut Fields<'_>, name: &str) -> Option<Budget> {
        if self.quantile.is_some() {
            fields.report("quantile", "is only for on = \"...\": leave it out");
        }
        let selector = |family: &String| selector(family, &self.labels);
        if let Some(gauge) = &self.gauge {
            return self.of_gauge(fields, name, selector(gauge));
        }
        if self.sli.is_some() {
            fields.report("sli", "is a ratio already: leave it out");
        }
        match (&self.hits, &self.misses, &self.part, &self.whole) {
            (Some(hits), Some(misses), ..) => {
                Some(Budget::hit_ratio(name, selector(hits), selector(misses)))
            }
            (_, _, Some(part), Some(whole)) => {
                Some(Budget::ratio(name, selector(part), selector(whole)))
            }
            (Some(_), ..) => {
                fields.report("misses", "is missing: name the counter of misses");
                None
            }
            _ => {
                fields.report("whole", "is missing: name the counter of all");
                None
            }
        }
    }

    fn of_gauge(&self, fields: &mut Fields<'_>, name: &str, gauge: Selector) -> Option<Budget> {
        match self.sli.as_deref() {
            None | Some("value") => {
                let how = self.aggregation.as_deref().unwrap_or("sum");
                let Some(how) = gauges(how) else {
                    let message = format!("{how:?} is not one: choose sum, max, min or avg");
                    fields.report("aggregation", message);
                    return None;
                };
                let value = Expr::select(gauge).aggregate(how, Grouping::default());
                Some(Budget::value(name, value))
            }
            Some("age") => Some(Budget::age(name, gauge)),
            Some(other) => {
                let message = format!("{other:?} is none of a gauge: choose value or age");
                fields.report("sli", message);
                None
            }
        }
    }
}

/// What several series of a gauge come to.
fn gauges(how: &str) -> Option<Aggregation> {
    let mut all = Aggregation::ALL.into_iter();
    all.find(|known| *known != Aggregation::Count && known.as_str() == how)
}

#[cfg(test)]
mod tests;
