//! What a budget in TOML is about.

use crate::budget::{Budget, Level, Select};
use crate::config::fields::Fields;
use crate::config::rules;
use crate::config::subject::{select, selector};
use crate::expr::{Aggregation, Expr, Grouping, Selector};

/// What a budget is about, as far as it is said.
pub(super) struct About {
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
    pub(super) condition: Option<String>,
}

impl About {
    /// The fields that say what it is about.
    const SUBJECTS: [&str; 5] = ["on", "gauge", "hits", "part", "condition"];

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
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

    /// Whether it leaves that to the code: none of these fields is there.
    pub(super) fn says_nothing(&self, fields: &Fields<'_>) -> bool {
        let is_wrong = Self::SUBJECTS.iter().any(|known| fields.is_wrong(known));
        self.is_nothing() && !is_wrong
    }

    fn is_nothing(&self) -> bool {
        self.subjects().iter().all(|field| field.is_none())
    }

    /// What it may be about: one of them.
    fn subjects(&self) -> [&Option<String>; 5] {
        let condition = &self.condition;
        [&self.on, &self.gauge, &self.hits, &self.part, condition]
    }

    /// A new budget, still without its limits, but for one that a condition has. Where it cannot be told what it is about, one
    /// that takes its place.
    pub(super) fn declare(
        self,
        fields: &mut Fields<'_>,
        name: &str,
    ) -> Result<Budget, Box<Budget>> {
        let unknown = || {
            let mut budget = stand_in(name, None);
            // A condition has its limit itself, and whoever has a wrong one misses none.
            let limit = self.condition.as_ref().map(|_| (Level::Target, 1.0.into()));
            budget.limits.extend(limit);
            budget
        };
        if self.is_nothing() {
            return Err(unknown());
        }
        let subjects = self.subjects();
        if subjects.iter().filter(|field| field.is_some()).count() > 1 {
            fields.report(
                "on",
                "is one of several: keep one of on, gauge, hits, part and condition",
            );
            return Err(unknown());
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
                budget.map_err(report).or(Err(unknown()))?
            }
            (None, None) => self.of_families(fields, name).ok_or_else(unknown)?,
        };
        budget.per = self.per;
        Ok(budget)
    }

    pub(super) fn report_orphans(&self, fields: &mut Fields<'_>) {
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

    fn of_operations(
        &self,
        fields: &mut Fields<'_>,
        name: &str,
        on: &str,
    ) -> Result<Budget, Box<Budget>> {
        let select = select(fields, on, &self.labels);
        let any = select.clone().unwrap_or_else(Select::http);
        match (self.of_select(fields, name, any), select) {
            (Some(budget), Some(_)) => Ok(budget),
            (_, select) => Err(stand_in(name, select.map(|select| (select, &*self.per)))),
        }
    }

    fn of_select(&self, fields: &mut Fields<'_>, name: &str, select: Select) -> Option<Budget> {
        match (self.sli.as_deref(), self.quantile) {
            _ if fields.is_wrong("sli") || fields.is_wrong("quantile") => None,
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

/// Takes the place of a budget that could not be read, so that what else is wrong with it is found as well: over whatever is
/// known of it, with an SLI that takes almost any limit.
fn stand_in(name: &str, known: Option<(Select, &[String])>) -> Box<Budget> {
    let (select, per) = known.unwrap_or((Select::http(), &[]));
    let mut budget = Budget::throughput(name, select).at_most(1.0);
    budget.limits.clear();
    budget.per = per.to_vec();
    Box::new(budget)
}

/// What several series of a gauge come to.
fn gauges(how: &str) -> Option<Aggregation> {
    let mut all = Aggregation::ALL.into_iter();
    all.find(|known| *known != Aggregation::Count && known.as_str() == how)
}
