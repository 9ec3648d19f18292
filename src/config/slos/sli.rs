//! What an SLO counts.

use crate::config::fields::{Fields, as_number};
use crate::config::rules;
use crate::config::subject::{LabelValues, labelled, select, selector};
use crate::expr::{Expr, Over, Selector};
use crate::slo::{Sli, Slo};

/// A new SLO by what it counts, of which there is to be exactly one; `None` where that cannot be told.
pub(super) fn declare(fields: &mut Fields<'_>, name: &str) -> Option<Slo> {
    let on = fields.string("on");
    let labels = fields.strings("labels");
    let except = fields.strings("except");
    let threshold = fields.duration("threshold");
    let [good, bad, valid, state] =
        ["good", "bad", "valid", "state"].map(|field| fields.string(field));
    let [condition, error_ratio] =
        ["condition", "error_ratio"].map(|field| Some((field, fields.string(field)?)));
    let slice = fields.duration("slice");
    let all_of = fields.words("all_of");
    let weights = weights(fields);
    let kinds = [
        ("on", on.is_some()),
        ("valid", valid.is_some()),
        ("state", state.is_some()),
        ("condition", condition.is_some()),
        ("error_ratio", error_ratio.is_some()),
        ("all_of", !all_of.is_empty()),
        ("weights", !weights.is_empty() || fields.is_wrong("weights")),
    ];
    if kinds
        .iter()
        .any(|(kind, given)| !given && fields.is_wrong(kind))
    {
        return None;
    }
    let mut kinds = kinds.into_iter().filter(|(_, given)| *given);
    let (Some((kind, _)), None) = (kinds.next(), kinds.next()) else {
        let message = "is missing or stands beside another one: write one of on, valid, state, condition, error_ratio, all_of and weights";
        fields.report("on", message);
        return None;
    };
    let beside = [
        ("labels", !labels.is_empty()),
        ("except", !except.is_empty()),
        ("threshold", threshold.is_some()),
        ("good", good.is_some()),
        ("bad", bad.is_some()),
        ("slice", slice.is_some()),
    ];
    refuse_unread(fields, kind, &beside);
    if let Some(on) = on {
        let mut select = select(fields, &on, &labels)?;
        select.except = except;
        return Some(match threshold {
            Some(threshold) => Slo::latency(name, select, threshold),
            None => Slo::availability(name, select),
        });
    }
    if valid.is_some() {
        let mut series = |field, text| series(fields, field, text, &labels);
        let valid = series("valid", &valid);
        return match (good.is_some(), bad.is_some()) {
            (true, false) => Some(Slo::good_ratio(name, series("good", &good)?, valid?)),
            (false, true) => Some(Slo::bad_ratio(name, series("bad", &bad)?, valid?)),
            _ => {
                fields.report("valid", "needs one of good and bad beside it");
                None
            }
        };
    }
    if state.is_some() {
        let state = series(fields, "state", &state, &labels)?;
        return Some(match slice {
            // A slice is good if the state was there all the time.
            Some(slice) => {
                let lowest = Expr::Over(Over::Min, state, slice);
                Slo::time_slice(name, lowest.greater(0.0), slice)
            }
            None => Slo::time_based(name, Expr::select(state)),
        });
    }
    if let Some((field, text)) = &condition {
        let condition = promql(fields, field, text)?;
        return Some(match slice {
            Some(slice) => Slo::time_slice(name, condition, slice),
            None => Slo::time_based(name, condition),
        });
    }
    if let Some((field, text)) = &error_ratio {
        let ratio = promql(fields, field, text)?;
        if slice.is_none() {
            fields.report(
                "slice",
                "is missing: write how long each is, such as \"5m\"",
            );
        }
        return Some(Slo::ratio_time_slices(name, ratio, slice?));
    }
    let mut composite = Slo::weighted(name, []);
    composite.sli = match all_of.is_empty() {
        true => Sli::Weighted(weights),
        // The error budgets come when all SLOs are known.
        false => Sli::AllOf(all_of.into_iter().map(|part| (part, f64::NAN)).collect()),
    };
    Some(composite)
}

/// What says nothing beside a kind of SLO.
fn refuse_unread(fields: &mut Fields<'_>, kind: &str, beside: &[(&str, bool)]) {
    let read: &[&str] = match kind {
        "on" => &["labels", "except", "threshold"],
        "valid" => &["labels", "good", "bad"],
        "state" => &["labels", "slice"],
        "condition" | "error_ratio" => &["slice"],
        _ => &[],
    };
    let mend = match kind {
        "condition" | "error_ratio" => "write it into the PromQL, or leave it out",
        _ => "leave it out",
    };
    for (field, given) in beside {
        if *given && !read.contains(field) {
            fields.report(field, format!("says nothing beside {kind}: {mend}"));
        }
    }
}

/// A family by its name, or a selector in PromQL, with these labels.
fn series(
    fields: &mut Fields<'_>,
    field: &str,
    text: &Option<String>,
    labels: &LabelValues,
) -> Option<Selector> {
    let text = text.as_deref()?;
    if !text.contains('{') {
        return Some(selector(text, labels));
    }
    match promql(fields, field, text)? {
        Expr::Select(series) => Some(labelled(series, labels)),
        _ => {
            fields.report(
                field,
                "is no counter or gauge: write family{label=\"value\"}",
            );
            None
        }
    }
}

fn promql(fields: &mut Fields<'_>, field: &str, text: &str) -> Option<Expr> {
    let expr = rules::expr(text);
    expr.map_err(|message| fields.report(field, message)).ok()
}

fn weights(fields: &mut Fields<'_>) -> Vec<(String, f64)> {
    fields.entries("weights", "a weight: write a number above 0", as_number)
}
