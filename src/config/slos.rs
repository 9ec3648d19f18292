//! `[[slo]]` tables.

use std::time::{Duration, SystemTime};

use toml::Table;

use super::fields::{Fields, as_number};
use super::subject::{LabelValues, labelled, select, selector};
use super::{Problem, Settings, rules};
use crate::expr::{Expr, Offset, Over, Selector};
use crate::slo::{BurnAlert, Calendar, Maintenance, Period, Severity, Sli, Slo};

/// Reads one table.
pub(super) fn slo(table: Table, settings: &mut Settings, problems: &mut Vec<Problem>) {
    let (name, mut fields) = Fields::named("slo", table, problems);
    fields.refuse_twice(&name, settings.slos.iter().map(Slo::name));
    let declared = declare(&mut fields, &name);
    let period = period(&mut fields);
    let objective = fields.number("objective");
    let per = fields.words("per");
    let half_window = fields.boolean("sustained_half_window");
    let reachable_only = fields.boolean("reachable_burn_alerts");
    let min_events = fields.integer("min_events");
    let confidence = fields.number("confidence");
    let absent_after = fields.duration("absent_after");
    let burns = inner(&mut fields, "burn_alert", burn_alert);
    let no_burns = fields.boolean("burn_alerts") == Some(false);
    let maintenance = inner(&mut fields, "maintenance", maintained);
    fields.finish();
    let Some(mut slo) = declared else { return };
    slo.objective = objective;
    slo.period = period.unwrap_or(slo.period);
    slo.per = per;
    slo.half_window = half_window.unwrap_or_default();
    slo.reachable_only = reachable_only.unwrap_or_default();
    slo.min_events = min_events.unwrap_or(slo.min_events);
    slo.confidence = confidence;
    slo.absent_after = absent_after;
    slo.maintenance = maintenance;
    if no_burns || !burns.is_empty() {
        slo.burn_alerts = Some(burns);
    }
    settings.slos.push(slo);
}

/// Reads every table of a kind within this one.
fn inner<T>(
    fields: &mut Fields<'_>,
    kind: &'static str,
    read: fn(Fields<'_>) -> Option<T>,
) -> Vec<T> {
    let tables = fields.tables(kind).into_iter();
    let at = format!("{kind}: ");
    tables
        .filter_map(|table| read(fields.beside(&at, table)))
        .collect()
}

/// A new SLO by what it counts, of which there is to be exactly one.
fn declare(fields: &mut Fields<'_>, name: &str) -> Option<Slo> {
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
        ("weights", !weights.is_empty()),
    ];
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
    composite.sli = match weights.is_empty() {
        // The error budgets come when all SLOs are known.
        true => Sli::AllOf(all_of.into_iter().map(|part| (part, f64::NAN)).collect()),
        false => Sli::Weighted(weights),
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
    let table = fields.table("weights").unwrap_or_default();
    // What is no number is refused as a weight.
    let number = |value| as_number(value).unwrap_or(f64::NAN);
    table
        .iter()
        .map(|(name, value)| (name.clone(), number(value)))
        .collect()
}

fn period(fields: &mut Fields<'_>) -> Option<Period> {
    let days = fields.integer("rolling");
    let calendar = fields.string("calendar");
    let offset = fields.number("offset_minutes");
    if offset.is_some() && calendar.is_none() {
        let message = "says nothing without calendar: rolling periods begin at no time of day";
        fields.report("offset_minutes", message);
    }
    let calendar = calendar.map(|word| match word.as_str() {
        "day" => Ok(Calendar::Day),
        "week" => Ok(Calendar::Week),
        "month" => Ok(Calendar::Month),
        "quarter" => Ok(Calendar::Quarter),
        _ => Err(word),
    });
    match (days, calendar) {
        (Some(_), Some(_)) => {
            fields.report("rolling", "stands beside calendar: keep one of the two");
            None
        }
        (Some(days), None) => Some(Period::Rolling(Duration::from_secs(
            days.saturating_mul(86_400),
        ))),
        (None, Some(Ok(calendar))) => {
            let minutes = offset.unwrap_or(0.0);
            let offset = (minutes.fract() == 0.0)
                .then(|| Offset::minutes(minutes as i32))
                .flatten();
            if offset.is_none() {
                let message = format!(
                    "{minutes} is not an offset: write whole minutes east of UTC, less than a day"
                );
                fields.report("offset_minutes", message);
            }
            Some(Period::Calendar(calendar, offset?))
        }
        (None, Some(Err(word))) => {
            fields.report(
                "calendar",
                format!("{word:?} is not a period: choose day, week, month or quarter"),
            );
            None
        }
        (None, None) => None,
    }
}

fn burn_alert(mut fields: Fields<'_>) -> Option<BurnAlert> {
    let severity = match fields.string("severity").as_deref() {
        Some("page") => Some(Severity::Page),
        Some("ticket") => Some(Severity::Ticket),
        other => {
            let given = other.unwrap_or_default();
            fields.report(
                "severity",
                format!("{given:?} is not one: choose page or ticket"),
            );
            None
        }
    };
    let (share, long) = (fields.number("share"), fields.duration("long"));
    if share.is_none() || long.is_none() {
        fields.report(
            "share",
            "and long are both needed: write share = 0.02 and long = \"1h\"",
        );
    }
    fields.finish();
    Some(BurnAlert::new(severity?, share?, long?))
}

fn maintained(mut fields: Fields<'_>) -> Option<Maintenance> {
    let (start, end) = (moment(&mut fields, "start"), moment(&mut fields, "end"));
    let reason = fields.string("reason").unwrap_or_default();
    let every = fields.duration("every");
    fields.finish();
    let maintenance = Maintenance::new(start?, end?, reason);
    Some(match every {
        Some(every) => maintenance.every(every),
        None => maintenance,
    })
}

fn moment(fields: &mut Fields<'_>, field: &'static str) -> Option<SystemTime> {
    let text = fields.string(field).unwrap_or_default();
    let moment = humantime::parse_rfc3339_weak(&text).ok();
    if moment.is_none() {
        fields.report(
            field,
            format!("{text:?} is not a moment in UTC: write \"2026-02-01T02:00:00Z\""),
        );
    }
    moment
}
