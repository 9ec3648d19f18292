//! Key figures from TOML.

use super::about::About;
use super::options;
use crate::budget::{Kpi, KpiUnit, Level};
use crate::config::fields::{Fields, Numbered};
use crate::config::{Adjustment, Problem, Settings};

/// Reads a key figure: what a budget is about, with limits in a unit.
pub(in crate::config) fn kpi(
    table: Numbered,
    settings: &mut Settings,
    problems: &mut Vec<Problem>,
) {
    let (name, mut fields) = Fields::named("kpi", table, problems);
    let about = About::read(&mut fields);
    if about.says_nothing(&fields) {
        let message = "is missing: say what it is about (on = \"http\", gauge, hits or part)";
        fields.report("on", message);
    }
    if about.condition.is_some() {
        let message = "has a limit itself, and a key figure has its own: make it a budget";
        fields.report("condition", message);
    }
    let unit = unit(&mut fields);
    let higher = fields.boolean("higher_is_better");
    type Set = fn(Kpi, f64) -> Kpi;
    let sets: [(&'static str, Set); 5] = [
        ("target", Kpi::target),
        ("warning", Kpi::warning),
        ("critical", Kpi::critical),
        ("min", Kpi::min),
        ("max", Kpi::max),
    ];
    let limits = sets.map(|(field, set)| (set, fields.number(field)));
    let options = options(&mut fields);
    let declared = about.declare(&mut fields, &name);
    fields.finish();
    let mut measure = match declared {
        Ok(measure) => measure,
        Err(stand_in) => {
            let given = limits.iter().any(|(_, limit)| limit.is_some());
            let limits = given.then(|| (Level::Target, 1.0.into()));
            let options = Adjustment {
                limits: limits.into_iter().collect(),
                ..options
            };
            settings.budgets.push(options.check(*stand_in));
            return;
        }
    };
    measure.floor = higher.unwrap_or(measure.floor);
    options.apply(&mut measure, problems);
    let kpi = Kpi::new(measure).unit(unit);
    let given = limits
        .into_iter()
        .filter_map(|(set, limit)| Some((set, limit?)));
    let kpi = given.fold(kpi, |kpi, (set, limit)| set(kpi, limit));
    settings.budgets.extend(kpi.budgets());
}

fn unit(fields: &mut Fields<'_>) -> KpiUnit {
    let Some(text) = fields.string("unit") else {
        return KpiUnit::Plain;
    };
    KpiUnit::named(&text).unwrap_or_else(|| {
        let message = format!(
            "{text:?} is not one: choose ms, s, % (of a ratio), %gauge (of a gauge from 0 to 100), /s or MB/s"
        );
        fields.report("unit", message);
        KpiUnit::Plain
    })
}
