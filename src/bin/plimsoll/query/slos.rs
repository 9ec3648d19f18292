//! Error budgets: what is left of them, and how fast they are spent.

use plimsoll::generate::Declaration;
use serde_json::{Value, json};

use super::budgets::{rest, word};
use super::judged::{Judged, State};
use super::number;
use crate::prometheus::{Error, Prometheus, Sample, quoted};

/// An SLO of one instance and one value of each label that it is kept by.
#[derive(Debug)]
pub(super) struct SloRow {
    slo: String,
    of: String,
    objective: Option<f64>,
    /// 1 untouched, 0 spent.
    left: Option<f64>,
    /// By window.
    burn_rates: Vec<(String, f64)>,
    state: Option<State>,
}

pub(super) fn read(
    declaration: &Declaration,
    prometheus: &Prometheus,
    judged: &Judged,
) -> Result<Vec<SloRow>, Error> {
    let of = |what: &str| {
        prometheus.query(&format!(
            "plimsoll_slo_{what}{{job={}}}",
            quoted(declaration.job())
        ))
    };
    let [objectives, left, rates] = [
        of("objective")?,
        of("error_budget_remaining")?,
        of("burn_rate")?,
    ];
    let mut rows = Vec::new();
    for slo in declaration.slos() {
        let name = slo.name();
        let its = objectives
            .iter()
            .filter(|objective| objective.label("slo") == name);
        let before = rows.len();
        rows.extend(its.map(|objective| {
            SloRow {
                slo: name.to_owned(),
                of: rest(objective),
                objective: Some(objective.value),
                left: left
                    .iter()
                    .find(|left| same(objective, left))
                    .map(|left| left.value),
                burn_rates: burning(objective, &rates),
                state: Some(judged.of(name, "", objective.label("instance"))),
            }
        }));
        if rows.len() == before {
            rows.push(SloRow::unknown(name));
        }
    }
    Ok(rows)
}

/// Whether both are of one SLO, instance and part.
fn same(one: &Sample, other: &Sample) -> bool {
    one.label("slo") == other.label("slo") && rest(one) == rest(other)
}

fn burning(of: &Sample, rates: &[Sample]) -> Vec<(String, f64)> {
    let its = rates.iter().filter(|rate| same(of, rate));
    let mut its: Vec<_> = its
        .map(|rate| (rate.label("window").to_owned(), rate.value))
        .collect();
    its.sort_by_key(|rate| humantime::parse_duration(&rate.0).unwrap_or_default());
    its
}

impl SloRow {
    fn unknown(slo: &str) -> Self {
        Self {
            slo: slo.to_owned(),
            of: String::new(),
            objective: None,
            left: None,
            burn_rates: Vec::new(),
            state: None,
        }
    }

    /// Whether more is spent than there was.
    pub(super) fn is_missed(&self) -> bool {
        self.left.is_some_and(|left| left < 0.0)
    }

    fn state(&self) -> &'static str {
        match self.is_missed() {
            true => "MISSED",
            false => word(self.state),
        }
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.state.is_none()
    }

    pub(super) fn cells(&self) -> [String; 6] {
        let rate = |(window, rate): &(String, f64)| format!("{window} {}", number(Some(*rate)));
        let rates: Vec<_> = self.burn_rates.iter().map(rate).collect();
        [
            self.slo.clone(),
            self.of.clone(),
            number(self.objective),
            number(self.left),
            rates.join(", "),
            self.state().to_owned(),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let rate = |(window, rate): &(String, f64)| json!({ "window": window, "rate": rate });
        json!({
            "slo": self.slo,
            "of": self.of,
            "objective": self.objective,
            "error_budget_remaining": self.left,
            "burn_rates": self.burn_rates.iter().map(rate).collect::<Vec<_>>(),
            "state": self.state(),
        })
    }
}
