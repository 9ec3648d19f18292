//! What processes say of themselves: promises that nothing counts for, and what they had to leave out.

use super::{Finding, Patient};
use crate::prometheus::{Error, Prometheus, quoted};

/// A family that has to be 0, the label that says what, and what is to be done about it.
const ZERO: [(&str, &str, &str, &str); 6] = [
    (
        "plimsoll_series_overflow_total",
        "kind",
        "label sets beyond the cap are counted as `other`",
        "declare the routes, or raise the cap, or keep free text out of labels",
    ),
    (
        "plimsoll_label_overflow_total",
        "label",
        "label values are counted as `other` or `_OTHER`",
        "declare the values, or raise the label's cap",
    ),
    (
        "plimsoll_families_dropped_total",
        "",
        "families of the service's own are left out: their names are taken, or their labels change",
        "rename them; the log (target `plimsoll::setup`) and `Plimsoll::warnings` say which",
    ),
    (
        "plimsoll_values_invalid_total",
        "reason",
        "values were given to a histogram that are no measurement",
        "look for a division by zero or a subtraction the wrong way round where they are computed",
    ),
    (
        "plimsoll_warnings_total",
        "kind",
        "the set-up measures less than it seems to",
        "`Plimsoll::warnings` and the log (target `plimsoll::setup`) say what and how to mend it",
    ),
    (
        "plimsoll_budget_unmatched",
        "budget",
        "a budget speaks of operations that nobody declared or used",
        "compare its route and labels with those on the page",
    ),
];

pub(super) fn examine(
    patient: &Patient<'_>,
    prometheus: &Prometheus,
) -> Result<Vec<Finding>, Error> {
    let mut findings = unseen(patient, prometheus)?;
    let job = quoted(patient.declaration.job());
    for (family, label, what, mend) in ZERO {
        let grouped = format!("max by ({label}) ({family}{{job={job}}}) > 0");
        let found = prometheus.query(&grouped)?;
        if !found.is_empty() {
            let of: Vec<_> = found.iter().map(|sample| sample.label(label)).collect();
            let of = match label {
                "" => String::new(),
                label => format!(" ({label}: {})", of.join(", ")),
            };
            findings.push(Finding::new(format!("{what}: {family}{of}"), mend));
        }
    }
    Ok(findings)
}

/// Promises whose counters are there and stand at 0.
fn unseen(patient: &Patient<'_>, prometheus: &Prometheus) -> Result<Vec<Finding>, Error> {
    let job = quoted(patient.declaration.job());
    let never = format!("sum by (budget) (plimsoll_sli_valid_total{{job={job}}}) == 0");
    let never = prometheus.query(&never)?;
    let finding = |budget: &str| {
        Finding::new(
            format!("{budget}: nothing was counted yet, its panels and rules have no value"),
            "nobody called its route or operation since the process started, or it is called otherwise",
        )
    };
    Ok(never
        .iter()
        .map(|sample| finding(sample.label("budget")))
        .collect())
}
