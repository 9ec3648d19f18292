//! Values of budgets beside their limits.

use plimsoll::generate::Declaration;
use serde_json::{Value, json};

use super::judged::{Judged, State};
use super::number;
use crate::prometheus::{Error, Prometheus, Sample, quoted};

/// A level of a budget, of one instance and one value of each label that it is kept by.
#[derive(Debug)]
pub(super) struct BudgetRow {
    budget: String,
    level: String,
    of: String,
    value: Option<f64>,
    limit: Option<f64>,
    /// `None` if no process says anything of it.
    state: Option<State>,
}

/// What stands in columns of its own, or is the same everywhere.
const KNOWN: [&str; 7] = [
    "__name__", "budget", "job", "level", "service", "slo", "window",
];

pub(super) fn read(
    declaration: &Declaration,
    prometheus: &Prometheus,
    judged: &Judged,
) -> Result<Vec<BudgetRow>, Error> {
    let of =
        |family: &str| prometheus.query(&format!("{family}{{job={}}}", quoted(declaration.job())));
    let (limits, values) = (of("plimsoll_budget_limit")?, of("plimsoll_budget_value")?);
    let mut rows = Vec::new();
    for budget in declaration.budgets() {
        let its = limits
            .iter()
            .filter(|limit| limit.label("budget") == budget.name());
        let before = rows.len();
        rows.extend(its.map(|limit| row(limit, &values, judged)));
        if rows.len() == before {
            rows.push(BudgetRow::unknown(budget.name()));
        }
    }
    Ok(rows)
}

fn row(limit: &Sample, values: &[Sample], judged: &Judged) -> BudgetRow {
    let (budget, level) = (limit.label("budget"), limit.label("level"));
    let same = |key: &String| key != "__name__";
    let value = values.iter().find(|value| {
        let mut labels = limit.labels.iter().filter(|(key, _)| same(key));
        labels.all(|(key, text)| value.labels.get(key) == Some(text))
    });
    BudgetRow {
        budget: budget.to_owned(),
        level: level.to_owned(),
        of: rest(limit),
        value: value.map(|value| value.value),
        limit: Some(limit.value),
        state: Some(judged.of(budget, level, limit.label("instance"))),
    }
}

/// The labels that tell a series from others of the same promise.
pub(super) fn rest(sample: &Sample) -> String {
    let labels = sample.labels.iter();
    let others = labels.filter(|(key, _)| !KNOWN.contains(&key.as_str()));
    let others: Vec<_> = others.map(|(_, value)| value.as_str()).collect();
    others.join(" ")
}

impl BudgetRow {
    fn unknown(budget: &str) -> Self {
        Self {
            budget: budget.to_owned(),
            level: String::new(),
            of: String::new(),
            value: None,
            limit: None,
            state: None,
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.state.is_none()
    }

    pub(super) fn cells(&self) -> [String; 6] {
        [
            self.budget.clone(),
            self.level.clone(),
            self.of.clone(),
            number(self.value),
            number(self.limit),
            word(self.state).to_owned(),
        ]
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "budget": self.budget,
            "level": self.level,
            "of": self.of,
            "value": self.value,
            "limit": self.limit,
            "state": word(self.state),
        })
    }
}

/// Without a series there is nothing to judge: `plimsoll doctor` says why.
pub(super) fn word(state: Option<State>) -> &'static str {
    state.map_or("no data", State::word)
}
