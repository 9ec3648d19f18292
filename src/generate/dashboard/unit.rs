//! Units as Grafana names them.

use crate::budget::{Budget, Sli, tidy};

/// What can be converted into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Time,
    Share,
    Rate,
    Other,
}

/// Grafana's word, what it measures, and how many of it are one second, one whole, or one per second.
const UNITS: [(&str, Dimension, f64); 26] = [
    ("s", Dimension::Time, 1.0),
    ("ms", Dimension::Time, 1e3),
    ("µs", Dimension::Time, 1e6),
    ("m", Dimension::Time, 1.0 / 60.0),
    ("dtdurations", Dimension::Time, 1.0),
    ("percentunit", Dimension::Share, 1.0),
    ("percent", Dimension::Share, 1e2),
    ("ops", Dimension::Rate, 1.0),
    ("reqps", Dimension::Rate, 1.0),
    ("rps", Dimension::Rate, 1.0),
    ("wps", Dimension::Rate, 1.0),
    ("iops", Dimension::Rate, 1.0),
    ("cps", Dimension::Rate, 1.0),
    ("mps", Dimension::Rate, 1.0),
    ("eps", Dimension::Rate, 1.0),
    ("Bps", Dimension::Rate, 1.0),
    ("binBps", Dimension::Rate, 1.0),
    ("bytes", Dimension::Other, 1.0),
    ("decbytes", Dimension::Other, 1.0),
    ("bool", Dimension::Other, 1.0),
    ("bool_on_off", Dimension::Other, 1.0),
    ("bool_yes_no", Dimension::Other, 1.0),
    ("dateTimeAsIso", Dimension::Other, 1.0),
    ("currencyUSD", Dimension::Other, 1.0),
    ("short", Dimension::Other, 1.0),
    ("none", Dimension::Other, 1.0),
];

fn find(unit: &str) -> Option<(Dimension, f64)> {
    let found = UNITS.iter().find(|known| known.0 == unit);
    found.map(|known| (known.1, known.2))
}

pub(super) fn is_known(unit: &str) -> bool {
    find(unit).is_some()
}

/// Every word, for those who chose none of them.
pub(super) fn known() -> String {
    UNITS.map(|unit| unit.0).join(", ")
}

/// What the limits of a budget measure.
pub(super) fn dimension(budget: &Budget) -> Dimension {
    match budget.sli {
        Sli::Quantile(..) | Sli::Freshness(_) | Sli::Age(_) => Dimension::Time,
        Sli::ErrorRatio(_) | Sli::SuccessRatio(_) | Sli::Ratio(..) => Dimension::Share,
        Sli::Throughput(_) => Dimension::Rate,
        Sli::Value(_) => Dimension::Other,
    }
}

/// The unit that a budget is shown in where none is asked for.
pub(super) fn usual(budget: &Budget) -> &'static str {
    match dimension(budget) {
        Dimension::Time => "s",
        Dimension::Share => "percentunit",
        Dimension::Rate => "ops",
        Dimension::Other => "short",
    }
}

/// How many of `unit` the unit of a budget is; `None` where they measure different things. A gauge may count anything.
pub(super) fn factor(budget: &Budget, unit: &str) -> Option<f64> {
    of(dimension(budget), unit)
}

/// The same of a dimension.
pub(super) fn of(dimension: Dimension, unit: &str) -> Option<f64> {
    let (measures, factor) = find(unit)?;
    match dimension {
        Dimension::Other => Some(1.0),
        dimension => (measures == dimension).then_some(factor),
    }
}

/// What a histogram counts, by the end of its name as Prometheus asks for it.
pub(super) fn of_family(family: &str) -> Option<&'static str> {
    let words = [("_seconds", "s"), ("_ms", "ms"), ("_bytes", "bytes")];
    let found = words.iter().find(|known| family.ends_with(known.0));
    found.map(|known| known.1)
}

/// A limit in another unit.
pub(super) fn convert(limit: f64, factor: f64) -> f64 {
    tidy(limit * factor)
}
