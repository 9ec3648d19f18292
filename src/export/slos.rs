//! Error budgets, and how fast they burn.

use super::sheet::{Number, Sheet};
use crate::budget::Labels;
use crate::engine::Judge;
use crate::family::Kind;
use crate::slo::{Slo, Standing};

/// Events that were left out.
const SLI_EXCLUDED: &str = "plimsoll_sli_excluded_total";

/// Shows the families of SLOs; none without any.
pub(super) fn show(judge: &Judge, sheet: &mut impl Sheet) {
    excluded(judge, sheet);
    let mut gauge = |name, help, number: fn(&Slo, Standing) -> f64| {
        sheet.family(name, help, Kind::Gauge);
        judge.each_slo(|slo, kept_by, standing| {
            let value = Number::Float(number(slo, standing));
            sheet.sample(labels(slo, kept_by, None), value);
        });
    };
    gauge(
        "plimsoll_slo_objective",
        "The share of events or time that is promised to be good.",
        |slo, _| slo.objective.unwrap_or(0.0),
    );
    gauge(
        "plimsoll_slo_error_budget_remaining",
        "The share of the period's error budget that is left; negative once the objective is missed.",
        |_, standing| standing.remaining,
    );
    gauge(
        "plimsoll_slo_coverage",
        "How much of the period was looked at, from 0 to 1.",
        |_, standing| standing.coverage,
    );
    sheet.family(
        "plimsoll_slo_burn_rate",
        "Error ratio of the window by error budget: 1 spends it exactly in the period.",
        Kind::Gauge,
    );
    judge.each_burn_rate(|slo, kept_by, window, rate| {
        sheet.sample(labels(slo, kept_by, Some(window)), Number::Float(rate));
    });
}

fn labels<'a>(
    slo: &'a Slo,
    kept_by: &'a Labels,
    window: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    let kept_by = kept_by.iter().map(|(key, value)| (*key, value.as_str()));
    let window = window.map(|window| ("window", window));
    let named = std::iter::once(("slo", slo.name.as_str()));
    named.chain(window).chain(kept_by)
}

fn excluded(judge: &Judge, sheet: &mut impl Sheet) {
    let help = "Operations, ticks or slices of an SLO that were left out because of maintenance.";
    sheet.family(SLI_EXCLUDED, help, Kind::Counter);
    for count in judge.slo_counts() {
        let kept_by = count
            .labels
            .iter()
            .map(|(key, value)| (*key, value.as_str()));
        let labels = [("budget", &*count.budget), ("level", count.level.as_str())];
        sheet.sample(
            labels.into_iter().chain(kept_by),
            Number::Integer(count.excluded),
        );
    }
}
